"""Pipelines are invisible: results, errors, properties and cells are those of a plain loop."""

from __future__ import annotations

import pytest

from queued_gspread.proxy import call, pipelining, reordering, result_kinds
from tests.parity.sides import both
from tests.programs.pipelines.__main__ import main
from tests.programs.pipelines.histories import differences

HISTORIES = 40


@pytest.fixture(scope="module")
def sides(redis_url):
    """Return plain gspread's emulator and the queue's, in the same state."""
    with both("pipelines", redis_url) as two:
        yield two


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_history_ends_as_in_a_plain_loop(sides, seed):
    """Whatever is called, touched and submitted, a pipeline leaves what a plain loop leaves.

    ``python -m tests.programs.pipelines --histories 2000`` looks at more.
    """
    assert differences(seed, sides) == []


def test_the_program_tells_what_it_looked_at(capsys):
    """The program says how many histories it made, and that none differs."""
    assert main(["--histories", "2", "--seed", "7"]) == 0
    assert "2 histories, 0 differ" in capsys.readouterr().out


FAULTS = {
    "counts are read before they are there": (call, "reads_counts", lambda *_: False),
    "changes are not waited for": (pipelining.Pipeline, "settle", lambda *_, **__: None),
    "failures are forgotten": (pipelining, "raise_failures", lambda _: None),
    "changes are not known": (call, "changes_properties", lambda *_: False),
    "a read passes a write of its cell": (
        reordering,
        "arranged",
        lambda held: sorted(held, key=lambda each: each.cell[1]),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(sides, fault, monkeypatch):
    """The comparison finds each way in which a pipeline could be told from a loop."""
    monkeypatch.setattr(*FAULTS[fault])
    assert any(_differs(seed, sides) for seed in range(1000))


def _differs(seed, sides):
    try:
        return bool(differences(seed, sides))
    except AssertionError:
        return True  # what the end of a block raised is not what failed


def test_what_changes_properties_is_known_by_gspreads_code():
    """Each method whose code names them is known, by way of others too; what reads is not."""
    kind = result_kinds.WORKSHEET
    for name in ("append_row", "add_rows", "delete_rows", "update_title", "hide", "freeze"):
        assert result_kinds.changes_properties(kind, name)
    for name in ("acell", "update_acell", "get_all_values", "format"):
        assert not result_kinds.changes_properties(kind, name)
    assert result_kinds.reads_counts(kind, "range")
    assert not result_kinds.reads_counts(kind, "append_row")
