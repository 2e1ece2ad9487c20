"""What a refusal costs calls that left together: no more than a tenth over what they cost alone."""

from __future__ import annotations

from random import Random

import parts
import pytest
from calls import WORKSHEET
from gate import response
from gspread.exceptions import APIError

from queued_gspread.broker import Entry
from queued_gspread.job import Job
from queued_gspread.server import merge
from queued_gspread.server.flight import Flight, Pieces
from queued_gspread.server.request import Exchange, Failure, Response
from queued_gspread.server.underway import Call
from queued_gspread.server.verdict import judge

JOB = Job("worksheet", "update", WORKSHEET)
KINDS = {
    "get": lambda n: parts.get(f"A{n + 1}"),
    "update": lambda n: parts.update(f"S!A{n + 1}"),
    "clear": lambda n: parts.clear(f"A{n + 1}"),
    "append": lambda n: parts.append([f"v{n}"]),
    "batch": lambda n: parts.batch({"addSheet": {"properties": {"title": f"S{n}"}}}),
}
COUNTS = [2, 3, 10, 19, 20, 21, 40, 64]


def call(request):
    made = Call(Entry("lane", "1-1", "id", b"", "", 1, 0.0), JOB)
    made.needs(request)
    return made


def patterns(count):
    """Yield sets of calls that Google refuses, each with its name."""
    yield "none", set()
    yield "all", set(range(count))
    yield "alternating", set(range(0, count, 2))
    for place in {0, count // 3, count // 2, count - 1}:
        yield f"one at {place}", {place}
        yield f"all but {place}", set(range(count)) - {place}
    for seed in range(8):
        random = Random(seed)
        share = random.random() ** 3
        yield f"seed {seed}", {place for place in range(count) if random.random() < share}


def refusal(places, how):
    """Return Google's refusal of a request with bad items at those places of it."""
    names = {"names it": f"Invalid requests[{places[0]}].x", "names none": "no", "lies": "data[0]"}
    error = {"code": 400, "message": names[how], "status": "INVALID_ARGUMENT"}
    return Failure(APIError(response({"error": error}, 400)))


def answer(flight):
    """Return what Google answers to a flight that it takes."""
    count = len(flight.calls)
    cells = {"updatedRange": f"Rows!A1:A{count}" if count > 1 else "Rows!A1"}
    lists = ("valueRanges", "responses", "clearedRanges", "replies")
    return Response(response({**{name: [{}] * count for name in lists}, "updates": cells}))


def made(kind, count, bad, how):
    """Send calls, bad ones among them; return how many requests that took, and who was refused."""
    calls = [call(KINDS[kind](number)) for number in range(count)]
    number_of = {one: number for number, one in enumerate(calls)}
    left, requests, refused, done = Pieces(Flight(calls)), 0, set(), []
    while left:
        flight, requests = left.take(), requests + 1
        own = [number_of[each] for each in flight.calls]
        wrong = [place for place, number in enumerate(own) if number in bad]
        outcome = refusal(wrong, how) if wrong else answer(flight)
        landing = flight.land(Exchange(flight.request, outcome), judge(outcome))
        left.sent(flight, landing.pieces)
        if not landing.pieces:
            done += own
            refused |= set(own) if wrong else set()
    assert done == list(range(count))
    return requests, refused


@pytest.mark.parametrize("how", ["names it", "names none", "lies"])
@pytest.mark.parametrize("kind", KINDS)
def test_refusals_cost_a_tenth_at_most(kind, how):
    """However many of them are bad: a tenth more requests than calls, or two, each with its own."""
    for count in COUNTS:
        for name, bad in patterns(count):
            requests, refused = made(kind, count, bad, how)
            assert refused == bad, (count, name)
            assert requests <= count + max(2, count // 10), (count, name)
            if not bad:
                assert requests == 1


@pytest.mark.parametrize("count", [10, 30, 64, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_call_of_many_costs_a_few_requests(kind, count):
    """Where one is bad, it is found by its name, or in as many steps as halving takes."""
    for place in (0, 1, count // 3, count // 2, count - 1):
        assert made(kind, count, {place}, "names it")[0] <= 4
        if count >= 64:
            assert made(kind, count, {place}, "names none")[0] <= 2 * count.bit_length() + 8


def test_the_requests_of_these_tests_can_leave_together():
    """What these tests send is what merging makes one request of."""
    for make in KINDS.values():
        assert merge.merge(parts.parts_of(make(0), make(1))).method in ("get", "post")
