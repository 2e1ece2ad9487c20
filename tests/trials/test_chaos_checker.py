"""The checker finds every violation that it knows, and none where all is as it should be."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fates import PROMISES, told
from gspread.exceptions import APIError
from masters import CUT, FAILOVER

from queued_gspread.broker import FORMAT, KINDS, FailedCall
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.withdrawal import meaning
from queued_gspread.emulator import Emulator, Served
from queued_gspread.errors import CallTimeoutError
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.server.calls.outcome import late
from tests.programs.chaos import checker
from tests.programs.chaos.checker import Book, Evidence, is_foretold, violations
from tests.programs.chaos.classes import FORGETS
from tests.programs.chaos.failovers import SENTINELS, failovers_of
from tests.programs.chaos.history import LEFT, Call, Journal, as_it_ended, read_history
from tests.programs.chaos.lending import Lending
from tests.programs.chaos.places import TOTAL, TOTALS
from tests.programs.chaos.plan import plan_of
from tests.programs.chaos.poison import BROKEN, FORBIDDEN, MARK, NUMBER, PLACE, ROW, SILENT, Poison
from tests.programs.chaos.remains import keys_of, totals_of
from tests.programs.chaos.report import by_blow, causes_of
from tests.programs.chaos.world import Run

UNKNOWN = {"outcome": "OutcomeUnknownError"}
WITHDRAWN = {"outcome": "CallTimeoutError", "told": "… was not started and will not be made"}
STARTED = {"outcome": "CallTimeoutError", "told": "… and may have been made: look before …"}
REFUSED = {"outcome": "APIError", "status": 429}
NO_REDIS = {"outcome": "BrokerUnavailableError"}
PERHAPS_NO_REDIS = {**NO_REDIS, "may_have_run": True}


def call(what, value="", at=0.0, *, client="a", outcome="ok", number=None, **rest):
    """Return a call that began at a time, and ended half a second later."""
    return Call(client, number or int(at), what, "B", value, at, at + 0.5, outcome, **rest)


def after(calls, *, copies=(), **book):
    """Return what a run with these calls has left."""
    return Evidence(calls=list(calls), books={"B": Book(**book)}, copies=list(copies))


def rules(evidence):
    return sorted({violation.rule for violation in violations(evidence)})


GOOD = after(
    [
        call("append", "a1", 1),
        call("append", "a2", 2, **UNKNOWN),
        call("append", "a3", 3, **WITHDRAWN),
        call("append", "b1", 3.1, client="b"),
        call("rows", "", 4, client="b", result=["a1", "b1"]),
        call("insert", "a4", 5),
        call("insert", "a5", 6, **UNKNOWN),
        call("update", 1, 7),
        call("update", 2, 8, **STARTED),
        call("cell", "a", 9, client="b", result=2),
        call("add_sheet", "new", 10),
        call("copy", "copied", 11),
    ],
    rows=["a1", "b1"],
    inserts=["", "a4"],
    cells={"a": 2},
    sheets=["new"],
    copies=[("copied", ["a1", "b1"])],
)


def test_a_good_history():
    """A history in which everything is as promised breaks no rule."""
    assert violations(GOOD) == []


@pytest.mark.parametrize(
    ("what", "kept"), [("append", "rows"), ("insert", "inserts"), ("add_sheet", "sheets")]
)
@pytest.mark.parametrize(
    ("outcome", "times", "rule"),
    [
        ({"outcome": "ok"}, 1, None),
        ({"outcome": "ok"}, 0, checker.LOST),
        ({"outcome": "ok"}, 2, checker.DOUBLED),
        (UNKNOWN, 0, None),
        (UNKNOWN, 1, None),
        (UNKNOWN, 2, checker.DOUBLED),
        (STARTED, 1, None),
        (STARTED, 2, checker.DOUBLED),
        (WITHDRAWN, 0, None),
        (WITHDRAWN, 1, checker.UNASKED),
        (NO_REDIS, 0, None),
        (NO_REDIS, 1, checker.UNASKED),
        (PERHAPS_NO_REDIS, 1, None),
        (PERHAPS_NO_REDIS, 2, checker.DOUBLED),
    ],
)
def test_how_often_something_is_there(what, kept, outcome, times, rule):
    """What was made is there once, what perhaps was at most once, what was not is not there."""
    evidence = after([call(what, "x", 1, **outcome)], **{kept: ["x"] * times})
    assert rules(evidence) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("outcome", "times", "rule"),
    [
        ({"outcome": "ok"}, 0, checker.LOST),
        ({"outcome": "ok"}, 2, checker.DOUBLED),
        (UNKNOWN, 2, checker.DOUBLED),
        (WITHDRAWN, 1, checker.UNASKED),
    ],
)
def test_how_often_a_copy_is_there(outcome, times, rule):
    """The same holds of copies of a spreadsheet."""
    evidence = after([call("copy", "x", 1, **outcome)], copies=[("x", [])] * times)
    assert rules(evidence) == [rule]


@pytest.mark.parametrize("what", ["append", "update"])
@pytest.mark.parametrize(
    ("failure", "times", "rule"),
    [
        (None, 0, checker.LOST),
        (None, 1, None),
        ({"error": "OutcomeUnknownError"}, 0, None),
        ({"error": "OutcomeUnknownError"}, 1, None),
        ({"error": "APIError", "http_status": 429}, 0, None),
        ({"error": "SignatureError"}, 0, checker.STRANGE),
        ({"error": "RemoteError"}, 1, checker.STRANGE),
    ],
)
def test_a_call_that_nobody_waited_for(what, failure, times, rule):
    """What was left in the queue is there once, unless Redis has kept it as failed."""
    value = "a1" if what == "append" else 1
    left = call(what, value, 1, outcome=LEFT, job="J1")
    kept = {"J1": FailedCall("J1", "m", "s", "c", **failure)} if failure else {}
    book = {"rows": ["a1"] * times} if what == "append" else {"cells": {"a": times}}
    assert rules(after([as_it_ended(left, kept)], **book)) == ([rule] if rule else [])


def test_a_call_that_nobody_waited_for_is_there_once():
    """What was left in the queue, and is there twice, was made twice."""
    assert rules(after([call("append", "a1", 1, outcome=LEFT)], rows=["a1"] * 2)) == [
        checker.DOUBLED
    ]


def test_an_append_that_was_refused_is_not_there():
    """An append that ends with a refusal for the quota was not made."""
    assert rules(after([call("append", "x", 1, **REFUSED)], rows=["x"])) == [checker.UNASKED]


@pytest.mark.parametrize(
    "left", [{"rows": ["x", "y"]}, {"inserts": ["y"]}, {"sheets": ["y"]}, {"copies": [("y", [])]}]
)
def test_what_nobody_wrote(left):
    """What no call has asked for is found, wherever it is."""
    evidence = after([call("append", "x", 1)], **{"rows": ["x"], **left})
    assert rules(evidence) == [checker.INVENTED]


def test_an_empty_row_too_many():
    """More empty rows than inserts that failed are an insert that was begun twice."""
    calls = [call("insert", "x", 1), call("insert", "y", 2, **UNKNOWN)]
    assert rules(after(calls, inserts=["", "x"])) == []
    assert rules(after(calls, inserts=["", "", "x"])) == [checker.DOUBLED]


def test_the_order_of_rows():
    """A row that was asked for after another had ended stands below it, whoever wrote them."""
    calls = [call("append", "x", 1, **UNKNOWN), call("append", "y", 2, client="b")]
    assert rules(after(calls, rows=["x", "y"])) == []
    assert rules(after(calls, rows=["y", "x"])) == [checker.ORDER]
    at_once = [calls[0], replace(calls[1], began=1.2)]
    assert rules(after(at_once, rows=["y", "x"])) == []


def test_the_order_of_inserted_rows():
    """A row that was inserted later stands above the earlier ones."""
    calls = [call("insert", "x", 1), call("insert", "y", 2)]
    assert rules(after(calls, inserts=["y", "x"])) == []
    assert rules(after(calls, inserts=["x", "y"])) == [checker.ORDER]


@pytest.mark.parametrize("what", ["rows", "open"])
def test_a_stale_read_of_rows(what):
    """A read without a row that was reported written before it began is stale."""
    write = call("append", "x", 1)
    assert rules(after([write, call(what, "", 2, result=[])], rows=["x"])) == [checker.STALE]
    assert rules(after([write, call(what, "", 1.2, result=[])], rows=["x"])) == []


def test_a_read_that_forgets():
    """A read without a row that an earlier read has shown is stale, whatever became of its call."""
    calls = [
        call("append", "x", 1, **UNKNOWN),
        call("rows", "", 2, result=["x"]),
        call("rows", "", 3, client="b", result=[]),
    ]
    assert rules(after(calls, rows=["x"])) == [checker.STALE]


def test_a_read_of_what_was_not_written_yet():
    """A read that shows a row whose call began later is an invention."""
    calls = [call("rows", "", 1, result=["x"]), call("append", "x", 2)]
    assert rules(after(calls, rows=["x"])) == [checker.INVENTED]


def test_a_stale_copy():
    """A copy without a row that was written before it began is stale."""
    calls = [call("append", "x", 1), call("copy", "c", 2)]
    assert rules(after(calls, rows=["x"], copies=[("c", [])])) == [checker.STALE]


@pytest.mark.parametrize(
    ("seen", "rule"), [(0, checker.STALE), (1, None), (2, None), (3, checker.INVENTED)]
)
def test_a_read_of_a_counter(seen, rule):
    """A counter that is read is between the last one that ended and the last one that began."""
    calls = [
        call("update", 1, 1),
        call("update", 2, 2, **UNKNOWN),
        call("cell", "a", 3, client="b", result=seen),
        call("update", 3, 4),
    ]
    assert rules(after(calls, cells={"a": 3})) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("left", "rule"), [(0, checker.LOST), (1, None), (2, checker.UNASKED), (3, None)]
)
def test_the_last_counter(left, rule):
    """A counter ends at a number that was perhaps written, and not before the last that was."""
    calls = [
        call("update", 1, 1),
        call("update", 2, 2, **WITHDRAWN),
        call("update", 3, 3, **UNKNOWN),
    ]
    assert rules(after(calls, cells={"a": left})) == ([rule] if rule else [])


def test_a_counter_that_goes_back():
    """A counter may be written again, and never with an earlier number."""
    evidence = after([call("update", 1, 1), call("update", 2, 2)], cells={"a": 2})
    numbers = [("B", "a", number) for number in (1, 1, 2)]
    assert rules(replace(evidence, counted=numbers)) == []
    assert rules(replace(evidence, counted=[*numbers, ("B", "a", 1)])) == [checker.ORDER]


def total(count, value):
    return "B", count, value


@pytest.mark.parametrize(
    ("totals", "last", "rule"),
    [
        ([total(1, "a1"), total(1, "a1"), total(2, "b1")], "2 b1", None),
        ([total(1, "a1"), total(2, "a2"), total(3, "b1")], "3 b1", None),
        ([total(1, "a1")], "1 a1", checker.LOST),
        ([total(1, "a1"), total(1, "b1")], "1 b1", checker.LAPSED),
        ([total(1, "a1"), total(2, "b1"), total(1, "a1")], "1 a1", checker.LAPSED),
        ([total(1, "a1"), total(2, "b1"), total(3, "a3")], "3 a3", checker.UNASKED),
        ([total(1, "a1"), total(2, "b1")], "1 a1", checker.LOST),
        ([total(1, "a1"), total(2, "b1"), total(3, "z")], "3 z", checker.INVENTED),
    ],
)
def test_what_is_counted_under_locks(totals, last, rule):
    """Each increment is there once, on what the one before left, but for those that came late."""
    calls = [
        call("increment", "a1", 1),
        call("increment", "a2", 2, **UNKNOWN),
        call("increment", "a3", 3, outcome="LockLostError"),
        call("increment", "b1", 1, client="b"),
    ]
    found = rules(replace(after(calls, total=last), totals=totals))
    assert rule in found if rule else found == []


def test_a_lost_lock_is_told_of_by_who_had_one():
    """An error that says that a lock is lost is strange in a call that was under none."""
    assert rules(after([call("append", "x", 1, outcome="LockLostError")])) == [checker.STRANGE]


@pytest.mark.parametrize(
    ("max_age", "seen", "rule"),
    [
        (0.0, 0, checker.OLD),
        (0.0, 1, checker.OLD),
        (0.0, 2, None),
        (0.0, 3, None),
        (0.0, 4, checker.OLD),
        (1.0, 0, checker.OLD),
        (1.0, 1, None),
        (0.9, 1, checker.OLD),
        (9.0, 0, None),
        (9.0, 5, checker.OLD),
    ],
)
def test_a_read_of_what_was_typed(max_age, seen, rule):
    """A read shows what stood there when it began, less its age, or later, and nothing else."""
    read = call("typed", "", 5, result=seen, max_age=max_age)
    typed = [("B", 1, 1.0), ("A", 9, 3.0), ("B", 2, 4.0), ("B", 3, 5.4), ("B", 4, 6.0)]
    evidence = replace(after([read]), typed=typed)
    assert rules(evidence) == ([rule] if rule else [])


@pytest.mark.parametrize("late", [False, True])
def test_a_number_that_is_typed_again(late):
    """A number that came late, over a later one, may be seen as long as it stands there."""
    read = call("typed", "", 5, result=1)
    typed = [("B", 1, 1.0), ("B", 2, 2.0), *([("B", 1, 4.0)] if late else [])]
    assert rules(replace(after([read]), typed=typed)) == ([] if late else [checker.OLD])


@pytest.mark.parametrize("what", ["rows", "cell"])
def test_an_age_is_no_leave_to_miss_what_the_queue_has_written(what):
    """A read of any age that lacks what was written through the queue before it is stale."""
    writes = [call("append", "x", 1), call("update", 1, 1)]
    value, result = ("", []) if what == "rows" else ("a", 0)
    read = call(what, value, 2, client="b", result=result, max_age=60.0)
    assert rules(after([*writes, read], rows=["x"], cells={"a": 1})) == [checker.STALE]


def test_a_call_without_an_end():
    """A call that never ended is one that hangs, unless its client was killed."""
    evidence = after([replace(call("append", "x", 1), ended=None, outcome="")])
    assert rules(evidence) == [checker.HANGS]
    assert rules(replace(evidence, killed={"a"})) == []
    killed_and_there = replace(evidence, killed={"a"}, books={"B": Book(rows=["x", "x"])})
    assert rules(killed_and_there) == [checker.DOUBLED]


def test_a_client_that_does_not_end():
    """A client that was still running when time was up hangs."""
    assert rules(replace(GOOD, hung={"a"})) == [checker.HANGS]


@pytest.mark.parametrize(
    "outcome",
    [
        {"outcome": "KeyError"},
        {"outcome": "JobLostError"},
        {"outcome": "APIError", "status": 400},
        {"outcome": "RemoteError", "told": "the server failed to make the call"},
    ],
)
def test_an_error_that_nobody_states(outcome):
    """An error that no caller is told to expect is a violation."""
    assert rules(after([call("rows", "", 1, **outcome)])) == [checker.STRANGE]


@pytest.mark.parametrize(
    ("key", "expiry", "is_left"),
    [
        ("server", None, False),
        ("dedup", None, False),
        ("throttle", None, False),
        ("slots:read", None, False),
        ("reply:abc", 200, False),
        ("reply:abc", None, True),
        ("control:abc", 20, False),
        ("renewal:abc", 9000, False),
        ("renewal:abc", None, True),
        ("lane:abc", None, True),
        ("active", None, True),
        ("ready:17", None, True),
        ("progress", None, True),
        ("slots:read:lender@project", None, False),
        ("throttle:lender@project", None, False),
        ("slots:read:odd", None, True),
    ],
)
def test_keys_that_are_left(key, expiry, is_left):
    """Keys that are documented to stay or to expire are no violation; all others are."""
    assert rules(replace(GOOD, left={key: expiry})) == [checker.LEFTOVER] * is_left


def test_the_keys_that_may_be_left_are_those_of_the_queue():
    """Every key that a run may leave has the name that the queue gives to one of its keys."""
    keys = Keys("namespace")
    whole = [keys.server, keys.dedup, keys.formats, keys.throttle, keys.account]
    whole += [keys.failed, keys.answered, keys.actions]
    whole += [keys.outcomes, keys.errors, keys.published]
    whole += [keys.slots(kind) for kind in KINDS]
    parts = [keys.reply(""), keys.control(""), keys.renewal("")]
    assert {_name_of(key) for key in whole} == set(checker._STAYING)
    assert {_name_of(key) for key in parts} == set(checker._EXPIRING)
    of_account = [*(keys.slots(kind, "a@b") for kind in KINDS), keys.throttle_of("a@b")]
    named = {_name_of(key).removesuffix("a@b") for key in of_account}
    assert named == set(checker._STAYING_OF_ACCOUNTS)


def _name_of(key):
    return key.partition("}:")[2].removeprefix(f"{FORMAT}:")


@pytest.mark.parametrize(
    ("status", "fault", "is_there"),
    [(200, "", True), (500, "500 after", True), (0, "reset after", True), (403, "", False)],
)
def test_what_was_written_is_what_was_not_refused(status, fault, is_there):
    """A write counts whatever its sender saw of it, unless Google refused to make it."""
    path, body = f"/v4/spreadsheets/id/values/'{TOTALS}'!{TOTAL}", {"values": [["3 a-1"]]}
    served = Served(0, "PUT", path, [], body, status, fault=fault, applied=True, applied_at=1.0)
    assert totals_of([served], {"B": "id"}) == [("B", 3, "a-1")] * is_there


def test_a_key_that_expires_while_it_is_looked_at_is_not_left():
    """Of the keys that are there, one whose time ends before it is asked for counts as gone."""
    lives = {"queued-gspread:{n}:3:control:a": -2, "queued-gspread:{n}:formats": -1}
    raw = SimpleNamespace(keys=lambda _: [*lives], ttl=lives.get)
    assert keys_of(raw, "n") == {"formats": None}


def test_a_refusal_by_the_quota():
    """A request that the emulator's quota refused is a violation."""
    assert rules(replace(GOOD, refused=["GET /v4/…"])) == [checker.REFUSED]


FORBIDDEN_TO_ALL = {"outcome": "APIError", "status": 403, "told": "does not have permission"}


def test_a_request_of_a_lender_where_the_own_account_may_not():
    """A request of a lender on what the servers' own account may not do is a violation."""
    assert rules(replace(GOOD, trespasses=["lender@b: GET /v4/…"])) == [checker.LENT]


@pytest.mark.parametrize(
    ("what", "outcome", "broken"),
    [
        ("trespass", FORBIDDEN_TO_ALL, []),
        ("trespass", {"outcome": "ok"}, [checker.LENT]),
        ("trespass", WITHDRAWN, []),
        ("trespass", {"outcome": "SpreadsheetNotFound"}, [checker.STRANGE]),
        ("visit", {"outcome": "ok"}, []),
        ("visit", FORBIDDEN_TO_ALL, [checker.STRANGE]),
        ("append", FORBIDDEN_TO_ALL, [checker.STRANGE]),
    ],
)
def test_who_asks_for_what_the_own_account_may_not_do(what, outcome, broken):
    """Such a call ends with a 403, and no other call does."""
    assert rules(after([call(what, "a1", 1, **outcome)])) == broken


def test_what_lenders_were_used_for(tmp_path):
    """Of requests of lenders those are found that the own account may not make, and no others."""
    with Emulator(seed=1) as emulator:
        lending = Lending(1, emulator, tmp_path)
        own, lender = (emulator.gspread_client(account) for account in emulator.accounts[:2])
        emulator.clear_ledger()
        for key in lending.strange.values():
            for client in (own, lender):
                with contextlib.suppress(APIError):
                    client.http_client.values_get(key, "A1")
                with contextlib.suppress(APIError):
                    client.http_client.values_clear(key, "A1")
        ledger = emulator.ledger
    assert [served.status for served in ledger] == [403, 403, 200, 200, 200, 403, 200, 200]
    found = lending.trespasses_in(ledger)
    name, (closed, shown) = emulator.accounts[1].email, lending.strange.values()
    assert found == [
        f"{name}: GET /v4/spreadsheets/{closed}/values/A1",
        f"{name}: POST /v4/spreadsheets/{closed}/values/A1:clear",
        f"{name}: POST /v4/spreadsheets/{shown}/values/A1:clear",
    ]
    assert lending.sent_in(ledger) == 4


def test_a_process_that_died():
    """A process that ended by itself is a violation."""
    assert rules(replace(GOOD, died=["one-0 ended with status 1"])) == [checker.DIED]


INTERRUPTED = {"outcome": "TimeoutError", "is_interrupted": True}


@pytest.mark.parametrize(
    ("told", "times", "rule"),
    [
        ("", 0, None),
        ("", 1, None),
        ("", 2, checker.DOUBLED),
        (f"queued_gspread: {meaning('withdrawn')}", 0, None),
        (f"queued_gspread: {meaning('withdrawn')}", 1, checker.UNASKED),
        (f"queued_gspread: {meaning('ended')}", 1, checker.UNASKED),
        (f"queued_gspread: {meaning('started')}", 1, None),
        (f"queued_gspread: {meaning('going on')}", 1, None),
    ],
)
def test_an_interrupted_call(told, times, rule):
    """A call that a handler's exception ends was perhaps made, and was not if its note says so."""
    evidence = after([call("append", "x", 1, told=told, **INTERRUPTED)], rows=["x"] * times)
    assert rules(evidence) == ([rule] if rule else [])


@pytest.mark.parametrize("outcome", ["ok", "BrokerUnavailableError"])
def test_an_exception_of_a_handler_that_does_not_come_out(outcome):
    """A call that ends otherwise although a handler has raised in it has swallowed that."""
    write = call("append", "x", 1, outcome=outcome, may_have_run=True, swallowed="TimeoutError")
    assert rules(after([write], rows=["x"])) == [checker.SWALLOWED]


POISONED = {"outcome": "PoisonedJobError"}


@pytest.mark.parametrize(("deaths", "rule"), [(2, checker.BLAMED), (3, None)])
def test_servers_that_did_not_die(deaths, rule):
    """Three servers died of a job only where three died: stops in good order are none."""
    evidence = replace(after([call("rows", "", 1, **POISONED)]), deaths=deaths)
    assert rules(evidence) == ([rule] if rule else [])


BAD = {"outcome": "APIError", "status": 500, "told": f"APIError: [500]: {MARK}"}
NO_ANSWER = {"outcome": "ReadTimeout"}
NOT_ALLOWED = {"outcome": "APIError", "status": 403, "told": f"APIError: [403]: {MARK}"}


@pytest.mark.parametrize(
    ("what", "value", "outcome", "poison", "rule"),
    [
        ("append", "a-17", BAD, Poison(ROW, BROKEN, "a"), None),
        ("append", "a-18", BAD, Poison(ROW, BROKEN, "a"), checker.HARMED),
        ("append", "a-17", BAD, Poison(ROW, BROKEN, "b"), checker.HARMED),
        ("append", "a-17", NOT_ALLOWED, Poison(ROW, FORBIDDEN, "a"), None),
        ("update", 2, BAD, Poison(NUMBER, BROKEN, "a"), None),
        ("update", 3, BAD, Poison(NUMBER, BROKEN, "a"), checker.HARMED),
        ("cell", "a", NOT_ALLOWED, Poison(PLACE, FORBIDDEN, "a"), None),
        ("cell", "a", NO_ANSWER, Poison(PLACE, SILENT, "a"), None),
        ("cell", "b", NO_ANSWER, Poison(PLACE, SILENT, "a"), checker.HARMED),
    ],
)
def test_a_call_that_fails_for_what_it_holds(what, value, outcome, poison, rule):
    """A call may fail for what it holds itself, and not for what another one holds."""
    evidence = replace(after([call(what, value, 1, **outcome)]), poison=poison)
    assert rules(evidence) == ([rule] if rule else [])


def test_a_call_that_is_forbidden_for_anothers_fault():
    """A 403 for what another call holds is one more error that nobody is told to expect."""
    evidence = after([call("append", "a-18", 1, **NOT_ALLOWED)])
    found = rules(replace(evidence, poison=Poison(ROW, FORBIDDEN, "a")))
    assert found == sorted([checker.HARMED, checker.STRANGE])


def test_a_row_that_was_forbidden_is_not_there():
    """A row that Google has refused and that is there all the same is found."""
    evidence = after([call("append", "a-17", 1, **NOT_ALLOWED)], rows=["a-17"])
    found = rules(replace(evidence, poison=Poison(ROW, FORBIDDEN, "a")))
    assert found == [checker.UNASKED]


LOST = {"outcome": "JobLostError"}
ONE_SERVER = failovers_of(0, SENTINELS, "local")
REPLICATED = failovers_of(0, SENTINELS, "replicated")
TWO_SERVERS = failovers_of(2, SENTINELS, "local")


@pytest.mark.parametrize(
    ("plan", "outcome", "times", "rule"),
    [
        (ONE_SERVER, {"outcome": "ok"}, 0, checker.LOST),
        (ONE_SERVER, {"outcome": "ok"}, 2, checker.DOUBLED),
        (ONE_SERVER, UNKNOWN, 2, None),
        (ONE_SERVER, LOST, 2, None),
        (ONE_SERVER, LOST, 0, None),
        (ONE_SERVER, WITHDRAWN, 1, None),
        (ONE_SERVER, {"outcome": "KeyError"}, 0, checker.STRANGE),
        (TWO_SERVERS, {"outcome": "ok"}, 0, checker.LOST),
        (TWO_SERVERS, {"outcome": "ok"}, 2, None),
        (REPLICATED, {"outcome": "ok"}, 0, checker.LOST),
        (REPLICATED, {"outcome": "ok"}, 2, checker.DOUBLED),
        (REPLICATED, UNKNOWN, 2, checker.DOUBLED),
        (REPLICATED, LOST, 2, checker.DOUBLED),
        (REPLICATED, LOST, 1, None),
        (replace(plan_of(0), durability="local"), LOST, 0, checker.STRANGE),
    ],
)
def test_what_is_not_foretold_of_a_failover(plan, outcome, times, rule):
    """Where one Redis takes over from another, what the guarantees foretell breaks no rule."""
    evidence = after([call("append", "x", 1, **outcome)], rows=["x"] * times)
    evidence.forgets = plan.topology == SENTINELS
    found = {each.rule for each in violations(evidence) if not is_foretold(each, plan)}
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(("other", "is_told"), [(CUT, True), (FAILOVER, False)])
def test_what_is_left_in_the_queue_across_a_failover(other, is_told):
    """Nobody misses it where the master is lost; where that hands over, it is there."""
    plan = failovers_of(0, SENTINELS, "replicated", frozenset({FORGETS, other}))
    assert [work.is_asyncio for work in plan.work if work.forgets] == [False, True]
    evidence = after([call("append", "x", 1, outcome=LEFT, job="J1")])
    (found,) = violations(replace(evidence, forgets=True))
    assert (found.rule, is_foretold(found, plan)) == (checker.LOST, is_told)
    kept = as_it_ended(evidence.calls[0], {"J1": FailedCall("J1", "m", "s", "c", "SignatureError")})
    for forgets, strange in ((True, []), (False, [checker.STRANGE])):
        assert rules(replace(after([kept]), forgets=forgets)) == strange


@pytest.mark.parametrize(("fate", "is_broken"), [({"outcome": "ok"}, True), (LOST, False)])
def test_the_order_across_a_failover(fate, is_broken):
    """Rows of calls that were answered stand in order; one whose job was lost may come later."""
    calls = [call("append", "x", 1, **fate), call("append", "y", 2)]
    found = violations(replace(after(calls, rows=["y", "x"]), forgets=True))
    assert checker.ORDER in {each.rule for each in found}
    broken = {each.rule for each in found if not is_foretold(each, REPLICATED)}
    assert broken == ({checker.ORDER} if is_broken else set())


def test_the_blow_that_something_comes_of():
    """A call that is made twice is told of the blow that fell in it, or next to it."""
    calls = [call("append", "x", 1), call("append", "y", 4, **LOST), call("append", "z", 9)]
    evidence = replace(after(calls, rows=["x", "x", "y", "y", "z"]), forgets=True)
    struck = [(1.6, "pause"), (4.2, "cut"), (8.0, "kill")]
    told = by_blow(causes_of(Run(evidence, Counter(), 1.0, struck), violations(evidence)))
    assert list(told) == [
        "  1 cut: doubled and not answered 1",
        "  1 kill: nothing",
        "  1 pause: doubled 1",
    ]


def test_an_error_that_cannot_be_shown():
    """An error whose text cannot be made is told as one that no caller is told to expect."""

    class OddError(Exception):
        def __str__(self):
            raise KeyError("message")

    assert rules(after([call("rows", "", 1, **told(OddError()))])) == [checker.STRANGE]


def test_the_history_of_a_client_that_was_killed(tmp_path):
    """A history is read back as it was written, though its last line is cut off."""
    path = tmp_path / "a.jsonl"
    journal = Journal(path)
    journal.begin(0, "append", "B", "x")
    journal.end(0, outcome="ok", result=None)
    journal.begin(1, "cell", "B", "b")
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"number": 1, "ended"')
    done, open_one = read_history(path)
    assert (done.client, done.what, done.value, done.outcome) == ("a", "append", "x", "ok")
    assert done.began <= done.ended
    assert (open_one.what, open_one.ended, open_one.outcome) == ("cell", None, "")


def test_promises_are_those_that_callers_get():
    """What the checker takes for a promise that a call was not made stands in the errors."""
    reply = Reply.decode(late(Job("worksheet", "append_row", timeout=1.0), 0).reply, None)
    assert isinstance(reply.error, CallTimeoutError)
    told = [meaning("withdrawn"), meaning("ended"), str(reply.error)]
    assert all(promise in text for promise, text in zip(PROMISES, told, strict=True))
