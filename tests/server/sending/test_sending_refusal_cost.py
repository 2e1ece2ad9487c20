"""What a refusal costs calls that left together: little over what they cost alone."""

from __future__ import annotations

import re
from random import Random

import parts
import pytest
from calls import WORKSHEET
from gate import response
from gspread.exceptions import APIError

from queued_gspread.broker import Entry
from queued_gspread.protocol.messages import Job
from queued_gspread.server import merging
from queued_gspread.server.calls.call import Call
from queued_gspread.server.policy.request import Exchange, Failure, Response
from queued_gspread.server.policy.verdict import judge
from queued_gspread.server.sending.outgoing import OutgoingRequest, Pieces

JOB = Job("worksheet", "update", WORKSHEET)
KINDS = {
    "get": lambda n: parts.get(f"A{n + 1}"),
    "update": lambda n: parts.update(f"S!A{n + 1}"),
    "clear": lambda n: parts.clear(f"A{n + 1}"),
    "append": lambda n: parts.append([f"v{n}"]),
    "batch": lambda n: parts.batch({"addSheet": {"properties": {"title": f"S{n}"}}}),
}
COUNTS = [2, 3, 10, 19, 20, 21, 40, 64]
OF_ALL = "The caller does not have permission"
# Google's own forms.
NAMES = {
    "get": "Unable to parse range: {1}",
    "update": "Invalid data[{0}]: Unable to parse range: data[0]",
    "clear": "Unable to parse range: A{1}",
    "append": "Invalid data[{0}]: no",
    "batch": 'Invalid requests[{0}].addSheet: A sheet with the name "requests[0]" already exists.',
}


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


def refusal(kind, outgoing, places, how):
    """Return Google's refusal of a request with bad items at those places of it."""
    text = "A{}" if kind == "get" else "{}"
    named = NAMES[kind].format(places[0], text.format(number_in(outgoing.calls[places[0]]) + 1))
    lie = NAMES[kind].format(0, text.format(number_in(outgoing.calls[0]) + 1))
    messages = {"names it": named, "names none": f"no, not {lie}", "lies": lie, "of all": OF_ALL}
    error = {"code": 400, "message": messages[how], "status": "INVALID_ARGUMENT"}
    return Failure(APIError(response({"error": error}, 403 if how == "of all" else 400)))


def number_in(call):
    """Return the number of a call whose request is a read of a range or a clearing of one."""
    found = re.search(r"/values/A([0-9]+)", call.request.endpoint)
    return int(found[1]) - 1 if found else 0


def answer(outgoing):
    """Return what Google answers to a request that it takes."""
    count = len(outgoing.calls)
    cells = {"updatedRange": f"Rows!A1:A{count}" if count > 1 else "Rows!A1"}
    lists = ("valueRanges", "responses", "clearedRanges", "replies")
    return Response(response({**{name: [{}] * count for name in lists}, "updates": cells}))


def made(kind, count, bad, how):
    """Send calls, bad ones among them; return how many requests that took, and who was refused."""
    calls = [call(KINDS[kind](number)) for number in range(count)]
    number_of = {one: number for number, one in enumerate(calls)}
    left, requests, refused, done = Pieces(OutgoingRequest(calls)), 0, set(), []
    while left:
        outgoing, requests = left.take(), requests + 1
        own = [number_of[each] for each in outgoing.calls]
        wrong = [place for place, number in enumerate(own) if number in bad]
        outcome = refusal(kind, outgoing, wrong, how) if wrong else answer(outgoing)
        outgoing.result = result = outgoing.land(
            Exchange(outgoing.request, outcome), judge(outcome)
        )
        told = [number_of[each] for each, _ in left.landed(outgoing)]
        if result.cause is None:
            done += own + told
            refused |= set(own + told) if wrong else set()
    assert done == list(range(count))
    return requests, refused


@pytest.mark.parametrize("how", ["names it", "names none", "lies"])
@pytest.mark.parametrize("kind", KINDS)
def test_refusals_cost_little_however_many_are_bad(kind, how):
    """Beside a request for each: as many as halving takes, or a tenth; two where it is named."""
    is_named = how == "names it" and kind != "append"
    for count in COUNTS:
        least = 2 if is_named else count.bit_length() + 2
        for name, bad in patterns(count):
            requests, refused = made(kind, count, bad, how)
            assert refused == bad, (count, name)
            assert requests <= count + max(least, count // 10), (count, name)
            if not bad:
                assert requests == 1


@pytest.mark.parametrize("how", ["names it", "names none", "lies"])
@pytest.mark.parametrize("count", [3, 25, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_call_of_many_costs_a_few_requests(kind, count, how):
    """Where one is bad, it is found by its name, or in as many steps as halving takes."""
    for place in {0, 1, count // 3, count // 2, count - 1}:
        requests, refused = made(kind, count, {place}, how)
        assert refused == {place}
        is_named = how == "names it" and kind != "append"
        assert requests <= (4 if is_named else 2 * count.bit_length() + 3)


@pytest.mark.parametrize("count", [2, 10, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_of_all_is_believed_when_some_alone_are_refused_alike(kind, count):
    """What is true of the whole spreadsheet costs a few requests; of one call, it is that one's."""
    requests, refused = made(kind, count, set(range(count)), "of all")
    assert refused == set(range(count))
    assert requests == 1 + min(count, count.bit_length())
    for place in {0, 1, count // 3, count // 2, count - 1}:
        requests, refused = made(kind, count, {place}, "of all")
        assert refused == {place}
        assert requests <= 3 * count.bit_length() + 3


def test_the_requests_of_these_tests_can_leave_together():
    """What these tests send is what merging makes one request of."""
    for make in KINDS.values():
        assert merging.merge(parts.parts_of(make(0), make(1))).method in ("get", "post")
