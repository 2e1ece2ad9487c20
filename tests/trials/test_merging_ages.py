"""Answers from memory are those that Google would give, and as young as the calls demand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from queued_gspread.server.sending import remembering
from queued_gspread.server.sending.read_cache import ReadCache, Sent
from tests.programs.merging import ages, aging, lanes
from tests.programs.merging.books import Block, Book, Page
from tests.programs.merging.calls import Call
from tests.programs.merging.equivalence import Tally, check
from tests.programs.merging.histories import History
from tests.programs.merging.lane import run

BOOK = Book((Page("Sheet1", 9, 5, (Block(0, 0, (("a", "b"), ("c", "d"))),)),))
READ = Call("worksheet", "get", ("A1:B9",), max_age=3.0)
WRITES = (
    Call("worksheet", "update", ([["new"]], "A1")),
    Call("worksheet", "append_row", (["e", "f"],)),
    Call("worksheet", "batch_clear", (["A1"],)),
    Call("worksheet", "sort", ((1, "des"),)),
    Call("worksheet", "insert_row", (["i"], 1)),
    Call("spreadsheet", "values_clear", ("A1",)),
)

_settings = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def one_by_one(*calls, pauses=(0.0,)):
    return History(BOOK, calls, (1,), pauses=pauses)


TALLY, TYPED = Tally(), Tally()


@_settings
@given(ages.histories())
def test_memory_is_invisible_while_only_the_queue_writes(history):
    """Results, errors, warnings and cells are those of the same calls that all ask Google.

    ``python -m tests.programs.merging --max-age --histories 5000`` looks at more.
    """
    check(history, TALLY)


@_settings
@given(lanes.histories())
def test_memory_is_invisible_where_calls_change_another_spreadsheet(steps):
    """Who reads a spreadsheet sees what calls to another one have changed in it, or deleted."""
    lanes.check(steps)


@pytest.mark.parametrize("method", ["copy_to", "del_spreadsheet"])
def test_the_comparison_finds_a_write_that_reaches_further_than_its_path(method, monkeypatch):
    """Where a write is taken to change no more than its own spreadsheet, the histories tell."""
    (write,) = [each for each in lanes.WRITES if each.method == method and lanes.OTHER in each.args]
    read = lanes.Step(Call("spreadsheet", "worksheets"), 1)
    steps = (read, read, lanes.Step(write, 0), read)
    lanes.check(steps, tally := Tally())
    assert tally.requests == tally.unmerged_requests - 1
    monkeypatch.setattr(remembering, "may_change", lambda request: {request.path.split("/")[3]})
    with pytest.raises(AssertionError):
        lanes.check(steps)


@_settings
@given(aging.histories())
def test_no_answer_from_memory_is_older_than_its_call_demands(history):
    """What an answer shows stood there at its moment, less the call's age, or later."""
    aging.check(history, TYPED)


def test_the_histories_come_to_both_sides_of_the_bound():
    """Of the answers that were there in those histories, many were given, and many too old."""
    for tally in (TALLY, TYPED):
        if tally.histories:  # they may have run in another process
            assert tally.recalled > 30
            assert tally.too_old > 10


def test_a_read_is_answered_from_memory_as_long_as_its_age():
    """An answer does as long as its age, that moment included, and no longer."""
    reads = [READ] * 5
    assert run(one_by_one(*reads, pauses=(1.0,)), merges=True).requests == 2
    assert run(one_by_one(*reads, pauses=(3.0,)), merges=True).requests == 3
    assert run(one_by_one(*reads, pauses=(3.1,)), merges=True).requests == 5


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.method)
def test_the_comparison_finds_a_memory_that_misses_a_write(write, monkeypatch):
    """Where the answers before a write are given after it, the histories tell."""
    history = one_by_one(READ, READ, write, READ)
    check(history, tally := Tally())
    assert tally.recalled == 1
    monkeypatch.setattr(ReadCache, "forget", lambda *_: None)
    with pytest.raises(AssertionError):
        check(history)


def test_the_comparison_finds_what_was_in_the_air_and_is_kept(monkeypatch):
    """Where an age begins with the answer, the histories in which somebody types tell."""
    history = replace(one_by_one(*[READ] * 6, pauses=(1.0,)), book=aging.BOOK)
    history = replace(history, calls=tuple(replace(call, args=("A1",)) for call in history.calls))
    aging.check(history, tally := Tally())
    assert tally.recalled
    keep = ReadCache.keep

    def keep_as_if_sent_now(self, book, request, answer, sent):
        return keep(self, book, request, answer, Sent(self._clock(), sent.number))

    monkeypatch.setattr(ReadCache, "keep", keep_as_if_sent_now)
    with pytest.raises(AssertionError):
        aging.check(history)


def test_a_call_that_must_ask_is_not_kept_waiting_by_those_that_need_not():
    """A read that must be fresh has its turn, however many come that memory answers."""
    fresh = Call("worksheet", "get", ("B1",))
    known = replace(READ, max_age=60.0)
    history = replace(one_by_one(known, fresh, *[known] * 50), arrivals=(1, 2))
    came_to = run(history, merges=True)
    (place,) = [at for at, (place, *_) in enumerate(came_to.ends) if place == 1]
    assert place <= 3
