"""What a server remembers of requests that come and go, and for which calls."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import parts
import pytest
from gate import google_error, response

from queued_gspread.broker import StaleEpochError
from queued_gspread.server.policy.request import Exchange, Failure, Recalled, Response
from queued_gspread.server.policy.verdict import Verdict, VerdictKind
from queued_gspread.server.sending.kept_answer import KeptAnswer
from queued_gspread.server.sending.outgoing import Cause, SendResult
from queued_gspread.server.sending.remembering import Remembering
from queued_gspread.server.tally import Tally

LIMIT = 1_000_000
FINAL = VerdictKind.FINAL
NOT_FINAL = [kind for kind in VerdictKind if kind is not FINAL]
A1, B1 = parts.get("A1"), parts.get("B1")


@pytest.fixture
def remembering(clock):
    """Return what a server remembers by whose calls some answers of some age were taken."""
    clock.now = 1000
    made = Remembering(LIMIT, earlier=20.0, clock=clock)
    made.begin(follows=False)
    recalled(made, call())
    return made


def call(request=A1, max_age=5.0, **more):
    """Return a call that needs a request next."""
    entry = SimpleNamespace(lane="lane", spreadsheet="lane")
    has = {"entry": entry, "promise": None, "may_have_written": False, "tally": Tally()}
    return SimpleNamespace(job=SimpleNamespace(max_age=max_age), request=request, **has | more)


def recalled(remembering, *calls):
    """Return which of the calls are answered from memory, with what."""
    found = remembering.recalled(calls, lambda: None)
    return [(calls.index(one), exchange.outcome.value.json()) for one, exchange in found]


def goes(remembering, *calls, kind=FINAL, cause=None, outcomes=None):
    """Send the calls' request, and have it end in some way."""
    outgoing = SimpleNamespace(calls=[*calls])
    sent = remembering.leaves(outgoing)
    lands(remembering, outgoing, sent, kind, cause, outcomes)


def lands(remembering, outgoing, sent, kind=FINAL, cause=None, outcomes=None):
    outcomes = outcomes or [
        Response(response({"of": one.request.endpoint})) for one in outgoing.calls
    ]
    pairs = zip(outgoing.calls, outcomes, strict=True)
    exchanges = [Exchange(one.request, outcome) for one, outcome in pairs]
    remembering.landed(outgoing, SendResult(exchanges, Verdict(kind), cause), sent)


def of(request):
    return {"of": request.endpoint}


def test_each_call_of_a_merged_read_is_remembered(remembering):
    """The answers of a merged read are remembered one by one, and given one by one."""
    goes(remembering, call(A1), call(B1), call(A1))
    assert recalled(remembering, call(B1), call(parts.get("C1")), call(A1)) == [
        (0, of(B1)),
        (2, of(A1)),
    ]


def test_no_answer_is_two_callers(remembering):
    """Whatever a caller does to its answer, the next one's is as Google's was."""
    answer = response({"of": ["A1"]})
    answer.headers["ETag"], answer.headers["Set-Cookie"] = "e", "secret"
    answer.url, answer.elapsed = "https://x/", timedelta(seconds=2)
    goes(remembering, call(), outcomes=[Response(answer)])
    answer.headers["ETag"], answer._content = "other", b"{}"
    first, second = [remembering.recalled([call()], lambda: None)[0][1].outcome.value for _ in "ab"]
    first.json()["of"].append("more")
    first.headers["ETag"], first.url, first._content = "x", "x", b"x"
    first.request = "mine"
    assert (second.json(), second.headers["ETag"], second.request) == ({"of": ["A1"]}, "e", None)
    assert (second.status_code, second.url, second.elapsed) == (
        200,
        "https://x/",
        timedelta(seconds=2),
    )
    assert "Set-Cookie" not in second.headers


@pytest.mark.parametrize(
    "other",
    [
        {"max_age": 0.0},
        {"may_have_written": True},
        {"promise": object()},
        {"entry": SimpleNamespace(lane="lane!L1", spreadsheet="lane")},
        {"request": B1},
        {"request": parts.update("A1")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_who_is_not_answered_from_memory(remembering, other):
    """Who wants it fresh, has written, has a key or a lock, or asks something else, asks Google."""
    goes(remembering, call())
    assert recalled(remembering, call(), call(**other)) == [(0, of(A1))]


@pytest.mark.parametrize(
    "outcome",
    [
        Failure(google_error(404)),
        Response(response({}, 500)),
        Response("no answer"),
        Response(None),
    ],
)
def test_errors_are_not_remembered(remembering, outcome):
    """Nor is what is no answer of Google's, such as a test double's."""
    goes(remembering, call(), outcomes=[outcome])
    assert recalled(remembering, call()) == []


@pytest.mark.parametrize(
    ("kind", "cause"), [*((kind, None) for kind in NOT_FINAL), (FINAL, Cause.REFUSED)]
)
def test_only_final_answers_are_remembered(remembering, kind, cause):
    """What is sent again, or goes on in pieces, has no answer yet."""
    goes(remembering, call(), kind=kind, cause=cause)
    assert recalled(remembering, call()) == []


def test_a_fresh_answer_takes_the_place_of_an_older_one(remembering, clock):
    """After a caller has read afresh, nobody is given what was there before."""
    goes(remembering, call())
    clock.now += 1
    goes(remembering, call(max_age=0.0), outcomes=[Response(response({"of": "now"}))])
    assert recalled(remembering, call()) == [(0, {"of": "now"})]


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (Failure(google_error(400)), [(0, of(B1))]),
        (Failure(google_error(403)), []),
        (Failure(google_error(404)), []),
        (Failure(TimeoutError()), [(0, of(B1))]),
    ],
)
@pytest.mark.parametrize("max_age", [0.0, 5.0])
def test_an_error_leaves_nothing_that_is_older(remembering, outcome, left, max_age):
    """After Google has refused a read nobody gets its old answer; if access is gone, no other."""
    goes(remembering, call(), call(B1))
    goes(remembering, call(max_age=max_age), outcomes=[outcome])
    assert recalled(remembering, call(B1), call()) == left


def test_a_spreadsheet_that_is_denied_for_another_read(remembering):
    """What was remembered is not given after it was refused, whichever range was asked for."""
    goes(remembering, call())
    goes(remembering, call(B1, max_age=0.0), outcomes=[Failure(google_error(403))])
    assert recalled(remembering, call()) == []


def test_a_fresh_read_that_leaves_with_one_that_need_not_be(remembering):
    """Where both ask the same, the answer is remembered, whichever is the first."""
    goes(remembering, call(max_age=0.0), call())
    assert recalled(remembering, call()) == [(0, of(A1))]


def test_what_nobody_asks_for_takes_no_memory(remembering):
    """Answers to calls that want fresh ones are not kept, unless in place of another."""
    goes(remembering, call(max_age=0.0))
    assert remembering.at_work.answers == 0


@pytest.mark.parametrize("kind", VerdictKind)
def test_a_write_is_noted_before_it_goes_and_when_it_has_landed(remembering, kind):
    """Whatever came of it, no read that was in the air at either moment is remembered."""
    goes(remembering, call())
    early = SimpleNamespace(calls=[call(B1)])
    at_first = remembering.leaves(early)
    write = SimpleNamespace(calls=[call(parts.update("A1"))])
    remembering.leaves(write)
    assert recalled(remembering, call()) == []
    later = SimpleNamespace(calls=[call()])
    meanwhile = remembering.leaves(later)
    lands(remembering, early, at_first)
    lands(remembering, write, None, kind)
    lands(remembering, later, meanwhile)
    assert recalled(remembering, call(), call(B1)) == []


@pytest.mark.parametrize(("may_land", "seconds"), [(0.0, 300.0), (30.0, 30.0)])
@pytest.mark.parametrize("is_used", [False, True])
def test_a_write_of_unknown_outcome_may_still_land(clock, may_land, seconds, is_used):
    """Until the guard's time, or five minutes, are over, nothing that is read is remembered."""
    remembering = Remembering(LIMIT, may_land, clock=clock)
    remembering.begin(follows=False)
    if is_used:
        recalled(remembering, call())
    goes(remembering, call(parts.update("A1")), kind=VerdictKind.UNKNOWN)
    recalled(remembering, call())
    clock.now = seconds - 0.1
    goes(remembering, call())
    assert recalled(remembering, call()) == []
    clock.now = seconds
    goes(remembering, call())
    assert recalled(remembering, call()) == [(0, of(A1))]


def test_a_write_that_went_out_before_anybody_asked(clock):
    """The first read that may be old is not remembered if a write was in the air beside it."""
    remembering = Remembering(LIMIT, clock=clock)
    write, read = (SimpleNamespace(calls=[call(one)]) for one in (parts.update("A1"), A1))
    remembering.leaves(write)
    recalled(remembering, call())
    sent = remembering.leaves(read)
    lands(remembering, write, None)
    lands(remembering, read, sent)
    assert recalled(remembering, call()) == []


@pytest.mark.parametrize(
    ("may_land", "earlier", "seconds"),
    [(0.0, 20.0, 300.0), (5.0, 20.0, 20.0), (20.0, 5.0, 20.0), (0.0, 400.0, 400.0)],
)
@pytest.mark.parametrize("again", [False, True])
def test_a_successor_waits_for_what_an_earlier_server_has_sent(
    clock, again, may_land, earlier, seconds
):
    """A later epoch begins empty, and remembers once no earlier request may land any more."""
    remembering = Remembering(LIMIT, may_land, earlier, clock)
    remembering.begin(follows=not again)
    if again:
        goes(remembering, call())
        remembering.begin(follows=False)
    recalled(remembering, call())
    clock.now = seconds - 0.1
    goes(remembering, call())
    assert recalled(remembering, call()) == []
    clock.now = seconds
    goes(remembering, call())
    assert recalled(remembering, call()) == [(0, of(A1))]


def test_what_an_epoch_has_sent_is_nothing_to_the_next(remembering, clock):
    """An answer that comes after the epoch has ended is not remembered in the next one."""
    outgoing = SimpleNamespace(calls=[call()])
    sent = remembering.leaves(outgoing)
    clock.now += 100
    remembering.begin(follows=False)
    lands(remembering, outgoing, sent)
    assert recalled(remembering, call()) == []


def test_who_may_not_be_alone_says_nothing(remembering):
    """A server that may have lost its lease gives no answer: another one may have written."""

    def refuse():
        raise StaleEpochError

    goes(remembering, call())
    with pytest.raises(StaleEpochError):
        remembering.recalled([call()], refuse)
    assert remembering.recalled([call(max_age=0.0)], refuse) == []


def test_answers_that_wait_get_too_old(remembering, clock):
    """What waits for memory to be read in is dropped if it is too old by then, and asked for."""
    goes(remembering, call(), call(B1))
    results = remembering.recalled([call(), call(B1, max_age=9.0)], lambda: None)
    results.append((call(), Exchange(A1, Response(None))))
    clock.now += 6
    remembering.drop_old(results)
    assert [type(exchange) for _, exchange in results] == [Recalled, Exchange]
    assert results[0][1].request is B1


@pytest.mark.parametrize(("size", "count"), [(10, 32), (60_000, 9)])
def test_few_are_answered_at_a_time(remembering, size, count):
    """The first of many waits neither for hundreds nor for very large ones."""
    goes(remembering, call(), outcomes=[Response(response({"of": "x" * size}))])
    assert len(remembering.recalled([call() for _ in range(100)], lambda: None)) == count


def test_what_was_asked_for_is_counted_once_for_each_call(remembering):
    """A call counts as missed when its request was answered by Google, not for each attempt."""
    calls = call(), call(B1), call(max_age=0.0)
    goes(remembering, *calls, kind=VerdictKind.UNKNOWN)
    goes(remembering, *calls)
    assert [one.tally.missed for one in calls] == [1, 1, 0]


def test_the_size_of_an_answer_has_all_that_is_kept():
    """Body, headers and URL count, and what the objects around them take."""
    small, large = response({}), response({"x": "y" * 1000})
    large.headers["Name"] = "v" * 500
    sizes = [KeptAnswer.of(each).size for each in (small, large)]
    assert sizes[1] - sizes[0] > 1500
    assert sizes[0] > 1000
