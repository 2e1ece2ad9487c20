"""How servers end, in whatever way, and what the next one makes of what they left."""

from __future__ import annotations

import os
import re
import signal

import pytest
import redis
from calls import append, insert_rows, read, send, write
from gate import Gate, GatedHTTPClient
from gspread.exceptions import APIError
from processes import run, start_python
from waiting import GRACE, PATIENCE, eventually, threads

from queued_gspread.embedded import TemporaryRedis, find_binary
from queued_gspread.embedded.binaries import version
from queued_gspread.errors import OutcomeUnknownError, ServerUnavailableError


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "stop"])
def test_a_stop_with_a_call_under_way(
    way, start_process, client, google, background, raw, keys, redis_url, namespace
):
    """A call under way is answered, what waits stays for the next server, and the exit is clean."""
    server = start_process()
    first = background(read, client)
    arrival = google.gate.next()
    second = background(read, client)
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    if way == "stop":
        stop = background(run, "stop", "--redis-url", redis_url, "--namespace", namespace)
    else:
        server.signal(getattr(signal, way))
    # It takes no lane from here on.
    server.until_log("stopping: requests in the air")
    assert server.process.poll() is None
    arrival.answer({"call": 1})
    assert first.result(PATIENCE) == {"call": 1}
    assert server.exit_status() == 0
    if way == "stop":
        done = stop.result(PATIENCE)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(rf"stopped .*:{server.process.pid} .*'{namespace}'.*\n", done.stdout)
    assert google.gate.is_idle
    assert raw.xlen(keys.lane("lane")) == 1
    assert not second.done()
    start_process()
    google.gate.next().answer({"call": 2})
    assert second.result(PATIENCE) == {"call": 2}


_WITHOUT_WAIT = """
import gspread
from queued_gspread.server import Server

class Double(gspread.HTTPClient):
    def __init__(self):
        self.auth, self.timeout = None, None

client = gspread.Client(None, http_client=lambda auth, session: Double())
Server(client).start()
"""


def test_a_server_stops_when_its_program_has_ended(redis_url, namespace, raw, keys):
    """A program that starts a server and ends leaves no process that works no more, nor a lease."""
    program = start_python(_WITHOUT_WAIT, REDIS_URL=redis_url, NAMESPACE=namespace)
    _, log = program.communicate(timeout=PATIENCE)
    assert (program.returncode, "the main thread has ended" in log) == (0, True)
    assert raw.hget(keys.server, "holder") is None


def test_a_standby_stops_when_its_program_has_ended(serve, redis_url, namespace, gate):
    """A server that stands by does not outlive its program either."""
    serve(GatedHTTPClient(gate, None))
    program = start_python(_WITHOUT_WAIT, REDIS_URL=redis_url, NAMESPACE=namespace)
    _, log = program.communicate(timeout=PATIENCE)
    assert (program.returncode, "the main thread has ended" in log) == (0, True)


def test_a_stop_without_a_server(redis_url, namespace):
    """Where no server works, a request to stop is one line on standard error and status 1."""
    done = run("stop", "--redis-url", redis_url, "--namespace", namespace)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"queued-gspread stop: no server works .*{namespace}.*\n", done.stderr)


def test_a_stop_gives_calls_the_shutdown_timeout(start_process, client, google, background, raw):
    """A call that does not end within the shutdown timeout is left, and the process ends."""
    server = start_process("--shutdown-timeout", "0")
    reading = background(read, client)
    google.gate.next()
    server.signal(signal.SIGTERM)
    assert server.exit_status() == 0
    assert "left to the next server" in server.log
    start_process()
    google.gate.next().answer({"again": True})
    assert reading.result(PATIENCE) == {"again": True}


def test_servers_that_stop_have_not_died_of_what_is_in_the_air(
    start_process, client, google, background, raw, keys
):
    """However many stop in good order during a request, its call is made by the next one."""
    server = start_process("--shutdown-timeout", "0")
    calls = [background(read, client)]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 1)
    calls.append(background(write, client))
    for _ in range(3):
        arrival = google.gate.next()
        assert raw.exists(keys.deliveries)
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0
        assert not raw.exists(keys.deliveries)
        arrival.answer({})
        server = start_process("--shutdown-timeout", "0")
    for number in range(2):
        google.gate.next().answer({"call": number})
    assert [call.result(PATIENCE) for call in calls] == [{"call": 0}, {"call": 1}]


def test_a_stop_waits_for_a_request_and_not_for_its_call(serve, callers, gate, background):
    """A request in the air is answered before the server stops; its call goes on at the next."""
    server = serve()
    reply = background(send, callers, insert_rows())
    first = gate.next()
    stop = background(server.stop)
    # From here on no further request is sent.
    eventually(lambda: not threads("valve"))
    assert not stop.done()
    first.answer({})
    stop.result(PATIENCE)
    assert gate.is_idle
    serve()
    second = gate.next()
    assert second.endpoint != first.endpoint
    second.answer({"done": True})
    assert reply.result(PATIENCE).result == {"done": True}
    assert len(gate.seen) == 2


def test_a_read_under_way_is_retried_by_the_next_server(
    start_process, client, google, background, raw, keys
):
    """A call that had only read when its server was killed is made again, unnoticed."""
    server = start_process()
    reading = background(read, client)
    google.gate.next()
    assert list(raw.hgetall(keys.progress).values()) == ["r"]
    server.kill()
    start_process(wait="working as")
    google.gate.next().answer({"again": True})
    assert reading.result(PATIENCE) == {"again": True}


def test_an_idempotent_write_under_way_is_retried(
    start_process, client, google, background, raw, keys
):
    """A PUT that was in the air when its server was killed is retried, unnoticed."""
    server = start_process()
    writing = background(write, client)
    google.gate.next()
    assert list(raw.hgetall(keys.progress).values()) == ["w"]
    server.kill()
    start_process(wait="working as")
    google.gate.next().answer({"again": True})
    assert writing.result(PATIENCE) == {"again": True}
    assert [seen.method for seen in google.gate.seen] == ["put", "put"]


def test_a_non_idempotent_write_under_way_is_not_retried(
    start_process, client, google, background, raw, keys
):
    """An append that was in the air when its server was killed ends as OutcomeUnknownError."""
    server = start_process()
    appending = background(append, client)
    arrival = google.gate.next()
    reading = background(read, client)
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    assert list(raw.hgetall(keys.progress).values()) == ["j"]
    server.kill()
    start_process()
    error = appending.exception(PATIENCE)
    assert type(error) is OutcomeUnknownError
    assert isinstance(error, APIError)
    assert (error.code, error.error["status"]) == (0, "OUTCOME_UNKNOWN")
    when = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.search(rf"POST https://sheets.*/lane/.*:append was sent at {when}, ", str(error))
    assert error.call == "http_client.values_append"
    assert error.how_to_check.startswith("look for the rows at the end of the table at 'A1', and")
    assert arrival.method == "post"
    arrival = google.gate.next()
    assert arrival.method == "get"
    arrival.answer({"next": True})
    assert reading.result(PATIENCE) == {"next": True}
    assert [seen.method for seen in google.gate.seen] == ["post", "get"]


def test_a_killed_server_ends_the_wait_of_its_callers(
    start_process, authorize, google, background, raw, keys, monkeypatch
):
    """After the grace both callers get ServerUnavailableError; what waited is never made."""
    server = start_process()
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", "1")
    impatient = authorize()
    started = background(read, impatient)
    google.gate.next()
    waiting = background(write, impatient)
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    server.kill()
    error = started.exception(PATIENCE)
    assert isinstance(error, ServerUnavailableError)
    assert "had only read, and goes no further" in str(error)
    error = waiting.exception(PATIENCE)
    assert isinstance(error, ServerUnavailableError)
    assert "not started and will not be made" in str(error)
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", str(GRACE))
    later = background(read, authorize())
    start_process()
    google.gate.next().answer({"last": True})
    assert later.result(PATIENCE) == {"last": True}
    assert [seen.method for seen in google.gate.seen] == ["get"] * 2


def test_a_redis_that_cannot_save_is_waited_for(serve, authorize, gate, background, namespace):
    """A reply that Redis refuses to take for a while, since it cannot save, is not lost."""
    # Redis 7 does not let its folder be changed unless it was told to.
    options = {"enable-protected-configs": "yes"} if version(find_binary()) >= (7, 0) else {}
    redis_of_its_own = TemporaryRedis(options=options, restricted=False)
    with redis_of_its_own as server, redis.Redis.from_url(server.url) as raw:
        working = serve(redis_url=server.url)
        writing = background(write, authorize(redis_url=server.url))
        arrival = gate.next()
        folder = server.directory / "gone"
        folder.mkdir()
        raw.config_set("dir", str(folder))
        raw.config_set("save", "3600 1")
        folder.rmdir()
        raw.bgsave()
        eventually(lambda: raw.info("persistence")["rdb_last_bgsave_status"] == "err")
        arrival.answer({"kept": True})
        eventually(lambda: raw.info("errorstats").get("errorstat_MISCONF"))
        raw.config_set("stop-writes-on-bgsave-error", "no")
        assert writing.result(PATIENCE) == {"kept": True}
        working.stop()
        # Else it would refuse to end.
        raw.config_set("save", "")


def test_a_standby_takes_over_after_a_stop(serve, client, gate, background, auth, caplog):
    """The second server of a namespace stands by while the first works, and then takes over."""
    caplog.set_level("INFO", "queued_gspread")
    first = serve()
    standby_gate = Gate()
    second = serve(GatedHTTPClient(standby_gate, auth))
    assert "standing by" in caplog.text
    reading = background(read, client)
    gate.next().answer({"by": "first"})
    assert reading.result(PATIENCE) == {"by": "first"}
    first.stop()
    reading = background(read, client)
    standby_gate.next().answer({"by": "second"})
    assert reading.result(PATIENCE) == {"by": "second"}
    assert gate.is_idle
    second.stop()


def test_a_standby_can_be_stopped(serve, gate, client):
    """A server that stands by ends when it is told to, and the one that works goes on."""
    gate.open()
    serve()
    standby = serve()
    standby.stop()
    assert not standby.is_running
    assert read(client) == {}


def test_a_standby_takes_over_after_a_kill(start_process, client, google, background):
    """A second process stands by, and works once the first was killed and its lease ran out."""
    first = start_process()
    second = start_process(wait="standing by")
    assert f":{first.process.pid} " in second.log
    reading = background(read, client)
    google.gate.next().answer({"call": 1})
    assert reading.result(PATIENCE) == {"call": 1}
    first.kill()
    reading = background(read, client)
    google.gate.next().answer({"call": 2})
    assert reading.result(PATIENCE) == {"call": 2}
    assert second.until_log("working as").process.poll() is None


def test_a_server_that_lost_its_lease_answers_nothing(
    serve, client, gate, background, raw, keys, usurp
):
    """A server whose lease was taken writes no reply and starts nothing; the new one does."""
    serve()
    reading = background(read, client)
    arrival = gate.next()
    usurper = usurp()
    arrival.answer({"by": "old"})
    eventually(lambda: not threads("lane_"))
    entry = usurper.head("lane")
    assert entry.mark == "r"
    assert not raw.exists(keys.reply(entry.job_id))
    usurper.release()
    gate.next().answer({"by": "new"})
    assert reading.result(PATIENCE) == {"by": "new"}


def test_a_server_that_lost_its_lease_sends_no_further_write(
    serve, callers, gate, background, usurp
):
    """A call of several writes stops while another server has the lease, and then goes on."""
    serve()
    reply = background(send, callers, insert_rows())
    first = gate.next()
    usurper = usurp()
    assert usurper.head("lane").mark == "j"
    first.answer({})
    eventually(lambda: not gate.is_idle or not threads("lane_"))
    assert gate.is_idle
    usurper.release()
    # The other one has decided nothing, and this process knows the first answer.
    gate.next().answer({})
    assert reply.result(PATIENCE).error is None
    assert len(gate.seen) == 2


def test_a_paused_process_notices_that_another_works(start_process, client, google, background):
    """A process that was stopped for longer than its lease stands by when it goes on."""
    first = start_process()
    second = start_process(wait="standing by")
    first.signal(signal.SIGSTOP)
    try:
        second.until_log("working as")
    finally:
        first.signal(signal.SIGCONT)
    first.until_log("standing by")
    reading = background(read, client)
    google.gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    second.signal(signal.SIGTERM)
    assert second.exit_status() == 0
    reading = background(read, client)
    google.gate.next().answer({})
    assert reading.result(PATIENCE) == {}


@pytest.mark.usefixtures("short_slices")
def test_a_redis_that_forgot_everything_is_worked_on(serve, client, gate, raw, namespace):
    """After the queue's keys were deleted, the server takes a new lease and goes on."""
    gate.open()
    serve()
    assert read(client) == {}
    for key in raw.keys(f"*{{{namespace}}}*"):
        raw.delete(key)
    assert read(client) == {}


def test_a_server_whose_pid_is_told(start_process, raw, keys):
    """What observers see of the server names its host and its process."""
    server = start_process()
    assert f"{os.uname().nodename}:{server.process.pid} " in raw.hget(keys.server, "description")
