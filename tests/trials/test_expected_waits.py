"""The program that holds waits for the quota against what was said of them."""

from __future__ import annotations

from tests.programs.measure.expected_waits import Wait, measure, row


def wait(number, at_most):
    """Return a call that was put in at the moment 100."""
    why = "paused" if at_most is None else ""
    return Wait(number, at_most, why, 100.0, "write", "book", has_lane=True)


def test_a_wait_that_was_longer_is_told():
    """A wait beyond what was said at most, and what the machine takes, is counted and shown."""
    waits = [wait(1, 10.0), wait(2, 10.0), wait(3, None)]
    lines, is_kept = row("alone", waits, {1: 110.4, 2: 109.0, 3: 500.0})
    assert (is_kept, len(lines)) == (True, 1)
    lines, is_kept = row("alone", waits, {1: 110.7, 2: 109.0, 3: 500.0})
    assert not is_kept
    assert lines[1].startswith("  over: 10.70 s, at most 10.00 s")


def test_calls_are_made_and_held_against_what_was_said():
    """All calls of a small run reach the emulator, and something was expected of nearly all."""
    waits, sent = measure(30, "alone", limit=20, window=0.5)
    assert {each.number for each in waits} <= sent.keys()
    assert sum(each.at_most is not None for each in waits) > 15
    lines, _ = row("alone", waits, sent)
    assert lines[0].startswith("alone         30")
