"""The rules of docs/security.md, as they stand there: enough for each part, and no more."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from functools import cached_property

import pytest
import redis
from calls import append, read
from dashboards import dashboard
from gate import cell_of, google_error
from one_job import acquire, answer, release_slot
from places import DOCS
from processes import run
from topologies import Daemon, full_version
from waiting import PATIENCE, eventually

import queued_gspread.asyncio
from queued_gspread.broker import (
    FORMAT,
    Consumer,
    Holdups,
    JournalUpdate,
    Producer,
    Project,
    Promises,
    Slot,
    failed_calls,
)
from queued_gspread.broker.failed_calls import FailedCall
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.embedded.binaries import version
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallCancelledError,
    CallTimeoutError,
    OutcomeUnknownError,
    QueueDrainedError,
    SignatureError,
    VersionMismatchError,
)
from queued_gspread.monitor import look
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

PAGE = DOCS / "security.md"
# The page's own.
NAMESPACE = "default"
KEYS = Keys(NAMESPACE)
OTHER = Keys("other")
LENDER = "lender@project.example"


def commands(heading):
    """Return the commands that stand beneath a heading of the page."""
    section = re.split(r"^#+ ", PAGE.read_text(), flags=re.MULTILINE)
    part = next(part for part in section if part.startswith(heading))
    block = re.search(r"^```text\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return [line for line in block[1].splitlines() if line]


def rules(heading):
    """Return those of them that make a user."""
    return [command for command in commands(heading) if command.startswith("ACL SETUSER ")]


def load(daemon, heading):
    for rule in rules(heading):
        assert daemon.ask(*rule.split()) == "OK"


@pytest.mark.parametrize("heading", ["Redis 7", "Redis 6.2", "Sentinel"])
def test_each_user_has_all_rights_at_once(heading):
    """The page has one line for each user, so that no moment has a user with half of them."""
    users = [rule.split()[2] for rule in rules(heading)]
    assert len(users) == len(set(users)) > 0


@pytest.mark.parametrize("keeps", ["aclfile", "configuration"])
def test_users_are_there_after_a_restart(binary, tmp_path, keeps):
    """All lines of the page make users that a restart of Redis does not take away."""
    heading = "Redis 6.2" if version(binary) < (7, 0) else "Redis 7"
    *made, kept = commands(heading)
    file = tmp_path / "users.acl"
    file.touch()
    with Daemon(binary, [f"aclfile {file}"] if keeps == "aclfile" else []) as daemon:
        for command in [*made, kept if keeps == "aclfile" else "CONFIG REWRITE"]:
            assert daemon.ask(*command.split()) == "OK"
        users = daemon.ask("ACL", "USERS")
        daemon.kill()
        daemon.start()
        assert daemon.ask("ACL", "USERS") == users
        assert len(users) == len(made) + 1


def test_a_user_is_there_after_a_restart_of_a_sentinel(binary):
    """All lines of the page make a user of a Sentinel that its restart does not take away."""
    with Daemon(binary, arguments=["--sentinel"]) as daemon:
        for command in commands("Sentinel"):
            assert daemon.ask(*command.split()) == "OK"
        daemon.kill()
        daemon.start()
        assert "queued-gspread" in daemon.ask("ACL", "USERS")


@pytest.fixture
def namespace():
    """Return the namespace that the page's rules are for."""
    return NAMESPACE


@pytest.fixture(scope="module")
def loaded(binary):
    """Return a Redis with the users of the page."""
    with Daemon(binary) as daemon:
        load(daemon, "Redis 6.2" if version(binary) < (7, 0) else "Redis 7")
        yield daemon


@pytest.fixture
def guarded(loaded):
    """Return the same, empty, and without what it has refused before."""
    loaded.ask("FLUSHALL")
    loaded.ask("ACL LOG", "RESET")
    return loaded


@pytest.fixture
def url_of(guarded):
    """Return the URL of a part."""
    return lambda part: f"redis://queued-gspread-{part}:{part}-password@{guarded.host}/0"


@pytest.fixture
def settings_of(url_of):
    def make(part, **given):
        return Settings(redis_url=url_of(part), namespace=NAMESPACE, **given)

    return make


def denied(daemon):
    """Return what Redis has refused, but for the name that redis-py tells."""
    with daemon.client() as client:
        told = [f"{entry['username']}: {entry['object']}" for entry in client.acl_log()]
    # What redis-py tells of itself, and what a server asks first.
    return [text for text in told if not re.search(r": (client|config)\b", text)]


def test_calls_are_made_by_these_users(guarded, url_of, settings_of, start_server, client_of, tell):
    """Servers work, stand by, take over and stop, and calls are made, as the page's users."""
    first = start_server(url_of("server"))
    second = start_server(url_of("server"), wait="standing by")
    sheet = client_of(url_of("client")).create("Book").sheet1
    sheet.append_row(["a"])
    assert f":{first.process.pid} " in Producer(settings_of("observer")).alive().about
    first.kill()
    second.until_log("working as")
    assert sheet.col_values(1) == ["a"]
    assert run("stop", REDIS_URL=url_of("server"), NAMESPACE=NAMESPACE).returncode == 0
    assert second.exit_status() == 0
    timed = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE, timeout=0.1)
    with pytest.raises(CallTimeoutError, match="was not started and will not be made"):
        timed.open("Book")
    assert denied(guarded) == []
    assert "could not ask Redis" not in second.log
    tell(f"ACL on {full_version(guarded.binary)}: calls, a takeover, a stop, a withdrawal")


def test_calls_that_nobody_waits_for_with_these_users(
    new_connections, guarded, url_of, settings_of, serve, gate, signing_key
):
    """Signed calls are left, made, kept as failed and seen by an observer, over a takeover."""
    own = {"redis_url": url_of("server"), "signing_key_file": signing_key}
    where = {"redis_url": url_of("client"), "namespace": NAMESPACE, "signing_key_file": signing_key}
    http = queued_gspread.authorize(**where).http_client
    first = serve(**own)
    for made in (1, 2):
        with queued_gspread.pipeline(wait=False):
            http.values_append("lane", "A1", {"valueInputOption": "RAW"}, {"values": [["x"]]})
        gate.next().fail(google_error(403))
        eventually(lambda made=made: len(failed_calls(settings_of("observer"))) == made)
        first.stop()
        first = serve(**own)
    assert {call.http_status for call in failed_calls(settings_of("observer"))} == {403}
    assert denied(guarded) == []


def test_an_observer_reads_the_snapshot(
    new_connections, guarded, url_of, settings_of, serve, gate, background, timing
):
    """An observer may read all of the snapshot: servers, lanes, quota, callers, outcomes."""
    often = replace(timing, publish=0.01)
    serve(redis_url=url_of("server"), writes_per_minute=60, timing=often)
    client = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE)
    failing = background(append, client)
    gate.next().fail(google_error(403))
    failing.exception(PATIENCE)
    call = background(append, client)
    held = gate.next()

    def seen():
        found = look(settings_of("observer"))
        is_complete = found.worker and found.lanes and found.lanes[0].method and found.callers
        return found if is_complete else None

    found = eventually(seen)
    writes = next(each for each in found.quota if each.kind == "write")
    assert (writes.in_the_air, len(found.outcomes), found.account != "") == (1, 1, True)
    operator = Operator(settings_of("operator"), "ann@web1")
    operator.pause("read", why="a move")
    found = look(settings_of("observer"))
    assert [(each.by, each.why) for each in found.paused] == [("ann@web1", "a move")]
    assert [each.what for each in found.actions] == ["pause reads"]
    # A server reads it for its metrics.
    assert look(settings_of("server")).worker.id == found.worker.id
    operator.resume()
    held.answer({})
    call.result(PATIENCE)
    for command in ("status", "lanes", "callers", "health", "outcomes"):
        assert run(command, REDIS_URL=url_of("observer"), NAMESPACE=NAMESPACE).returncode == 0
    assert denied(guarded) == []


def test_calls_of_asyncio_are_made_by_this_user(guarded, url_of, serve, gate):
    """The client's user may do what a client of asyncio does, its wake and withdrawals included."""
    serve(redis_url=url_of("server"))

    async def main():
        client = queued_gspread.asyncio.authorize(redis_url=url_of("client"), namespace=NAMESPACE)
        calls = [
            asyncio.ensure_future(client.http_client.request("get", cell_of(lane)))
            for lane in ("first", "second", "third")
        ]
        first = await asyncio.to_thread(gate.next)
        later = asyncio.ensure_future(client.http_client.request("get", cell_of("later")))
        calls.pop().cancel()
        gate.open()
        first.answer()
        await asyncio.gather(*calls, later)

    asyncio.run(main())
    assert denied(guarded) == []


def test_locks_are_held_by_these_users(guarded, url_of, settings_of, serve, gate, background):
    """A spreadsheet is locked, waited for, seen, broken and released as the page's users."""
    serve(redis_url=url_of("server"))
    gate.open()
    http = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE).http_client
    sheet, queue = worksheet(http), Producer(settings_of("server"))

    def wait_for_it():
        with queued_gspread.lock(sheet, worksheet(http, "b"), hold=60):
            return http.request("get", cell_of("a"))

    with queued_gspread.lock(sheet):
        http.request("get", cell_of("a"))
        waiting = background(wait_for_it)
        eventually(lambda: guarded.ask("XLEN", KEYS.lane("a")) == 2)
        (holder,) = Producer(settings_of("observer")).holders()
    assert waiting.result(PATIENCE).ok
    assert not queue.break_lock(holder)
    with queued_gspread.lock(sheet):
        assert queue.break_lock(*queue.holders())
    assert Producer(settings_of("observer")).holders() == []
    assert denied(guarded) == []


def test_idempotency_keys_with_these_users(guarded, url_of, settings_of, serve, gate, background):
    """A call is made once, is left unknown, and is seen and settled, by the page's users alone."""
    serve(redis_url=url_of("server"))
    http = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE).http_client
    where = "a", "A1", {"valueInputOption": "RAW"}, {"values": [["x"]]}

    def keyed():
        with queued_gspread.idempotency_key("order-1"):
            return http.values_append(*where)

    first = background(keyed)
    gate.next().fail(google_error(503))
    assert isinstance(first.exception(PATIENCE), OutcomeUnknownError)
    (call,) = Promises(settings_of("observer")).all()
    assert call.state == "unknown"
    assert Promises(settings_of("server")).settle(call, "", 60.0) == "settled"
    again = background(keyed)
    gate.next().answer({"answer": 1})
    assert again.result(PATIENCE) == keyed() == {"answer": 1}
    assert denied(guarded) == []


@pytest.mark.parametrize(("part", "key"), [("client", "promises"), ("observer", "promised")])
def test_what_is_kept_is_read_by_servers(guarded, url_of, part, key):
    """A client sees nothing of what is kept under keys, and an observer no answer."""
    with (
        redis.Redis.from_url(url_of(part)) as user,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        user.hget(getattr(KEYS, key), "0 order-1")


def worksheet(http, book="a"):
    """Return a worksheet of a gated spreadsheet."""
    return queued_gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, book, http)


@pytest.mark.parametrize("is_signed", [False, True])
def test_an_operator_acts_as_this_user(
    guarded, url_of, settings_of, serve, gate, background, signing_key, is_signed
):
    """As the page's user calls are paused, cancelled, kept out, and locks and servers ended."""
    own = {"signing_key_file": str(signing_key)} if is_signed else {}
    server = serve(redis_url=url_of("server"), **own)
    gate.open()
    operator = Operator(settings_of("operator", **own), "ann@web1")
    client = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE, **own)
    operator.pause("all", "a", "a move")
    calls = [background(append, client, lane) for lane in "aab"]
    assert calls.pop().result(PATIENCE) == {}
    eventually(lambda: guarded.ask("XLEN", KEYS.lane("a")) == 2)
    first, second = operator.jobs("a")
    kept = FailedCall("J1", "?", "a", "?", "PoisonedJobError", sort="poisoned").encode()
    assert operator.cancel(second, "twice", kept) == "withdrawn"
    operator.dismiss(*operator.failures()[0])
    assert operator.failures() == []
    (cancelled,) = wait(calls, PATIENCE, FIRST_COMPLETED).done
    with pytest.raises(CallCancelledError, match="by ann@web1: twice"):
        cancelled.result()
    assert operator.find(first.job_id) is not None
    with queued_gspread.lock(worksheet(client.http_client, "b")):
        queue = Producer(settings_of("operator"))
        assert queue.break_lock(*queue.holders())
    operator.drain()
    with pytest.raises(QueueDrainedError):
        append(client, "b")
    assert len(operator.pauses()) == len(operator.resume()) == 2
    eventually(lambda: operator.waiting() == 0)
    Consumer(settings_of("operator")).request_stop(server.server_id, operator.by)
    server.wait()
    assert denied(guarded) == []


def test_a_dashboard_looks_as_an_observer_and_acts_as_an_operator(
    guarded, url_of, settings_of, serve, gate, background
):
    """With both users the dashboard shows and does everything; the observer alone shows no call."""
    serve(redis_url=url_of("server"))
    gate.open()
    Operator(settings_of("operator"), "ann@web1").pause("all")
    client = queued_gspread.authorize(redis_url=url_of("client"), namespace=NAMESPACE)
    calls = [background(append, client, lane) for lane in "aa"]
    eventually(lambda: guarded.ask("XLEN", KEYS.lane("a")) == 2)
    with dashboard(url_of("observer"), NAMESPACE, act=settings_of("operator")) as site:
        assert site.get("snapshot?parts=lanes")[1]["parts"]["lanes"][0]["calls"] == 2
        assert site.get("outcomes")[0] == 200
        job = site.get("lanes/a/jobs")[1]["jobs"][1]["job"]
        assert site.post("cancel", job=job, lane="a")[0] == 200
        asked = site.post("purge-question")[1]
        assert (asked["calls"], site.post("purge", last=asked["last"])[0]) == (1, 200)
        assert [site.post(name)[0] for name in ("drain", "resume")] == [200, 200]
    for call in calls:
        assert isinstance(call.exception(PATIENCE), CallCancelledError)
    assert denied(guarded) == []
    with dashboard(url_of("observer"), NAMESPACE) as site:
        assert site.get("snapshot")[1]["error"] == ""
        status, told = site.get("lanes/a/jobs")
        assert (status, "its ACL does not let" in told["error"]["message"]) == (503, True)
        assert site.post("pause")[0] == 503


@pytest.mark.parametrize("part", ["client", "observer"])
def test_only_an_operator_acts(guarded, settings_of, part):
    """A client's or an observer's user pauses and drains nothing, and the error says why."""
    operator = Operator(settings_of(part), "ann@web1")
    failed = FailedCall("J1", "?", "a", "?", "E")
    guarded.ask("ZADD", KEYS.failed, 1, failed.encode().decode())
    acts = [lambda: operator.pause("all"), operator.drain, lambda: operator.note("x")]
    for act in (*acts, lambda: operator.dismiss(failed, failed.encode())):
        with pytest.raises(BrokerUnavailableError, match="its ACL does not let"):
            act()
    assert guarded.ask("EXISTS", KEYS.server, KEYS.actions) == 0
    assert guarded.ask("ZCARD", KEYS.failed) == 1


@pytest.mark.parametrize("part", ["client", "observer"])
def test_only_a_server_is_stopped_by_its_user(guarded, settings_of, url_of, part):
    """A client's or an observer's user stops no server, and the command says why."""
    server = Consumer(settings_of("server"), "aaaa", "server")
    # The lease of an earlier test's server may have to run out.
    eventually(lambda: server.beat(60).epoch)
    stopping = run("stop", REDIS_URL=url_of(part), NAMESPACE=NAMESPACE)
    assert stopping.returncode == 1
    assert "its ACL does not let" in stopping.stderr
    assert "password" not in stopping.stderr
    assert guarded.ask("EXISTS", KEYS.control("aaaa")) == 0


def test_every_script_runs_as_these_users(guarded, settings_of, background):
    """Every path of the queue, those that tests alone reach too, is allowed to its part."""
    server, colleague = (
        Consumer(settings_of("server"), name, name, lenders=[LENDER]) for name in ("aaaa", "bbbb")
    )
    callers = Producer(settings_of("client", grace=60.0))
    assert server.check_redis() is None
    assert server.beat(60).state == "taken"
    assert server.others() == []
    assert colleague.beat(60).state == "held"
    job_id = new_id()
    reply = background(callers.call, job_id, "lane", b"job")
    assert server.next_ready().lane == "lane"
    head = server.head("lane")
    slot = Slot("write", "slot", 1, 0.001)
    permit = acquire(server, head, "j", None, slot, JournalUpdate(0, (b"=",), "slot", b"told"))
    assert permit.word == "go"
    assert acquire(server, head, "w", None, Slot("write", "other", 1, 60.0)).word == "wait"
    lent = Slot("write", "lent", 1, 60.0, account=LENDER, project=Project(("", LENDER), 9))
    sent_as = acquire(server, head, "r", None, lent)
    assert (sent_as.word, sent_as.account) == ("go", LENDER)
    release_slot(server, head, lent, sent_as.sent, refused=True)
    server.exchange_slots("owner@x", LENDER, 60.0)
    assert len(server.journal(head)) == 2
    assert server.is_replicated([head]) is False
    release_slot(server, head, slot, permit.sent, refused=True, attempt="slot", answered=b"=")
    release_slot(server, head, slot, permit.sent, back_to="r", attempt="slot")
    server.requeue()
    server.poison(head)
    assert server.recover(60.0).lanes == 1
    assert server.next_ready().lane == "lane"
    assert answer(server, head, b"reply") is None
    assert reply.result(PATIENCE) == b"reply"
    callers.forget(job_id)
    assert server.renewal(job_id) is None
    server.release()
    assert colleague.beat(60).state == "taken"
    assert denied(guarded) == []


@pytest.mark.parametrize("number", [1, FORMAT + 1])
def test_a_server_of_another_format_is_seen_by_these_users(guarded, settings_of, number):
    """A client, an observer and a server see that a server of another format works."""
    prefix = KEYS.formats.removesuffix("formats") + (f"{number}:" if number > 1 else "")
    guarded.ask("HSET", KEYS.formats, "known", FORMAT + 1)
    now = guarded.ask("TIME")[0] * 1000
    guarded.ask("HSET", f"{prefix}server", "last_beat", now, "description", "it")
    with pytest.raises(VersionMismatchError, match=f"it with queue format {number} works"):
        Producer(settings_of("client")).call(new_id(), "lane", b"job")
    assert [other.about for other in Producer(settings_of("observer")).see().others] == ["it"]
    assert [other.about for other in Consumer(settings_of("server")).others()] == ["it"]
    assert denied(guarded) == []


def test_a_caller_asks_as_this_user_why_it_waits(guarded, settings_of):
    """A caller may see what the server says, and how many calls stand before its own."""
    said = Holdups(token=1.0)
    Consumer(settings_of("server"), "aaaa", holdups=said.encode).beat(60)
    callers, wait = Producer(settings_of("client")), Wait(new_id(), "lane", None)
    for _ in range(3):
        # Large enough not to be counted, but the last.
        callers.enqueue(Wait(new_id(), "lane", None), b"x" * 600_000)
    wait.stream_id = callers.enqueue(wait, b"job")
    why = callers.see(wait, asks=True).why
    assert why == {"ahead": 3, "is_exact": False, "holdups": said, "lock": None}
    assert denied(guarded) == []


@pytest.mark.parametrize(("mark", "fate"), [("", "withdrawn"), ("r", "ended"), ("j", "started")])
def test_a_caller_that_gives_up_as_this_user(guarded, settings_of, mark, fate):
    """A caller may take its job back, before its call and while it is made."""
    server, callers = Consumer(settings_of("server"), "aaaa"), Producer(settings_of("client"))
    server.beat(60)
    wait = Wait(new_id(), "lane", None)
    entry = callers.enqueue(wait, b"job")
    if mark:
        assert acquire(server, server.head("lane"), mark, None).word == "go"
    # Where the enqueue was not confirmed, the job is looked for.
    assert callers.withdraw(wait) == fate
    wait.stream_id = entry
    assert callers.withdraw(wait) == fate
    assert denied(guarded) == []


@pytest.fixture
def swapped(guarded, url_of, serve, client_of, gate, background):
    """Return what has a client append a row, and another put a read in the waiting job's place."""

    def swap(**options):
        serve(redis_url=url_of("server"), **options)
        client, lane = client_of(url_of("client"), **options), KEYS.lane("lane")
        calls = []
        for call in (read, read, append):
            calls.append(background(call, client))
            eventually(lambda: guarded.ask("XLEN", lane) == len(calls))
        held = gate.next()
        with redis.Redis.from_url(url_of("client")) as other:
            _, (_, reading), (place, appending) = other.xrange(lane)
            other.xdel(lane, place)
            other.xadd(lane, {"id": appending[b"id"], "body": reading[b"body"]})
        held.answer({})
        for _ in range(1 if options else 2):
            gate.next().answer({"read": True})
        wait(calls, PATIENCE)
        assert calls[1].result() == {"read": True}
        assert {seen.method for seen in gate.seen} == {"get"}
        return calls[2]

    return swap


def test_a_client_can_swap_the_job_of_another(swapped):
    """As the page says: without signing, one client has another believe that its call was made."""
    assert swapped().result().json() == {"read": True}


def test_a_signed_job_cannot_be_swapped(swapped, signing_key):
    """With signing, another's job in its place is not made, and no answer to it is taken."""
    appended = swapped(signing_key_file=signing_key)
    with pytest.raises(SignatureError, match="somebody else writes to this Redis"):
        appended.result()


SCRIPT = "return redis.call(unpack(ARGV))"
NOBODY = [
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["KEYS", "*"],
    ["SCAN", "0"],
    ["CONFIG", "GET", "requirepass"],
    ["CONFIG", "SET", "maxmemory", "1"],
    ["ACL", "LIST"],
    ["CLIENT", "LIST"],
    ["MONITOR"],
    ["SLOWLOG", "GET"],
    ["SHUTDOWN"],
    ["REPLICAOF", "NO", "ONE"],
    ["SCRIPT", "FLUSH"],
    ["CLUSTER", "RESET"],
    ["DUMP", KEYS.lane("lane")],
    ["XADD", OTHER.lane("lane"), "*", "id", "x"],
    ["XRANGE", OTHER.lane("lane"), "-", "+"],
    ["HGET", OTHER.server, "epoch"],
    ["EVAL", SCRIPT, "1", OTHER.server, "HSET", OTHER.server, "epoch", "9"],
    ["EVAL", SCRIPT, "1", KEYS.server, "HSET", OTHER.server, "epoch", "9"],
    ["EVAL", SCRIPT, "0", "FLUSHALL"],
]
CLIENT = [
    ["BLPOP", KEYS.ready_under("1"), "0"],
    ["RPUSH", KEYS.control("aaaa"), "stop"],
    ["HSET", KEYS.throttle, "next", "9"],
    ["ZADD", KEYS.slots("read"), "9", "x"],
    ["SMEMBERS", KEYS.active],
    ["EVAL", SCRIPT, "1", KEYS.throttle, "HSET", KEYS.throttle, "next", "9"],
]
# What Redis 6.2 cannot forbid a client.
CLIENT_SINCE_7 = [
    ["XADD", KEYS.reply("x"), "*", "body", "x"],
    ["HSET", KEYS.server, "epoch", "9"],
    ["HDEL", KEYS.server, "holder"],
    ["DEL", KEYS.server],
    ["EVAL", SCRIPT, "1", KEYS.server, "HSET", KEYS.server, "epoch", "9"],
    ["EVAL", SCRIPT, "1", KEYS.reply("x"), "XADD", KEYS.reply("x"), "*", "body", "x"],
]
OPERATOR = [
    ["HSET", KEYS.throttle, "next", "9"],
    ["ZADD", KEYS.slots("read"), "9", "x"],
    ["SET", KEYS.account, "x"],
    ["LRANGE", KEYS.journal("x"), "0", "-1"],
    ["XREAD", "STREAMS", KEYS.reply("x"), "0"],
    ["BLPOP", KEYS.ready_under("1"), "0"],
    ["SADD", KEYS.active, "x"],
    ["EVAL", SCRIPT, "1", KEYS.throttle, "HSET", KEYS.throttle, "next", "9"],
]
OBSERVER = [
    ["HSET", KEYS.server, "paused", "x"],
    ["XADD", KEYS.actions, "*", "by", "x"],
    *CLIENT_SINCE_7,
    ["XRANGE", KEYS.lane("lane"), "-", "+"],
    ["XREVRANGE", KEYS.lane("lane"), "+", "-"],
    ["XREAD", "STREAMS", KEYS.lane("lane"), "0"],
    ["XREAD", "STREAMS", KEYS.reply("x"), "0"],
    ["XINFO", "STREAM", KEYS.lane("lane")],
    ["XADD", KEYS.lane("lane"), "*", "id", "x"],
    ["XDEL", KEYS.lane("lane"), "1-1"],
    ["UNLINK", KEYS.reply("x")],
    ["ZADD", KEYS.failed, "1", "x"],
    ["ZREM", KEYS.failed, "x"],
    ["ZADD", KEYS.outcomes, "1", "x"],
    ["ZREM", KEYS.errors, "x"],
    ["HSET", KEYS.published, "work", "x"],
    ["SET", KEYS.account, "x"],
    ["ZADD", KEYS.slots("read"), "9", "x"],
    ["SADD", KEYS.active, "x"],
    ["RPUSH", KEYS.control("aaaa"), "stop"],
    ["EVAL", SCRIPT, "1", KEYS.lane("lane"), "XRANGE", KEYS.lane("lane"), "-", "+"],
]
WATCHED = [
    ["SMEMBERS", KEYS.active],
    ["XLEN", KEYS.lane("lane")],
    ["LLEN", KEYS.ready_under("1")],
    ["HGETALL", KEYS.server],
    ["HGETALL", KEYS.progress],
    ["HGETALL", KEYS.throttle],
    ["ZCARD", KEYS.slots("read")],
    ["ZCOUNT", KEYS.slots("read"), "0", "inf"],
    ["TIME"],
    ["GET", KEYS.depth],
    ["XLEN", KEYS.poisoned],
    ["HGET", KEYS.server, "description"],
    ["ZCARD", KEYS.failed],
    ["ZRANGE", KEYS.failed, "0", "-1", "WITHSCORES"],
    ["ZRANGE", KEYS.outcomes, "0", "-1", "WITHSCORES"],
    ["ZRANGE", KEYS.errors, "0", "-1", "WITHSCORES"],
    ["ZRANGE", KEYS.slots("read"), "0", "-1", "WITHSCORES"],
    ["HGETALL", KEYS.published],
    ["GET", KEYS.account],
]


@pytest.fixture
def allows(url_of):
    """Return what tells whether a part may send a command."""

    def ask(part, command):
        with redis.Redis.from_url(url_of(part), protocol=2) as client:
            try:
                client.execute_command(*command)
            except redis.ResponseError as error:
                # From inside a script, Redis 6 says it in other words.
                if re.search("(?i)permission|can't run|can't access", str(error)):
                    return False
                raise
        return True

    return ask


@pytest.mark.parametrize("part", ["client", "server", "observer", "operator"])
def test_what_nobody_may(part, allows):
    """No part may touch other namespaces, or what belongs to whoever administers Redis."""
    assert [command for command in NOBODY if allows(part, command)] == []


def test_what_a_client_may_not(allows, binary):
    """A client touches neither quota nor control, and from Redis 7 on neither lease nor replies."""
    assert [command for command in CLIENT if allows("client", command)] == []
    # The page says so.
    too_much = CLIENT_SINCE_7 if version(binary) < (7, 0) else []
    assert [command for command in CLIENT_SINCE_7 if allows("client", command)] == too_much


def test_what_an_operator_may_not(allows):
    """An operator touches neither quota nor account, makes no calls, and reads no answer."""
    assert [command for command in OPERATOR if allows("operator", command)] == []


def test_what_an_observer_may(allows):
    """An observer sees lanes, server and quota; it changes nothing and reads no body."""
    assert [command for command in WATCHED if not allows("observer", command)] == []
    assert [command for command in OBSERVER if allows("observer", command)] == []


# All keys of a namespace, those that may be many by one of them; and one of each other sort.
EVERY_KEY = {
    **{
        name: getattr(KEYS, name)
        for name, kind in vars(Keys).items()
        if isinstance(kind, cached_property) and name not in ("pattern", "ready")
    },
    "ready": KEYS.ready_under("1"),
    **{name: getattr(KEYS, name)("x") for name in ("control", "journal", "lane", "renewal")},
    **{name: getattr(KEYS, name)("x") for name in ("reply", "slots", "wake")},
    "another namespace": OTHER.lane("x"),
    "another program": "x",
}
SEEN_BY_OBSERVER = {
    "account": {"get"},
    "active": {"scard", "smembers"},
    "deliveries": {"hlen"},
    "depth": {"get"},
    "errors": {"zcard", "zrange"},
    "failed": {"zcard", "zrange"},
    "formats": {"hget"},
    "lane": {"xlen"},
    "locks": {"hget", "hgetall"},
    "outcomes": {"zcard", "zrange"},
    "poisoned": {"xlen"},
    "progress": {"hgetall", "hlen"},
    "promises": {"hscan"},
    "published": {"hgetall"},
    "ready": {"llen"},
    "server": {"hget", "hgetall", "hmget"},
    "slots": {"zcard", "zcount", "zrange"},
    "throttle": {"hgetall"},
}
USED_BY_OPERATOR = {
    "actions": {"xadd"},
    "active": {"smembers", "srem"},
    "control": {"expire", "rpush"},
    "dedup": {"zadd", "zscore"},
    "deliveries": {"hdel"},
    "depth": {"del", "get", "incrby"},
    "errors": {"zrange", "zrem"},
    "failed": {"zadd", "zrange", "zrem", "zremrangebyrank"},
    "formats": {"hget"},
    "journal": {"del"},
    "lane": {"del", "xdel", "xlen", "xrange"},
    "locks": {"hdel", "hget", "hgetall", "hkeys", "hset"},
    "outcomes": {"zrange", "zrem"},
    "poisoned": {"xdel", "xrange"},
    "progress": {"hdel", "hget"},
    "ready": {"lrem", "rpush"},
    "reply": {"exists", "expire", "xadd"},
    "server": {"hdel", "hget", "hmget", "hset"},
}


@pytest.mark.parametrize(
    ("part", "may"), [("observer", SEEN_BY_OBSERVER), ("operator", USED_BY_OPERATOR)]
)
def test_a_part_may_do_what_it_does_and_nothing_else(guarded, url_of, binary, part, may):
    """Of all commands that Redis has, each of these users may send those of its work to their keys.

    Redis 6.2 has no brackets, so there it may send each of them to each of these keys.
    """
    commands = [[name, *key_at(told)] for name, told in all_commands(guarded)]
    asked = [
        (command[0], sort, [key if part is None else part for part in command])
        for command in commands
        for sort, key in EVERY_KEY.items()
    ]
    with redis.Redis.from_url(url_of(part), protocol=2) as client:
        client.response_callbacks.clear()
        pipeline = client.pipeline(transaction=False)
        for _, _, command in asked:
            pipeline.execute_command(*command)
        told = pipeline.execute(raise_on_error=False)
    allowed = {}
    for (name, sort, _), found in zip(asked, told, strict=True):
        if not isinstance(found, redis.exceptions.NoPermissionError):
            allowed.setdefault(sort, set()).add(name)
    assert len(asked) > 3000
    if version(binary) < (7, 0):
        may = dict.fromkeys(may, set().union(*may.values()))
    assert allowed == may


def all_commands(daemon):
    """Yield the commands that take a key in a fixed place, and what Redis says of each."""
    for name, told in daemon.ask("COMMAND").items():
        if told["first_key_pos"] > 0 and not name.startswith("eval"):
            yield name, told


def key_at(told):
    """Return the arguments of a command, as few as it takes; None for its key."""
    count, first = abs(told["arity"]) - 1, told["first_key_pos"]
    return ["1"] * (first - 1) + [None] + ["1"] * (count - first)


@pytest.fixture
def select(guarded):
    """Return what lets a part choose a database, as the page says, until the test is over."""
    parts = []

    def grant(part):
        parts.append(part)
        guarded.ask("ACL", "SETUSER", f"queued-gspread-{part}", "+select")

    yield grant
    for part in parts:
        guarded.ask("ACL", "SETUSER", f"queued-gspread-{part}", "-select")


def test_another_database_takes_one_rule_more(url_of, select):
    """In a database of their own the parts need one command more, and no other."""
    there = {part: Settings(f"{url_of(part)[:-1]}1", NAMESPACE) for part in ("server", "observer")}
    server = Consumer(there["server"], "aaaa", "server")
    with pytest.raises(BrokerUnavailableError, match="select"):
        server.beat(5)
    for part in there:
        select(part)
    assert server.beat(5).state == "taken"
    assert Producer(there["observer"]).alive().server_id == "aaaa"


def test_a_refusal_is_told(guarded, settings_of):
    """A part that is used for another's work is told that its user may not."""
    with pytest.raises(BrokerUnavailableError, match="its ACL does not let"):
        Consumer(settings_of("observer"), "aaaa").beat(5)
    eventually(lambda: denied(guarded))


def test_sentinels_with_a_user(binary, namespace):
    """The user for Sentinels is enough to find the master, and may do nothing else."""
    with Daemon(binary) as master:
        watch = f"sentinel monitor mymaster 127.0.0.1 {master.port} 1"
        with Daemon(binary, [watch], ("--sentinel",)) as sentinel:
            load(sentinel, "Sentinel")
            query = "sentinel_username=queued-gspread&sentinel_password=sentinel-password"
            url = f"redis+sentinel://{sentinel.host}/mymaster?{query}"
            queue = Consumer(Settings(redis_url=url, namespace=namespace), "aaaa", "server")
            assert queue.beat(5).state == "taken"
            assert queue.ask_for_master(PATIENCE).address == ("127.0.0.1", master.port)
            assert not queue.master.is_partial
            user = {"username": "queued-gspread", "password": "sentinel-password"}
            with sentinel.client(**user) as client, pytest.raises(redis.ResponseError):
                client.execute_command("SENTINEL REMOVE", "mymaster")
