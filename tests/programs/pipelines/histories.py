"""A history made both ways, and what is not the same."""

from __future__ import annotations

import random

from queued_gspread.errors import PipelineError
from queued_gspread.proxy.pipelining import Pipeline
from queued_gspread.proxy.reordering import ReorderingPipeline
from tests.parity.compare import neutral
from tests.parity.two_ways import plain

from .calls import drawn

__all__ = ["differences", "in_a_loop", "in_pipelines"]


def differences(seed, sides):
    """Make the history of a seed both ways; return what differs, as lines."""
    steps, chance = drawn(random.Random(seed)), random.Random(seed + 1)
    for side in sides:
        side.begin()
    first, second = in_a_loop(steps, sides[0]), in_pipelines(steps, sides[1], chance)
    found = [
        f"{number} {step.name}\n   loop     {one!r:.300}\n   pipeline {other!r:.300}"
        for number, (step, one, other) in enumerate(zip(steps, first, second, strict=True))
        if one != other
    ]
    for name in ("sh", "ws", "tail"):
        one, other = (plain(getattr(side, name)._properties) for side in sides)
        if one != other:
            found.append(f"{name}._properties\n   loop     {one}\n   pipeline {other}")
    one, other = map(_held, sides)
    if one != other:
        found.append("what the emulators hold")
    return found


def _held(side):
    """Return what an emulator holds, but for Drive's count of the requests that changed it."""
    return [{**file, "version": 0} for file in side.state[0]]


def in_a_loop(steps, side):
    """Make the steps one after the other; return what came of each."""
    results, outcomes = [], []
    for step in steps:
        outcome = _outcome(lambda step=step: step.do(side, results))
        results.append(_given(outcome))
        outcomes.append(outcome)
    # At the end, as a worksheet shows the title that its spreadsheet has by then.
    return [_shown(outcome) for outcome in outcomes]


class _Notes:
    """A pipeline that keeps its calls."""

    def __init__(self, limit):
        super().__init__(limit)
        self.made = []

    def new_call(self, *args, **kwargs):
        self.made.append(super().new_call(*args, **kwargs))
        return self.made[-1]


class Noting(_Notes, Pipeline):
    """One that makes them in their order."""


class Reordering(_Notes, ReorderingPipeline):
    """One that may make those on single cells in another."""


def in_pipelines(steps, side, chance):
    """Make the steps in blocks of drawn lengths; return what came of each."""
    results, outcomes, left = [], [], list(steps)
    while left:
        size, kind = chance.choice([1, 2, 5, 40]), chance.choice([Noting, Reordering])
        part, left = left[:size], left[size:]
        found = _block(part, side, chance, results, kind(chance.choice([1, 3, 1000])))
        outcomes += map(_settled, found)
    return [_shown(outcome) for outcome in outcomes]


def _block(steps, side, chance, results, calls):
    """Make steps in one pipeline; return what came of each, which may still be lazy."""
    found, raised = [], []
    try:
        with calls:
            for step in steps:
                found.append(_made(step, side, chance, results, calls))
                results.append(_given(found[-1]))
    except PipelineError as error:
        raised = [failed for _, failed in error.errors]
    except Exception as error:  # noqa: BLE001 - what one call raised, at the end of the block
        raised = [error]
    untold = [call.error for call in calls.made if call.error is not None and not call.is_seen]
    assert sorted(map(id, raised)) == sorted(map(id, untold)), (raised, untold)
    return found


def _made(step, side, chance, results, calls):
    way, before = chance.random(), len(calls.made)
    if way < 0.1 and step.method is not None:
        return "future", calls.submit(*step.method(side)), None
    outcome = _outcome(lambda: step.do(side, results))
    if outcome[1] is None and len(calls.made) == before + 1:
        # Nobody can touch what is nothing: the call itself has its error.
        outcome = "call", calls.made[-1], None
    return _settled(outcome) if way < 0.2 else outcome


def _given(outcome):
    """Return what a later step that uses the result is given."""
    return outcome[2] or outcome[1]


def _settled(outcome):
    """Return an outcome whose result is there."""
    kind, value, _ = outcome
    if kind == "future":
        return _outcome(value.result)
    if kind == "call":
        return _outcome(value.value)
    if kind == "result":
        touched = _outcome(lambda: plain(value))
        return outcome if touched[0] == "result" else touched
    return outcome


def _outcome(do):
    try:
        return "result", do(), None
    except Exception as error:  # noqa: BLE001 - what it is is compared
        return "error", None, error


def _shown(outcome):
    kind, value, error = outcome
    # An answer that came later is a dict like any other.
    value = dict(value) if isinstance(value, dict) else value
    return kind, neutral(plain(error if kind == "error" else value))
