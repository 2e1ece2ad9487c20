"""Answers to reads are found while they are young enough and nothing may have changed them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial

import pytest

from queued_gspread.server.sending import read_cache
from queued_gspread.server.sending.read_cache import ReadCache, Sent

LIMIT = 800


@dataclass(frozen=True)
class Text:
    """An answer: what it says, when it was sent, and its size."""

    value: int = 0
    at: float = 0.0
    size: int = 10


@pytest.fixture
def cache(clock):
    return ReadCache(LIMIT, clock)


def put(cache, book="a", request=b"r", **answer):
    """Keep an answer to a read that is sent now; return whether it is kept."""
    return cache.keep(book, request, Text(**answer), cache.sent())


def has(cache, book="a", request=b"r", max_age=10.0):
    return cache.find(book, request, max_age) is not None


def test_an_answer_is_found_until_it_is_too_old(cache, clock):
    """Age counts from the moment at which the request was sent, to the very end."""
    sent = cache.sent()
    clock.now = 1
    assert cache.keep("a", b"r", Text(), sent)
    clock.now = 5
    assert cache.find("a", b"r", 5.0).until == 5.0
    clock.now = 5.1
    assert not has(cache, max_age=5.0)
    assert has(cache, max_age=5.2)


def test_requests_and_spreadsheets_are_kept_apart(cache):
    """An answer is that of one request to one spreadsheet."""
    put(cache)
    assert not has(cache, "b")
    assert not has(cache, request=b"s")


@pytest.mark.parametrize("books", [["a"], ["b", "a"], None])
def test_what_may_have_changed_is_forgotten(cache, books):
    """After a write to a spreadsheet, or to any, its answers are not there."""
    put(cache)
    cache.forget(books)
    assert not has(cache)
    assert cache.at_work.bytes == cache.at_work.answers == 0
    assert put(cache)


def test_others_are_not_forgotten(cache):
    """What is written to one spreadsheet leaves the answers of others, and of those in the air."""
    put(cache)
    sent = cache.sent()
    cache.forget(["b"])
    assert has(cache)
    assert cache.keep("a", b"s", Text(), sent)


@pytest.mark.parametrize("books", [["a"], None])
def test_what_was_in_the_air_at_a_write_is_not_kept(cache, books):
    """An answer to a read that was sent before the write may show the state before it."""
    sent = cache.sent()
    cache.forget(books)
    assert not cache.keep("a", b"r", Text(), sent)


def test_an_answer_that_was_overtaken_is_not_kept(cache, clock):
    """Of two answers to the same request, the one that was sent later stays."""
    early = cache.sent()
    clock.now = 1
    put(cache, value=2)
    assert not cache.keep("a", b"r", Text(1), early)
    assert cache.find("a", b"r", 9.0).answer.value == 2


@pytest.mark.parametrize("books", [["a"], None])
def test_while_a_write_may_land_nothing_is_kept(cache, clock, books):
    """Only what is sent after that time is kept, even if other writes have come since."""
    cache.forget(books, until=7.0)
    clock.now = 6.9
    sent = cache.sent()
    cache.forget(["a"])
    assert not put(cache)
    clock.now = 7.0
    assert not cache.keep("a", b"r", Text(), sent)
    assert put(cache)


def test_the_least_recently_used_goes_first(cache):
    """The bound holds, and what was looked up or kept last stays."""
    for place in range(8):
        put(cache, request=bytes([place]), size=100)
    assert has(cache, request=b"\0")
    put(cache, request=b"\x08", size=100)
    assert [has(cache, request=bytes([place])) for place in range(9)] == [True, False, *[True] * 7]
    assert cache.at_work.bytes == LIMIT


def test_one_answer_does_not_push_out_all_others(cache):
    """One that is larger than an eighth of the bound is not kept, nor is what it would replace."""
    put(cache, request=b"s")
    assert put(cache, size=100)
    assert not put(cache, size=101)
    assert not has(cache)
    assert has(cache, request=b"s")


def test_a_limit_of_none_keeps_nothing(clock):
    """With 0 bytes every read is asked for."""
    assert not put(ReadCache(0, clock))


def test_it_does_not_grow_with_the_spreadsheets_that_are_written(cache, monkeypatch):
    """Where it is not known any more when a spreadsheet changed, it may have been just now."""
    monkeypatch.setattr(read_cache, "_MOST_BOOKS", 2)
    put(cache)
    sent = cache.sent()
    for book in ("b", "c", "d"):
        cache.forget([book], until=3.0 if book == "b" else 0.0)
    assert len(cache._changes) == 2
    assert not cache.keep("e", b"r", Text(), sent)
    assert not put(cache, "e")


# Drawn histories ---------------------------------------------------------------------------------


class Careless(ReadCache):
    """Keeps whatever is answered."""

    def keep(self, book, request, answer, sent):
        return super().keep(book, request, answer, Sent(sent.at, self._number))


class Forgetful(ReadCache):
    """Does not know of writes that may still land."""

    def forget(self, books, until=0.0):
        super().forget(books)


class World:
    """Two spreadsheets, each with a number, and the requests to them that are in the air."""

    def __init__(self, cache_of, seed):
        self.drawn, self.now = random.Random(seed), 0.0
        self.cache = cache_of(clock=lambda: self.now)
        # What is in each; and the latest that any caller knows to be there.
        self.true, self.known = {"a": 0, "b": 0}, {"a": 0, "b": 0}
        self.reads, self.writes, self.late = [], [], []

    def step(self, number):
        """Let something happen; return whether what is found then must not be."""
        self.now += self.drawn.choice([0, 0.1, 1])
        for at, book, value in self.late:
            if at <= self.now:
                self.land(book, value)
        self.late = [each for each in self.late if each[0] > self.now]
        moves = [self.send, self.write]
        moves += [self.take, self.answer] * bool(self.reads) + [self.apply, self.end] * bool(
            self.writes
        )
        self.drawn.choice(moves)(self.drawn.choice("ab"), number)
        return self.finds_wrong(self.drawn.choice("ab"))

    def finds_wrong(self, book):
        found = self.cache.find(book, self.drawn.choice([b"r", b"s"]), 5.0)
        is_old = found is not None and self.now - found.answer.at > 5.0
        is_wrong = found is not None and found.answer.value < self.known[book]
        return is_old or is_wrong or self.cache.at_work.bytes > LIMIT

    def land(self, book, value):
        """Have a write in the spreadsheet, and known to callers."""
        self.true[book] = max(self.true[book], value)
        self.known[book] = max(self.known[book], value)

    def send(self, book, _):
        self.reads.append([book, self.drawn.choice([b"r", b"s"]), self.cache.sent(), None])

    def take(self, *_):
        read = self.drawn.choice(self.reads)
        read[3] = self.true[read[0]]

    def answer(self, *_):
        book, request, sent, value = self.reads.pop(self.drawn.randrange(len(self.reads)))
        value = self.true[book] if value is None else value
        self.cache.keep(book, request, Text(value, sent.at, self.drawn.choice([10, 99])), sent)

    def write(self, book, number):
        self.cache.forget([book])
        self.writes.append((book, number))

    def apply(self, *_):
        book, value = self.drawn.choice(self.writes)
        self.true[book] = max(self.true[book], value)

    def end(self, *_):
        """Have a write land, or end with an unknown outcome and perhaps land later."""
        book, value = self.writes.pop(self.drawn.randrange(len(self.writes)))
        if self.drawn.random() < 0.3:
            self.late.append((self.now + self.drawn.choice([0.5, 3]), book, value))
            self.cache.forget([book], self.now + 3)
        else:
            self.land(book, value)
            self.cache.forget(self.drawn.choice([[book], None]))


def play(cache_of, seed, steps=60):
    """Play a drawn history; return the steps after which something wrong was found."""
    world = World(cache_of, seed)
    return [number for number in range(1, steps) if world.step(number)]


@pytest.mark.parametrize("seeds", [range(1000), range(1000, 2000)])
def test_nothing_old_is_ever_found(seeds):
    """In drawn histories no answer is too old or misses what had landed, and the bound holds."""
    assert not [seed for seed in seeds if play(partial(ReadCache, LIMIT), seed)]


@pytest.mark.parametrize("faulty", [Careless, Forgetful])
def test_the_histories_find_a_fault(faulty):
    """A cache that keeps what was in the air, or does not wait for late writes, is found out."""
    assert any(play(partial(faulty, LIMIT), seed) for seed in range(200))
