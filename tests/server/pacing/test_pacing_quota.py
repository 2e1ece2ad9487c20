"""Which requests count as what, what refusals are told, and whom the limits hold up."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import urlsplit

import gspread
import pytest
import requests
from calls import WORKSHEET, read, send, write
from gate import cell_of, google_error
from gspread import urls
from one_job import acquire
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, Producer, QuotaState, Slot
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.emulator.api.request import Request as EmulatedRequest
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.server.pacing.quota import Quota, kind_of
from queued_gspread.server.pacing.valve import Valve
from queued_gspread.server.policy.request import CREDENTIALS, Request, is_read
from queued_gspread.server.policy.verdict import Verdict, VerdictKind
from queued_gspread.server.sending.incidents import IncidentLog
from queued_gspread.settings import Settings

BOOK = f"{urls.SPREADSHEETS_API_V4_BASE_URL}/book"
LONG = 3600.0


# Kinds of request -------------------------------------------------------------------------------

KINDS = [
    ("get", BOOK, "read"),
    ("GET", f"{BOOK}/values/A1", "read"),
    ("head", BOOK, "read"),
    ("get", f"{BOOK}/values:batchGet", "read"),
    ("get", f"{BOOK}/values/Sheet%201%21A1%3AB2", "read"),
    ("get", f"{BOOK}/values/%27a%2F%2Fb%3Asearch%27%21A1", "read"),
    ("post", f"{BOOK}:getByDataFilter", "read"),
    ("post", f"{BOOK}/values:batchGetByDataFilter", "read"),
    ("post", f"{BOOK}/developerMetadata:search", "read"),
    ("put", f"{BOOK}/values/A1", "write"),
    ("put", f"{BOOK}/values/Sheet%201%21A1%3AB2", "write"),
    ("put", f"{BOOK}/values/%27a%3Asearch", "write"),
    ("post", f"{BOOK}/values/A1:append", "write"),
    ("post", f"{BOOK}/values/A1:clear", "write"),
    ("post", f"{BOOK}/values:batchUpdate", "write"),
    ("post", f"{BOOK}/values:batchClear", "write"),
    ("post", f"{BOOK}/values:batchUpdateByDataFilter", "write"),
    ("post", f"{BOOK}:batchUpdate", "write"),
    ("post", f"{BOOK}/sheets/0:copyTo", "write"),
    ("post", urls.SPREADSHEETS_API_V4_BASE_URL, "write"),
    ("post", f"{BOOK}/values/A1:somethingNew", "write"),
    ("delete", BOOK, "write"),
    ("patch", BOOK, "write"),
    ("get", urls.DRIVE_FILES_API_V3_URL, "drive"),
    ("post", urls.DRIVE_FILES_API_V3_URL, "drive"),
    ("delete", f"{urls.DRIVE_FILES_API_V3_URL}/x", "drive"),
    ("post", f"{urls.DRIVE_FILES_API_V3_URL}/x/copy", "drive"),
    ("get", f"{urls.DRIVE_FILES_API_V3_URL}/v4/export", "drive"),
    ("post", f"{urls.DRIVE_FILES_UPLOAD_API_V2_URL}/x", "drive"),
    ("get", "https://www.googleapis.com/upload/drive/v3/files", "drive"),
    (CREDENTIALS, "refresh", ""),
    (CREDENTIALS, "expiry", ""),
]


@pytest.mark.parametrize(("method", "endpoint", "kind"), KINDS)
def test_the_kind_of_a_request(method, endpoint, kind):
    """A request counts as a read or a write of Sheets, as one of Drive's, or not at all."""
    assert kind_of(Request(method, endpoint)) == kind
    assert kind_of(Request(method, f"{endpoint}?x=/v4/:search#:search")) == kind


@pytest.mark.parametrize(("method", "endpoint", "kind"), KINDS)
def test_the_kind_of_a_request_to_another_endpoint(method, endpoint, kind):
    """A request that names the API endpoint itself counts as the one that names Google."""
    at = endpoint
    for host in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
        at = at.replace(host, "http://127.0.0.1:8099")
    assert kind_of(Request(method, at)) == kind


@pytest.mark.parametrize(
    ("method", "endpoint", "kind"), [row for row in KINDS if row[2] in ("read", "write")]
)
def test_what_counts_as_a_read_is_taken_for_one(method, endpoint, kind):
    """What takes a slot of reads changes nothing in the eyes of its lane, and nothing else does."""
    assert is_read(Request(method, endpoint)) == (kind == "read")


@pytest.mark.parametrize(("method", "endpoint", "kind"), [row for row in KINDS if row[2]])
def test_the_emulator_counts_as_the_server_does(method, endpoint, kind):
    """What takes a slot of a kind at the server is counted as that kind by the emulator."""
    sent = EmulatedRequest(method.upper(), urlsplit(endpoint).path, {}, b"")
    assert sent.quota == kind


@pytest.mark.parametrize(
    ("method", "override"), [("post", "get"), ("post", "GET"), ("POST", "Get")]
)
def test_the_emulator_sees_the_method_that_the_server_sees(method, override):
    """A POST that stands for a GET is a read to both."""
    headers = {"x-http-method-override": override}
    sent = EmulatedRequest(method.upper(), "/v4/spreadsheets/book", headers, b"")
    request = Request(method, BOOK, headers=headers)
    assert sent.quota == kind_of(request) == "read"
    assert is_read(request)


def test_what_gspread_sends_is_of_the_kind_that_its_name_says():
    """Every low-level method of gspread's HTTP client that reads takes a read, others a write."""
    kinds = {}

    class Watching(gspread.HTTPClient):
        def __init__(self):
            self.sent = []

        def request(self, method, endpoint, *args, **given):
            kinds[self.name] = kind_of(Request(method, endpoint))
            raise StopIteration

    http = Watching()
    for http.name in dir(gspread.HTTPClient):
        if http.name.startswith(("values_", "spreadsheets_", "batch_", "fetch_")):
            method = getattr(http, http.name)
            arguments = ["book", "A1:search", {}, {}][: method.__func__.__code__.co_argcount - 1]
            with pytest.raises((StopIteration, TypeError)):
                method(*arguments)
    reads = {name for name, kind in kinds.items() if kind == "read"}
    writes = {name for name, kind in kinds.items() if kind == "write"}
    assert {"values_get", "values_batch_get", "spreadsheets_get", "fetch_sheet_metadata"} <= reads
    assert {"values_append", "values_update", "values_clear", "batch_update"} <= writes
    assert reads | writes == set(kinds)


# Limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "project", "limit"),
    [(60, 300, 60), (300, 60, 60), (0, 7, 7), (7, 0, 7), (0, 0, 0), (1, 1, 1)],
)
def test_the_lower_limit_counts(own, project, limit):
    """Of the account's limit and the project's, the lower one holds, and 0 holds nothing."""
    others = {"reads": 11, "writes": 11, "project_reads": 11, "project_writes": 11}
    reads = Quota(**{**others, "reads": own, "project_reads": project})
    writes = Quota(**{**others, "writes": own, "project_writes": project})
    assert (reads.limit("read"), reads.limit("write")) == (limit, 11)
    assert (writes.limit("read"), writes.limit("write")) == (11, limit)
    assert reads.limit("drive") == writes.limit("drive") == reads.limit("") == 0


def test_the_limits_without_a_word_are_googles():
    """Nothing said, a minute holds 60 reads and 60 writes."""
    quota = Quota()
    assert (quota.limit("read"), quota.limit("write"), quota.window) == (60, 60, 60.0)


def test_a_slot_has_a_name_of_its_own():
    """No two requests have a slot of the same name, and each is of the epoch that asks."""
    quota = Quota(window=2.0, interval=0.5)
    slots = [quota.slot(Request("get", BOOK), epoch) for epoch in ("7", "8") * 50]
    assert len({slot.name for slot in slots}) == 100
    assert all(slot.name.startswith(("7/", "8/")) for slot in slots)
    first = slots[0]
    assert (first.kind, first.limit, first.window, first.interval) == ("read", 60, 2.0, 0.5)


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("get", "https://www.googleapis.com/drive/v3/files", "read"),
        ("post", "https://www.googleapis.com/drive/v3/files", "write"),
        ("get", f"{BOOK}/values/A1", "read"),
        ("put", f"{BOOK}/values/A1", "write"),
        ("post", f"{BOOK}/values:batchGetByDataFilter", "read"),
    ],
)
def test_a_pause_of_writes_is_for_what_changes_something(method, path, what):
    """Which pause holds a request up goes by what it does, in Drive as in Sheets."""
    assert Quota().slot(Request(method, path), "1").what == what


def test_what_asks_for_credentials_takes_no_slot():
    """A request that is none to Google's API has no kind and no slot."""
    slot = Quota().slot(Request(CREDENTIALS, "refresh"), "7")
    assert (slot.kind, slot.is_noted) == ("", False)


# What refusals are told -------------------------------------------------------------------------


@pytest.fixture
def told(caplog):
    """Return what notes a refusal at a moment, and returns the warnings that this gives."""
    now = 0.0
    refusals = IncidentLog(lambda: now)
    caplog.set_level("DEBUG", "queued_gspread")

    def note(kind, of="", at=0.0, *, limit=45, why="429", window=60.0):
        nonlocal now
        now = at
        caplog.clear()
        verdict = Verdict(VerdictKind.REFUSED_QUOTA, None, why, of)
        refusals.note_refusal(Slot(kind, "1/1", 60, window), verdict, QuotaState(limit, 1.0))
        return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]

    return note


@pytest.mark.parametrize(
    ("kind", "of", "parts"),
    [
        ("read", "user", ["refuses reads", "the same account", "lower --reads-per-minute"]),
        ("write", "", ["refuses writes", "the same account", "lower --writes-per-minute"]),
        ("read", "project", ["other accounts of the same", "--project-reads-per-minute"]),
        ("write", "project", ["other accounts of the same", "--project-writes-per-minute"]),
        ("drive", "user", ["requests to Drive", "Make fewer calls that share"]),
        ("drive", "project", ["requests to Drive", "other accounts", "Make fewer calls"]),
    ],
)
def test_a_warning_names_cause_and_remedy(told, kind, of, parts):
    """The warning says what is refused, who uses the quota up, and what to do about it."""
    (warning,) = told(kind, of)
    assert all(part in warning for part in [*parts, "429"])


@pytest.mark.parametrize(("limit", "is_told"), [(45, True), (0, False)])
def test_a_limit_that_goes_down_is_told(told, limit, is_told):
    """The warning says to what the limit goes down, where there is one."""
    (warning,) = told("read", limit=limit)
    assert (f"to {limit} and recovers" in warning) is is_told


def test_an_episode_is_told_once(told):
    """An episode gives one warning, and is over after ten windows without a refusal."""
    assert told("read", at=0.0)
    assert not told("read", at=1.0)
    assert not told("read", at=601.0)
    assert not told("read", at=1201.0)
    assert told("read", at=1801.5)
    assert not told("read", at=1802.0)


def test_kinds_have_episodes_of_their_own(told):
    """A refusal of reads does not keep one of writes from being told."""
    for kind in ("read", "write", "drive"):
        assert len(told(kind)) == 1
        assert not told(kind)


def test_an_episode_is_measured_in_windows(told):
    """With a short window, ten of them are short as well."""
    assert told("read", at=0.0, window=0.1)
    assert not told("read", at=0.9, window=0.1)
    assert told("read", at=2.0, window=0.1)


# Requests of a server ---------------------------------------------------------------------------


@pytest.fixture
def put(redis_url, namespace):
    """Return what puts a job into the queue, with nobody to wait for its reply."""
    callers = Producer(Settings(redis_url=redis_url, namespace=namespace))

    def put(lane="lane", method="get"):
        given = {"json": {"values": [["x"]]}} if method == "put" else {}
        job = Job("http_client", "request", args=(method, cell_of(lane)), kwargs=given)
        return callers.enqueue(Wait(new_id(), lane, None), job.encode())

    return put


@pytest.fixture
def entered(monkeypatch):
    """Return the list of what has come to the valve, and stands in line there or has passed."""
    seen = []
    enter, told = Valve.enter, Valve.told

    def enters(self, ticket, resume):
        answer = enter(self, ticket, resume)
        if ticket not in seen:
            seen.append(ticket)
        return answer

    def is_told(self, ticket, permit=None):
        told(self, ticket, permit)
        if permit is not None and permit.word == "go" and ticket not in seen:
            seen.append(ticket)

    monkeypatch.setattr(Valve, "enter", enters)
    monkeypatch.setattr(Valve, "told", is_told)
    return seen


@pytest.fixture
def permitted(monkeypatch):
    """Return the list of the lane and the moment of every permit to send, on Redis's clock."""
    seen = []
    real = Consumer.acquire

    def acquire(self, acquire_args, *args):
        permit = real(self, acquire_args, *args)
        if permit.word == "go":
            seen.append((permit.sent, acquire_args[0].entry.lane))
        return permit

    monkeypatch.setattr(Consumer, "acquire", acquire)
    return seen


@pytest.mark.parametrize(("held", "free"), [("get", "put"), ("put", "get")])
def test_a_kind_without_slots_holds_up_no_other(held, free, serve, put, gate, entered, raw, keys):
    """While reads wait for slots writes pass, and the other way round."""
    serve(reads_per_minute=1, writes_per_minute=1, quota_window=LONG)
    put("first", held)
    gate.next().answer({})
    eventually(lambda: not raw.exists(keys.lane("first")))
    put("second", held)
    eventually(lambda: len(entered) == 2)
    put("third", free)
    arrival = gate.next()
    assert (arrival.method, arrival.lane) == (free, "third")
    arrival.answer({})
    eventually(lambda: not raw.exists(keys.lane("third")))
    assert gate.is_idle
    assert raw.xlen(keys.lane("second")) == 1
    assert not raw.exists(keys.progress)


def test_no_slots_hold_up_no_drive(serve, client, put, gate, entered, background):
    """While reads and writes wait for slots, requests to Drive pass."""
    serve(reads_per_minute=1, writes_per_minute=1, quota_window=LONG)
    for lane, method in (("one", "get"), ("two", "put")):
        put(lane, method)
        gate.next().answer({})
        put(f"{lane} more", method)
    eventually(lambda: len(entered) == 4)
    listing = background(client.list_spreadsheet_files)
    gate.next().answer({"files": []})
    assert listing.result(PATIENCE) == []


def test_lanes_get_slots_in_turn(serve, put, gate, entered):
    """Three lanes with many calls each get the slots by turns, however much each has."""
    lanes = {"one": 6, "two": 6, "three": 6}
    for lane, count in lanes.items():
        for _ in range(count):
            put(lane)
    serve(reads_per_minute=1, quota_window=0.05)
    eventually(lambda: len(entered) == 3)
    order = []
    for number in range(18):
        arrival = gate.next()
        order.append(arrival.lane)
        assert gate.is_idle
        # A lane stands in line with its next call before another one is answered.
        eventually(lambda number=number: len(entered) >= min(18, number + 3))
        arrival.answer({})
    turn = order[:3]
    assert set(turn) == set(lanes)
    assert order == turn * 6


def test_no_window_of_redis_holds_more_than_the_limit(serve, put, gate, permitted):
    """Whatever waits, two permits are a window apart where a window has one slot."""
    for lane in ("one", "two", "three"):
        for method in ("get", "put", "get"):
            put(lane, method)
    gate.open()
    serve(reads_per_minute=1, writes_per_minute=2, project_writes_per_minute=1, quota_window=0.1)
    eventually(lambda: len(permitted) == len(gate.seen) == 9)
    for kind, count in (("get", 6), ("put", 3)):
        assert [arrival.method for arrival in gate.seen].count(kind) == count
    moments = sorted(moment for moment, _ in permitted)
    # At most one read and one write in a window: of any three, the last is out of the first's.
    assert all(moments[i + 2] - moments[i] >= 100 for i in range(7))


def test_the_interval_is_between_requests_of_all_lanes_and_kinds(serve, put, gate, permitted):
    """Two requests of whatever lanes and kinds are the interval apart, on Redis's clock."""
    for lane in ("one", "two", "three"):
        for method in ("get", "put"):
            put(lane, method)
    gate.open()
    serve(interval=0.05)
    eventually(lambda: len(permitted) == 6)
    moments = sorted(moment for moment, _ in permitted)
    assert all(later - earlier >= 50 for earlier, later in pairwise(moments))


@pytest.mark.parametrize("others", [0, 2])
def test_a_call_of_several_requests_does_not_wait_for_its_own_slot(
    others, serve, callers, put, gate, background
):
    """The slot of a request that was answered is given back before the next one waits."""
    serve(reads_per_minute=1, quota_window=0.2)
    gate.open()
    for lane in range(others):
        put(f"lane{lane}")
    body = Job("worksheet", "get", WORKSHEET, ("A1",), {"combine_merged_cells": True}).encode()
    reply = background(send, callers, body, "book")
    assert type(reply.result(PATIENCE).error) is KeyError
    eventually(lambda: len(gate.seen) == 2 + others)


def test_a_slow_request_holds_up_nobody_after_a_refusal(serve, put, gate, raw, keys):
    """Writes go on after a refusal, though one that was sent before it is still in the air."""
    serve(writes_per_minute=10, quota_window=0.3)
    put("slow", "put")
    slow = gate.next()
    put("refused", "put")
    gate.next().fail(google_error(429))
    for lane in ("refused", "third"):
        arrival = gate.next()
        assert arrival.lane == lane
        assert raw.zcount(keys.slots("write"), "inf", "inf") == 2
        arrival.answer({})
        if lane == "refused":
            put("third", "put")
    slow.answer({})


def test_one_request_to_drive_goes_first_after_a_refusal(serve, client, gate, background):
    """Of many requests to Drive that were refused one is retried, and the others follow it."""
    serve(quota_window=12.0)
    calls = [background(client.list_permissions, name) for name in ("one", "two", "three")]
    for arrival in [gate.next() for _ in calls]:
        arrival.fail(google_error(403, "userRateLimitExceeded"))
    trial = gate.next()
    # A read has time to pass, and nobody else comes meanwhile.
    reading = background(read, client)
    arrival = gate.next()
    assert arrival.endpoint == cell_of("lane")
    arrival.answer({})
    assert reading.result(PATIENCE) == {}
    assert gate.is_idle
    trial.answer({"permissions": []})
    for _ in calls[1:]:
        gate.next().answer({"permissions": []})
    assert [call.result(PATIENCE) for call in calls] == [[], [], []]
    assert len(gate.seen) == 7


@pytest.mark.parametrize(
    "lost", [requests.ConnectionError("reset"), ConnectionRefusedError("no"), google_error(401)]
)
def test_what_shows_nothing_lets_no_others_through(lost, serve, client, put, gate, background):
    """One that went first and got no answer, or one about its token, is no sign for the others."""
    serve(quota_window=12.0, writes_per_minute=0)
    for lane in ("one", "two", "three"):
        put(lane, "put")
    for arrival in [gate.next() for _ in range(3)]:
        arrival.fail(google_error(429))
    gate.next().fail(lost)
    trial = gate.next()
    # A read has time to pass, and nobody else comes meanwhile.
    reading = background(read, client)
    arrival = gate.next()
    assert arrival.method == "get"
    arrival.answer({})
    assert reading.result(PATIENCE) == {}
    assert gate.is_idle
    trial.answer({})
    for _ in range(2):
        gate.next().answer({})


def test_no_limit_leaves_nothing_in_redis(serve, client, gate, raw, keys):
    """Where there are no limits and no refusals, Redis keeps no slots and nothing of the valve."""
    gate.open()
    serve()
    for lane in ("one", "two"):
        read(client, lane)
        write(client, lane)
    assert not raw.keys(keys.slots("*"))
    assert not raw.exists(keys.throttle)
    assert not raw.exists(keys.progress)


def test_many_lanes_that_wait_for_slots_hold_up_no_other(
    serve, client, put, gate, entered, background
):
    """While more lanes than there are workers wait for slots of reads, a write passes."""
    lanes = 600
    for number in range(lanes):
        put(f"lane{number}")
    serve(reads_per_minute=1, quota_window=LONG)
    assert gate.next().method == "get"
    eventually(lambda: len(entered) == lanes)
    writing = background(write, client, "another")
    arrival = gate.next()
    assert (arrival.method, arrival.lane) == ("put", "another")
    arrival.answer({"written": True})
    assert writing.result(PATIENCE) == {"written": True}
    assert gate.is_idle


def test_slots_outlive_a_change_of_server(serve, put, gate, entered, raw, keys):
    """The next server keeps to the quota that the one before has used up."""
    first = serve(reads_per_minute=1, quota_window=LONG)
    put("one")
    gate.next().answer({})
    eventually(lambda: not raw.exists(keys.lane("one")))
    first.stop()
    put("two")
    serve(reads_per_minute=1, quota_window=LONG)
    eventually(lambda: len(entered) == 2)
    put("three", "put")
    arrival = gate.next()
    assert arrival.lane == "three"
    arrival.answer({})
    assert raw.xlen(keys.lane("two")) == 1


def test_slots_that_redis_has_forgotten_are_held(serve, put, gate, namespace, raw, keys):
    """A server whose Redis was emptied holds back what it has sent within the window."""
    serve(writes_per_minute=2, quota_window=LONG)
    for lane in ("one", "two"):
        put(lane, "put")
        gate.next().answer({})
        eventually(lambda lane=lane: not raw.exists(keys.lane(lane)))
    epoch = raw.hget(keys.server, "epoch")
    raw.delete(*raw.keys(f"*{{{namespace}}}*"))
    eventually(lambda: raw.hget(keys.server, "epoch") not in (None, epoch))
    put("three", "put")
    eventually(lambda: raw.zcard(keys.slots("write")) == 2)
    assert gate.is_idle
    assert raw.xlen(keys.lane("three")) == 1


@pytest.mark.parametrize("why", ["withdrawn", "late"])
def test_a_slot_is_given_back_where_its_permit_was_lost(why, redis_url, namespace, put, raw, keys):
    """A call that is over when its server asks again, as a connection broke, keeps no slot."""
    queue = Consumer(Settings(redis_url=redis_url, namespace=namespace), "aaaa", "a")
    assert queue.beat(60).state == "taken"
    put()
    entry = queue.head("lane")
    slot = Quota().slot(Request("get", BOOK), queue.epoch)
    # The answer to this is lost; by the time it is asked again, nobody waits any more.
    assert acquire(queue, entry, "r", 3600.0, slot).word == "go"
    if why == "withdrawn":
        raw.xdel(keys.lane("lane"), entry.stream_id)
    timeout = 3600.0 if why == "withdrawn" else -1.0
    assert acquire(queue, entry, "r", timeout, slot).word == why
    assert not raw.zcard(keys.slots("read"))
