"""What is drawn from measured numbers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.programs.benchmarks.chart import Bar, chart
from tests.programs.benchmarks.figures import evenness, latencies, median, percentile
from tests.programs.benchmarks.plots import bars_of, goal_of
from tests.programs.benchmarks.polling import judged
from tests.programs.benchmarks.round_trip import compared
from tests.programs.benchmarks.row import AT_LEAST, Comparison, Row
from tests.programs.benchmarks.table import number, shown, table


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1, 100)]
)
def test_a_percentile_is_the_least_value_that_reaches_its_share(share, expected):
    """A percentile is a measured value that at least that share of all does not exceed."""
    assert percentile([*range(100, 0, -1)], share) == expected


def test_there_is_no_percentile_of_nothing():
    """Where nothing was measured, there is no figure."""
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_latencies_are_in_microseconds():
    """Durations are seconds, the figures drawn from them microseconds."""
    assert latencies([0.001, 0.002, 0.004]) == {"p50_us": 2000, "p95_us": 4000, "p99_us": 4000}
    assert median([3, 1, 2]) == 2


@pytest.mark.parametrize(
    ("counts", "expected"), [([5, 5, 5], 1.0), ([9, 0, 0], 1 / 3), ([0, 0], 1.0)]
)
def test_evenness_tells_how_equally_calls_were_served(counts, expected):
    """Jain's index is 1 where all got the same, and 1/n where one got everything."""
    assert evenness(counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("measured", "given", "expected"),
    [
        (100, {"goal": 1.0}, True),
        (101, {"goal": 1.0}, False),
        (115, {"goal": 1.0, "slack": 15}, True),
        (116, {"goal": 1.0, "slack": 15}, False),
        (100, {"goal": 1.0, "sense": AT_LEAST}, True),
        (99, {"goal": 1.0, "sense": AT_LEAST}, False),
        (500, {}, None),
    ],
)
def test_a_goal_is_met_by_the_ratio_of_what_was_measured(measured, given, expected):
    """A comparison holds its two numbers, and its ratio and whether the goal is met follow."""
    comparison = Comparison("group", "a / b", "us", measured, 100, **given)
    assert (comparison.ratio, comparison.is_met) == (measured / 100, expected)
    told = json.loads(json.dumps(comparison.as_json()))
    assert (told["ratio"], told["met"]) == (measured / 100, expected)


def test_everything_is_compared_with_the_floor():
    """The queue has a goal against the floor, other task queues are compared without one."""
    figures = {
        "floor": {"p50_us": 100.0, "par16_cps": 2000.0},
        "queued": {"p50_us": 80.0, "par16_cps": 1000.0},
        "huey_echo": {"p50_us": 250.0, "par16_cps": 800.0},
    }
    found = {row.name: (row.ratio, row.is_met) for row in compared(figures)}
    assert found == {
        "queued / floor, p50": (0.8, True),
        "queued / floor, par16": (0.5, False),
        "huey_echo / floor, p50": (2.5, None),
        "huey_echo / floor, par16": (0.4, None),
    }
    assert list(compared({"queued": figures["queued"]})) == []


def test_the_table_has_every_row_and_its_goal():
    """The table shows figures with units, ratios, goals, and why something was not measured."""
    rows = [
        Row("one", "queued", {"p50_us": 1234.4, "seq_cps": 0.5}),
        Row("one", "other", note="not measured: other not installed"),
        Comparison("two", "a / b", "us", 80.0, 100.0, 0.5),
    ]
    assert [" ".join(line.split()) for line in table(rows).splitlines()] == [
        "measured ratio goal",
        "one:",
        "queued p50 1,234 µs, seq 0.5 calls/s",
        "other (not measured: other not installed)",
        "two:",
        "a / b 80 / 100 µs 0.80 ≤ 0.5 not met",
    ]


def test_numbers_keep_the_digits_that_count():
    """A number has three digits, or all that stand before its point."""
    assert [number(value) for value in (0.01234, 1.5, 45.67, 123456.7)] == [
        *("0.0123", "1.5", "45.7", "123,457")
    ]
    assert [shown("jobs", 3), shown("p50_us", 3)] == ["3 jobs", "p50 3 µs"]


def test_a_chart_is_a_drawing_with_a_bar_for_every_value():
    """A chart is well-formed, as wide as its values say, and takes names as they come."""
    drawn = chart("a < b", [Bar("x & y", 10.0, is_ours=True), Bar("z", 5.0)])
    root = ET.fromstring(drawn)
    name = "{http://www.w3.org/2000/svg}"
    bars = [bar for bar in root.iter(f"{name}rect") if bar.get("class") != "page"]
    texts = [text.text for text in root.iter(f"{name}text")]
    assert [bar.get("class") for bar in bars] == ["ours", "other"]
    assert float(bars[0].get("width")) == pytest.approx(2 * float(bars[1].get("width")))
    assert texts == ["a < b", "x & y", "10", "z", "5"]
    assert "prefers-color-scheme: dark" in drawn


def test_a_chart_shows_the_rows_that_have_its_figure():
    """A chart's bars are the rows of one benchmark that have the figure, ours marked."""
    rows = [
        Row("round trip", "floor", {"p50_us": 1.0}),
        Row("round trip", "queued", {"p50_us": 2.0}),
        Row("round trip", "missing"),
        Row("other", "floor", {"p50_us": 3.0}),
        Comparison("round trip", "queued / floor", "us", 2.0, 1.0),
    ]
    assert bars_of(rows, "round trip", "p50_us") == [
        *(Bar("floor", 1.0), Bar("queued", 2.0, is_ours=True))
    ]


def test_a_chart_has_a_line_where_its_bars_have_one_goal():
    """The goal of the bars is drawn as a line; two goals, or none, are not."""
    bars = [Bar("floor", 100.0), Bar("queued", 300.0, is_ours=True), Bar("queued_quota", 400.0)]
    against = {"group": "round trip", "unit": "us", "against": 100.0}
    rows = [
        Comparison(name="p50", measured=300.0, goal=1.0, slack=5.0, **against),
        Comparison(name="other figure", measured=7.0, goal=2.0, **against),
        Comparison(name="no goal", measured=400.0, **against),
    ]
    assert goal_of(rows, "round trip", bars) == 105.0
    assert 'class="line"' in chart("title", bars, 105.0)
    rows.append(Comparison(name="another", measured=400.0, goal=3.0, **against))
    assert goal_of(rows, "round trip", bars) is None
    assert goal_of(rows, "depth", bars) is None
    assert 'class="line"' not in chart("title", bars)


def typed(*moments):
    """Return the ledger of who types 0, 1, … at these moments, and of one read."""
    path = {"path": "/v4/spreadsheets/id/values/'Sheet1'!A1", "quota": "write", "method": "PUT"}
    read = {"method": "GET", "path": "/v4/…", "quota": "read", "applied_at": 1.0}
    return [read, *({**path, "applied_at": moment} for moment in moments)]


@pytest.mark.parametrize(
    ("began", "number", "oldest", "too_old"),
    [(13.9, 1, 1.9, 0), (14.0, 1, 2.0, 0), (14.1, 1, 2.1, 1), (14.1, 2, 0.0, 0), (13.1, 0, 2.1, 1)],
)
def test_an_answer_is_as_old_as_what_it_shows(began, number, oldest, too_old):
    """What an answer shows was true until the ledger has the next number, and not longer ago."""
    figures = judged([[(began, began + 0.5, number, 0, 0)]], typed(10.0, 11.0, 12.0), 2.0)
    assert figures["oldest_s"] == pytest.approx(oldest)
    assert figures["too_old_answers"] == too_old
    assert figures["requests"] == 1


@pytest.mark.parametrize("other", [(0.9, 1.2, 0, 0, 0), (2.5, 2.6, 0, 2, 0)])
def test_who_does_not_read_what_was_written_is_found(other):
    """A read without what a process had written before it is counted, whoever makes it."""
    reads = [[(1.0, 1.1, 0, 1, 1), (2.0, 2.1, 0, 1, 2)], [other]]
    figures = judged(reads, typed(0.0), 2.0)
    assert (figures["missed_writes"], figures["writes"], figures["bound_requests"]) == (1, 2, 3)


def test_others_see_what_was_written_too():
    """A read of another process that began after a write had ended, and lacks it, is counted."""
    reads = [[(1.0, 1.1, 0, 1, 1)], [(1.5, 1.6, 0, 0, 0)]]
    assert judged(reads, typed(0.0), 2.0)["missed_writes"] == 1
