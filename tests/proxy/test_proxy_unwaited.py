"""Pipelines whose end waits for nothing: ``pipeline(wait=False)``."""

# ruff: noqa: PT012 - what is raised at the end of a block belongs to the block

from __future__ import annotations

import gc
import json
import logging
import os
import signal

import gspread as plain
import pytest
from gate import google_error
from processes import start_python
from signing_fixtures import entry_of
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import Collector, FailedCall, Producer, consumer, core, failed_calls
from queued_gspread.broker.connection.client import REPLY_EXPIRY
from queued_gspread.errors import (
    PipelineError,
    QueueFullError,
    ServerUnavailableError,
)
from queued_gspread.protocol.messages import UNATTENDED_TIMEOUT, Job
from queued_gspread.proxy import outgoing, pipelining
from queued_gspread.proxy.pending import PendingCall
from queued_gspread.server.calls.error_fields import kept_of
from queued_gspread.settings import Settings

SECRET = "a very secret value"


@pytest.fixture
def made(serving, redis_url, namespace):
    """Return a function that makes a worksheet, whose server is gone by then."""

    def make(**options):
        with serving():
            where = {"redis_url": redis_url, "namespace": namespace}
            return gspread.authorize(**where, **{"grace": PATIENCE, **options}).create("L").sheet1

    return make


@pytest.fixture
def later(made):
    """Return such a worksheet."""
    return made()


@pytest.fixture
def failed(redis_url, namespace):
    """Return a function that returns the calls that Redis has kept as failed."""
    return lambda: failed_calls(Settings(redis_url, namespace))


@pytest.fixture
def depth(raw, keys):
    """Return a function that returns how many jobs wait."""
    return lambda: int(raw.get(keys.depth) or 0)


def with_grace(ws, seconds):
    """Return the same worksheet for a client with that grace."""
    settings = ws.client._self_caller.settings
    where = {"redis_url": settings.redis_url, "namespace": settings.namespace}
    http = gspread.authorize(**where, grace=seconds).http_client
    return gspread.Worksheet(ws.spreadsheet, ws._properties, ws.spreadsheet_id, http)


def in_jobs(raw, keys, lane):
    """Return the jobs of a lane, as their callers have put them in."""
    return [json.loads(fields["body"]) for _, fields in raw.xrange(keys.lane(lane))]


# What is promised -------------------------------------------------------------------------------


def test_a_block_ends_without_waiting(later, serving, depth):
    """Calls that are put in while no server runs are made once there is one, in their order."""
    with gspread.pipeline(wait=False):
        for number in range(20):
            later.append_row([number])
    assert depth() == 20
    with serving():
        assert later.get_all_values() == [[str(number)] for number in range(20)]


KILLED = """
import os, signal, sys
import queued_gspread as gspread

sheet = gspread.authorize().open_by_key({key!r}).sheet1
print("ready", flush=True)
sys.stdin.readline()
with gspread.pipeline(wait=False):
    for number in range(10):
        sheet.append_row([number])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_is_killed_right_after_the_block_has_its_calls_made(
    serving, later, redis_url, namespace, depth
):
    """SIGKILL right after the block costs no call, whether a server is there or comes later."""
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace}
    with serving():
        process = start_python(KILLED.format(key=later.spreadsheet_id), **where)
        assert process.stdout.readline() == "ready\n"
    process.communicate("go\n", timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    assert depth() == 10
    with serving():
        assert later.get_all_values() == [[str(number)] for number in range(10)]
        process = start_python(KILLED.format(key=later.spreadsheet_id), **where)
        process.communicate("go\n", timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL
        assert later.get_all_values() == [[str(number)] for number in [*range(10), *range(10)]]


def test_a_timeout_ends_with_the_enqueue(made, serving, raw, keys):
    """A caller's timeout is no deadline of a call that it does not wait for."""
    later = made(timeout=1.0)
    with gspread.pipeline(wait=False):
        later.append_row(["late"])
    (job,) = in_jobs(raw, keys, later.spreadsheet_id)
    assert (job["unattended"], job["timeout"]) == (True, UNATTENDED_TIMEOUT)
    ((place, _),) = raw.xrange(keys.lane(later.spreadsheet_id))
    put_in = int(place.partition("-")[0])
    eventually(lambda: raw.time()[0] * 1000 > put_in + 1500)
    with serving(), gspread.pipeline(wait=False):
        later.update_acell("B1", "next")
        assert later.acell("A1").value == "late"


def test_what_nobody_has_made_in_time_is_kept_as_failed(later, serving, failed, monkeypatch):
    """A call that no server has begun within its time is not made, and is kept as failed."""
    monkeypatch.setattr(outgoing, "UNATTENDED_TIMEOUT", 0.001)
    with gspread.pipeline(wait=False):
        later.append_row(["too late"])
    with serving():
        assert later.get_all_values() == [[]]
    (call,) = failed()
    assert call.error == "CallTimeoutError"
    assert "the timeout of 0.001 s passed before the call wrote anything" in call.message


def test_replies_that_nobody_fetches_expire(later, serving, raw, keys):
    """The reply to a call that nobody waits for is gone after minutes, not after its own day."""
    with gspread.pipeline(wait=False):
        later.append_row(["x"])
    with serving():
        later.get_all_values()
    (reply,) = raw.keys(keys.reply("*"))
    assert 0 < raw.ttl(reply) <= REPLY_EXPIRY


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_what_is_raised_in_the_block_withdraws_nothing(error, later, serving, depth):
    """An error of the user's own, and an interrupt, come out, and what was put in is made."""
    with pytest.raises(type(error)) as caught, gspread.pipeline(wait=False):
        later.append_row(["one"])
        raise error
    assert caught.value is error
    assert depth() == 1
    with serving():
        assert later.get_all_values() == [["one"]]


# Results ----------------------------------------------------------------------------------------


def test_a_result_that_is_touched_in_the_block_is_waited_for(later, serving):
    """Within the block it is a pipeline like any other: results, futures, properties, reads."""
    with serving(), gspread.pipeline(wait=False) as calls:
        before = later.row_count
        answer = later.append_row(["one"])
        cell = later.acell("A1")
        future = calls.submit(later.get_all_values)
        assert later.row_count == before + 1
        assert answer["updates"]["updatedRange"] == "Sheet1!A1"
        assert cell.value == "one"
        assert future.result(PATIENCE) == [["one"]]
        assert later.get_all_values() == [["one"]]


def test_a_result_that_is_touched_after_the_block_says_so(later):
    """A result that was not there when the block ended never comes, and its error says that."""
    with gspread.pipeline(wait=False) as calls:
        answer, cell = later.append_row(["x"]), later.acell("A1")
        future = calls.submit(later.get_all_values)
    for touch in (lambda: answer["updates"], lambda: cell.value, future.result, future.exception):
        with pytest.raises(PipelineError, match=r"the block of pipeline\(wait=False\) has ended"):
            raise touch() or AssertionError


def test_a_result_that_has_come_in_the_block_stays(later, serving):
    """What was there when the block ended can be used after it."""
    with serving():
        with gspread.pipeline(wait=False):
            first = later.append_row(["x"])
            first["updates"]
        assert first["updates"]["updatedRows"] == 1


def test_a_failure_is_raised_where_it_is_touched_and_not_at_the_end(later, serving, failed):
    """Whether the block ends with an error is not up to how fast the server is."""
    with serving():
        with gspread.pipeline(wait=False):
            answer = later.update([["x"]], "nonsense range")
            with pytest.raises(plain.exceptions.APIError):
                answer["updatedRange"]
            later.update([["x"]], "another nonsense range")
        assert later.get_all_values() == [[]]
    assert [call.method for call in failed()] == ["worksheet.update"] * 2


def test_a_future_can_be_cancelled_in_the_block(later, depth):
    """A call that was not started is withdrawn by its future."""
    with gspread.pipeline(wait=False) as calls:
        assert calls.submit(later.append_row, ["never"]).cancel()
        assert depth() == 0


def test_an_interrupt_at_the_end_ends_the_block(later, depth, monkeypatch):
    """Ctrl-C while the block ends takes no later call for one of the block, and withdraws none."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Collector, "leave", interrupted)
        with gspread.pipeline(wait=False):
            later.append_row(["x"])
    assert pipelining.current() is None
    assert depth() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_fork_ends_nothing(later, depth):
    """The end of the block in a forked child leaves the parent's calls alone."""
    with gspread.pipeline(wait=False) as calls:
        answer = later.append_row(["x"])
        child = os.fork()
        if child == 0:
            calls.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(child, 0)
        assert depth() == 1
        assert not calls._calls.keys().isdisjoint([answer._pending])
    assert depth() == 1


# Bounds -----------------------------------------------------------------------------------------


def test_at_most_so_many_calls_are_under_way(later, serving):
    """With a limit, the next call waits until an earlier one is answered."""
    most = 0
    with serving(), gspread.pipeline(wait=False, limit=3) as calls:
        for number in range(30):
            later.append_row([number])
            most = max(most, len(calls._calls))
    assert most <= 3
    with serving():
        assert later.get_all_values() == [[str(number)] for number in range(30)]


def test_at_most_so_many_bytes_are_under_way(later, serving, monkeypatch):
    """Jobs in such a block take no more memory than in any pipeline."""
    monkeypatch.setattr(pipelining, "_MOST_BYTES", 50_000)
    most = 0
    with serving(), gspread.pipeline(wait=False) as calls:
        for _ in range(20):
            later.update_acell("A1", "x" * 20_000)
            most = max(most, calls._bytes)
    assert 20_000 < most <= 50_000


def test_no_more_is_put_in_where_no_server_makes_room(later, serving, depth):
    """At the limit, and without a server, a call fails at its place; earlier ones stay."""
    sheet = with_grace(later, 0.2)
    with gspread.pipeline(wait=False, limit=2):
        sheet.append_row(["one"])
        sheet.append_row(["two"])
        with pytest.raises(ServerUnavailableError, match="stays in the queue"):
            sheet.append_row(["three"])
    assert depth() == 2
    with serving():
        assert later.get_all_values() == [["one"], ["two"]]


def test_nothing_is_computed_from_counts_that_are_not_known(later, serving, depth):
    """What reads a count that a call in the queue will change fails, if no server makes that."""
    sheet = with_grace(later, 0.2)
    rows = sheet.row_count
    with gspread.pipeline(wait=False):
        sheet.add_rows(10)
        with pytest.raises(ServerUnavailableError, match="stays in the queue"):
            sheet.add_rows(10)  # it waits for the first one
        with pytest.raises(ServerUnavailableError, match="stays in the queue"):
            sheet.add_rows(10)  # the first one is given up by now
        with pytest.raises(ServerUnavailableError, match="stays in the queue"):
            _ = sheet.row_count
    assert depth() == 1
    with serving():
        assert later.spreadsheet.get_worksheet(0).row_count == rows + 10


def test_calls_that_have_failed_are_let_go(later, serving, failed):
    """A block that lasts keeps nothing of the calls that failed in it, as it tells nobody."""
    with serving(), gspread.pipeline(wait=False) as calls:
        for _ in range(3):
            later.update([["x"]], "nonsense range")
        eventually(lambda: len(failed()) == 3 and not calls._calls)
        gc.collect()
        known = [each for each in gc.get_objects() if type(each) is PendingCall]
        assert [each.what for each in known if each.error is not None] == []


def test_a_full_queue_drains_first(later, serving):
    """Where the queue is full of a block's own calls, the next one waits for them."""
    with serving(max_queue=2), gspread.pipeline(wait=False):
        for number in range(20):
            later.append_row([number])
    with serving():
        assert later.get_all_values() == [[str(number)] for number in range(20)]


def test_a_queue_that_others_fill_is_told(later, serving, raw, keys):
    """Where none of a block's calls is under way, a full queue is an error at its place."""
    with serving(max_queue=2):
        pass
    raw.set(keys.depth, 2)
    with gspread.pipeline(wait=False), pytest.raises(QueueFullError):
        later.append_row(["x"])
    raw.delete(keys.depth)


def test_no_notice_is_given_once_the_block_has_ended(later, monkeypatch, depth):
    """The thread that looks for replies ends with the block, and withdraws nothing."""
    monkeypatch.setattr(core, "SLICE", 0.05)
    withdrawn = []
    monkeypatch.setattr(Producer, "withdraw", lambda *_: withdrawn.append(1))
    with gspread.pipeline(wait=False) as calls:
        later.append_row(["x"])
    (collector,) = calls._collectors.values()
    eventually(lambda: not len(collector._shell))
    assert depth() == 1
    assert not withdrawn


# Failures ---------------------------------------------------------------------------------------


def fill_with_failures(ws, many=1):
    """Have calls fail that hold a secret: in a value and in a range, which Google quotes."""
    with gspread.pipeline(wait=False):
        for number in range(many):
            ws.update([[SECRET]], f"{SECRET} {number}!A1")


def test_a_failure_is_kept_without_any_value(later, serving, failed, raw, namespace, caplog):
    """Of a call that failed, its method, spreadsheet, caller, error and time are kept: no value."""
    caplog.set_level(logging.DEBUG)
    fill_with_failures(later)
    with serving():
        later.update_acell("B1", "other")
    (call,) = failed()
    assert call.method == "worksheet.update"
    assert call.spreadsheet == later.spreadsheet_id
    assert call.caller.endswith(f":{os.getpid()}")
    assert (call.error, call.http_status, call.error_status) == (
        "APIError",
        400,
        "INVALID_ARGUMENT",
    )
    assert call.message.startswith("Unable to parse range: …")
    assert call.at.timestamp() == pytest.approx(raw.time()[0], abs=PATIENCE)
    (warning,) = [each for each in caplog.records if "nobody waits" in each.getMessage()]
    assert warning.levelno == logging.WARNING
    for text in ("worksheet.update", call.caller, later.spreadsheet_id, "APIError"):
        assert text in warning.getMessage()
    raw.delete(*raw.keys(f"*{{{namespace}}}*:reply:*"))  # they expire
    assert SECRET not in caplog.text + repr(call)
    assert SECRET not in everything(raw, namespace)


def everything(raw, namespace):
    """Return all that Redis holds of a namespace, as text."""
    reads = {
        "string": raw.get,
        "hash": raw.hgetall,
        "set": raw.smembers,
        "list": lambda key: raw.lrange(key, 0, -1),
        "zset": lambda key: raw.zrange(key, 0, -1),
        "stream": raw.xrange,
    }
    return repr({key: reads[raw.type(key)](key) for key in raw.keys(f"*{{{namespace}}}*")})


def test_what_gspread_itself_raises_is_kept_by_its_name(later, serving, failed):
    """An error that is not Google's may quote anything: only its class is kept."""
    with gspread.pipeline(wait=False):
        later.update_acell(SECRET, SECRET)
    with serving():
        later.get_all_values()
    (call,) = failed()
    assert (call.error, call.message, call.http_status) == ("IncorrectCellLabel", "", 0)


def test_a_call_that_succeeds_or_is_waited_for_is_not_kept(later, serving, failed):
    """Only failures of calls that nobody waits for are kept."""
    with serving():
        with pytest.raises(plain.exceptions.APIError):
            later.update([["x"]], "nonsense range")
        with gspread.pipeline(wait=False):
            later.append_row(["x"])
            with pytest.raises(plain.exceptions.APIError):
                later.get("nonsense range")
        later.get_all_values()
    assert failed() == []


def test_only_the_latest_failures_are_kept(later, serving, failed, monkeypatch):
    """The number of failures is bounded: the oldest are dropped."""
    monkeypatch.setattr(consumer, "MOST_FAILED", 3)
    with serving():
        fill_with_failures(later, 5)
        later.get_all_values()
        kept = failed()
        fill_with_failures(later)
        later.get_all_values()
    assert len(kept) == 3
    assert [call.job_id for call in failed()[1:]] == [call.job_id for call in kept[:2]]
    assert [call.at for call in kept] == sorted((call.at for call in kept), reverse=True)


def test_a_failure_takes_no_more_than_some_bytes():
    """What a client or Google says in a failure is shortened, however long it is."""
    error = google_error(403, "r" * 9000)
    error.response._content = json.dumps(
        {"error": {"message": "m " * 9000, "status": "S" * 9000}}
    ).encode()
    titles = {part: {"title": "\0\n" * 9000} for part in ("spreadsheet", "properties")}
    job = Job("worksheet", "m" * 9000, titles, caller=("\0\n" * 9000, 1))
    kept = kept_of(error, entry_of(b"", lane="l" * 200), job)
    assert len(kept) < 2000
    assert "failed" not in FailedCall(**json.loads(kept)).message


@pytest.mark.parametrize(
    "message",
    [
        "A named range with the name {} already exists",
        "Invalid requests[0].mergeCells: Cannot merge cells that intersect {}",
        "The regular expression {} is invalid.",
        "Unsupported format:{}",
    ],
)
@pytest.mark.parametrize(
    "secret", ["hidden", "hidden-name", "Hidden words", "h.*", "hidden text " * 40]
)
def test_a_failure_has_no_argument_even_if_google_does_not_quote_it(message, secret):
    """Whatever Google says of a call's arguments, or of its worksheet, is not kept."""
    given = [
        Job("worksheet", "x", args=([[secret]],)),
        Job("worksheet", "x", kwargs={"body": {"requests": [{"name": secret}]}}),
        Job("worksheet", "x", args=(f"'{secret}'!A1",)),
        Job("worksheet", "x", target={"spreadsheet": {}, "properties": {"title": secret}}),
    ]
    error = google_error(400)
    error.response._content = json.dumps({"error": {"message": message.format(secret)}}).encode()
    kept = [json.loads(kept_of(error, entry_of(b""), job)) for job in given]
    assert all(secret.strip() not in each["message"] for each in kept)
    assert all(each["message"].startswith(message[:13]) for each in kept)


def test_what_others_have_put_there_is_passed_over(failed, raw, keys):
    """Anything else among the failures is not shown, and raises nothing."""
    for member in ("no json", "[]", "{}", '{"job_id": 1}', '{"a": "b"}', "[" * 100_000):
        raw.zadd(keys.failed, {member: 5})
    one = FailedCall("id", "m", "s", "c", "E")
    raw.zadd(keys.failed, {one.encode(): 7, FailedCall("i", "m", "s", "c", "E").encode(): "inf"})
    assert [call.job_id for call in failed()] == ["id"]


def test_an_unknown_outcome_is_kept_and_not_made_again(start_process, authorize, google, failed):
    """An append in the air when its server is killed ends as unknown, once, and is kept as that."""
    server = start_process()
    http = authorize().http_client
    with gspread.pipeline(wait=False):
        http.values_append("lane", "A1", {"valueInputOption": "RAW"}, {"values": [[SECRET]]})
        http.values_append("lane", "B1", {"valueInputOption": "RAW"}, {"values": [["next"]]})
    google.gate.next()
    server.kill()
    start_process()
    google.gate.next().answer({"updates": {}})
    (call,) = eventually(failed)
    assert call.error == "OutcomeUnknownError"
    assert SECRET not in repr(call)
    assert len(google.gate.seen) == 2
