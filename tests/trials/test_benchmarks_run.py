"""A small run of every benchmark: that it measures, not how fast anything is."""

from __future__ import annotations

import json

import pytest
import redis
from waiting import PATIENCE

from tests.programs.benchmarks import contenders, round_trip
from tests.programs.benchmarks.__main__ import main
from tests.programs.benchmarks.contenders import ECHOES
from tests.programs.benchmarks.peer import Peer
from tests.programs.benchmarks.place import QUICK, Place
from tests.programs.benchmarks.suite import BENCHMARKS

# The least that each has to tell of: a number above nothing, by the row that it belongs to.
_FIGURES = {
    "round-trip": [("queued", "p50_us"), ("queued_quota", "par16_cps")],
    "added-latency": [("direct", "p50_ms"), ("queued", "script_ms")],
    "large-values": [("update, queued", "server_mib"), ("get_all_values, direct", "time_s")],
    "depth": [("20 waiting", "dispatch_us"), ("0 waiting", "enqueue_us")],
    "width": [("queued, 2 waiting", "rate_cps"), ("queued, 1 waiting", "connections")],
    "start-up": [("queued_gspread", "import_ms"), ("server until its first answer", "answer_ms")],
    "openall": [("direct", "cpu_s"), ("queued", "cpu_s")],
    "pipelines": [("6 append_row", "time_s"), ("60 append_row", "requests")],
    "upserts": [
        ("2 processes, 2 upserts each", "time_s"),
        ("2 processes, 2 upserts each", "requests"),
    ],
    "polling": [
        ("3 processes, max_age 0", "requests"),
        ("3 processes, max_age 0.2 s, one of them writes", "writes"),
    ],
    "accounts": [("1 account, queued", "time_s"), ("5 accounts, queued, --no-fair", "first_s")],
    "fairness": [("A alone, queued", "a_s"), ("B ten at once, queued", "b_p99_ms")],
}


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def place(redis_url, tmp_path):
    return Place(redis_url, tmp_path, QUICK)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_measures_and_compares(name, redis_url, raw, tmp_path, capsys):
    """A benchmark ends with numbers, and a ratio is that of two of them; it leaves no key."""
    file, plots = tmp_path / "table.json", tmp_path / "plots"
    options = ["--json", str(file), "--plots", str(plots), "--redis-url", redis_url]
    assert main(["--quick", "--only", name, *options]) == 0
    told = json.loads(file.read_text())
    figures = {row["name"]: row["figures"] for row in told["rows"]}
    assert [figures[row][figure] > 0 for row, figure in _FIGURES[name]] == [True, True]
    measured = {number for row in figures.values() for number in row.values()}
    for compared in told["comparisons"]:
        assert {compared["measured"], compared["against"]} <= measured
        assert compared["ratio"] == compared["measured"] / compared["against"]
    table = capsys.readouterr().out
    shown = [*figures, *(compared["name"] for compared in told["comparisons"])]
    assert [row for row in shown if f"\n  {row} " not in table] == []
    assert list(plots.glob("*.svg"))
    assert raw.keys("*bench*") == []


def test_one_line_tells_of_one_benchmark(redis_url, capsys):
    """The line for a single benchmark is one JSON object with its name and five numbers."""
    assert main(["--quick", "--json-line", "queued", "--redis-url", redis_url]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert list(told) == ["name", "p50_us", "p95_us", "p99_us", "seq_cps", "par16_cps"]
    assert told.pop("name") == "queued"
    assert min(told.values()) > 0


def test_what_is_not_installed_is_said(monkeypatch, redis_url, capsys):
    """Of a task queue that is not installed, the line for it says what is missing."""
    monkeypatch.setitem(contenders._NEEDS, "huey_echo", ("no_such_queue",))
    assert main(["--json-line", "huey_echo", "--redis-url", redis_url]) == 2
    assert "no_such_queue" in capsys.readouterr().err


def test_the_others_are_measured_without_one_that_is_not_installed(monkeypatch, place):
    """Its row has no figures and says why; nothing is compared with a floor that is missing."""
    for name in ECHOES:
        needed = () if name == "queued" else ("no_such_package",)
        monkeypatch.setitem(contenders._NEEDS, name, needed)
    rows = {row.name: row for row in round_trip.run(place)}
    assert [name for name, row in rows.items() if row.figures] == ["queued"]
    assert "no_such_package not installed" in rows["floor"].note
    assert list(rows) == list(ECHOES)


def test_a_server_does_not_outlive_the_suite(place):
    """A process that serves ends when the suite that started it is gone, killed or not."""
    where = {"redis_url": place.redis_url, "namespace": place.namespace()}
    server = Peer("answerer", {"contender": "floor", **where}).until_ready()
    server._process.stdin.close()
    assert server._process.wait(PATIENCE) == 1
    server.end()
