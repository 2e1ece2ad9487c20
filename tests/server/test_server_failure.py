"""What becomes of a server when one of its threads fails: it goes on, or it ends and says so."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace

import pytest
from calls import read
from limits import UNLIMITED
from processes import start_python
from waiting import PATIENCE

from queued_gspread.broker import Consumer
from queued_gspread.errors import QueuedGspreadError, RemoteError
from queued_gspread.server import Server
from queued_gspread.server.failure import Failure
from queued_gspread.server.google.tokens import Tokens
from queued_gspread.server.lanes import scheduler as lanes
from queued_gspread.server.lanes.scheduler import Scheduler
from queued_gspread.server.pacing.ticket_queue import TicketQueue
from queued_gspread.server.replay import held as suspended

# A server's program in which a thread fails at the first call.
FAILING = """
import sys
from queued_gspread.cli import server_main
from queued_gspread.server.lanes.scheduler import Scheduler

def fails(*_):
    raise MemoryError("none left")

Scheduler._drive = fails
sys.exit(server_main([]))
"""

# A server's program that tells the names of its threads for every line of its input.
LISTING = """
import json, sys, threading
from queued_gspread.server import Server
with Server(**json.loads(sys.stdin.readline())):
    for _ in sys.stdin:
        print(json.dumps([each.name for each in threading.enumerate()]), flush=True)
"""


class Sudden(BaseException):
    """What no ``except Exception`` stops."""


ERRORS = [MemoryError(), RuntimeError("can't start new thread"), Sudden()]
# By the name of a thread: what it does at its heart, and what the server goes on after.
HEARTS = {
    "lease": (Consumer, "beat", Exception),
    "tokens": (Tokens, "step", Exception),
    "valve": (TicketQueue, "take", ()),
    "dispatcher": (Consumer, "next_ready", ()),
    "lane": (Scheduler, "_drive", ()),
    "queued-gspread": (lanes, "stop_after_main", ()),
}
EVERY = [(name, error) for name in HEARTS for error in ERRORS]


@pytest.fixture
def server(redis_url, namespace, key_file, google, hasty, timing):
    """Return a server with all the threads that one can have, and a small quota."""
    server = Server(
        service_account=key_file,
        api_endpoint=google.url,
        redis_url=redis_url,
        namespace=namespace,
        shutdown_timeout=0.5,
        timing=replace(timing, key_file_check=0.01),
        **UNLIMITED | {"reads_per_minute": 4, "quota_window": 0.5},
    )
    yield server.start()
    google.gate.open()
    server.stop()


@pytest.fixture
def fail_once(monkeypatch):
    """Return what has a thread fail at its heart, once, and returns the event of it."""

    def fail(name, error):
        raised, (owner, function, _) = threading.Event(), HEARTS[name]
        real = getattr(owner, function)

        def fails(*args, **kwargs):
            is_meant = re.fullmatch(rf"{name}(_\d+)?", threading.current_thread().name)
            if not is_meant or raised.is_set():
                return real(*args, **kwargs)
            raised.set()
            raise error

        monkeypatch.setattr(owner, function, fails)
        return raised

    return fail


def provoke(client, background):
    """Have every thread of a server do something: wait for a slot, use a worker."""
    return [background(read, client, f"lane{number}") for number in range(6)]


@pytest.mark.parametrize(
    ("name", "error"), EVERY, ids=[f"{name}-{type(error).__name__}" for name, error in EVERY]
)
def test_a_thread_that_fails(
    name, error, server, fail_once, client, google, background, raw, keys, serve, gate
):
    """After whatever a thread fails with, its server goes on, or ends and says so."""
    raised = fail_once(name, error)
    calls = provoke(client, background)
    assert raised.wait(PATIENCE)
    google.gate.open()
    if not isinstance(error, HEARTS[name][2]):
        with pytest.raises(QueuedGspreadError, match=f"{name}.*{type(error).__name__}") as told:
            server.wait()
        assert told.value.__cause__ is error
        assert not server.is_running
        assert not server.was_told_to_stop
        assert raw.hget(keys.server, "holder") is None
        background(server.stop).result(PATIENCE)
        gate.open()
        serve()
    for call in calls:
        assert isinstance(call.exception(PATIENCE), (RemoteError, type(None)))
    assert read(client, "after") == {}


def test_the_end_of_a_server_tells_no_password():
    """What a thread has failed with is told without the password of a proxy in it."""
    failure = Failure()

    def fails():
        raise ValueError("no proxy at http://me:hunter2@proxy:1")

    failure.watched(fails)()
    with pytest.raises(QueuedGspreadError, match="ValueError: no proxy at") as told:
        failure.check()
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_held_call_that_fails(error, serve, client, gate, background, monkeypatch):
    """Whatever the thread of a held call fails with is told its caller, and the lane goes on."""
    serve()

    def fails(*_):
        raise error

    monkeypatch.setattr(suspended, "run", fails)
    listing = background(client.list_spreadsheet_files)
    for _ in range(suspended.FEW + 1):
        gate.next().answer({"files": [], "nextPageToken": "more"})
    with pytest.raises(RemoteError, match=type(error).__name__):
        listing.result(PATIENCE)
    gate.open()
    assert read(client) == {}


def test_every_thread_of_a_server_is_one_that_these_tests_know(
    redis_url, namespace, key_file, google, client, background
):
    """A server with calls in every state has no thread of which nobody knows how it fails."""
    where = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": google.url}
    options = {"service_account": str(key_file), **where, **UNLIMITED}
    with start_python(LISTING) as program:
        print(json.dumps(options), file=program.stdin, flush=True)
        calls = [background(read, client, f"lane{number}") for number in range(4)]
        for _ in calls:
            google.gate.next()
        listing = background(client.list_spreadsheet_files)
        for _ in range(suspended.FEW + 1):
            google.gate.next().answer({"files": [], "nextPageToken": "more"})
        held = google.gate.next()
        print(file=program.stdin, flush=True)
        names = {re.sub(r"_\d+$", "", name) for name in json.loads(program.stdout.readline())}
        assert names == {"MainThread", "held call", *HEARTS}
        held.answer({"files": []})
        google.gate.open()
        program.stdin.close()
        assert program.wait(PATIENCE) == 0
    assert [call.result(PATIENCE) for call in [*calls, listing]] == [{}, {}, {}, {}, []]


def test_a_process_whose_thread_has_failed_ends_with_a_status(
    redis_url, namespace, key_file, google, client, background, serve, gate, raw, keys
):
    """The command says in a line which thread has failed, and its status is not 0."""
    variables = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "API_ENDPOINT": google.url}
    variables |= {"SERVICE_ACCOUNT": str(key_file), "SHUTDOWN_TIMEOUT": "0.5"}
    with start_python(FAILING, **variables) as program:
        reading = background(read, client)
        _, told = program.communicate(timeout=PATIENCE)
    assert program.returncode == 1
    assert re.search(
        r"^queued-gspread-server: .*'lane.*MemoryError: none left$", told, re.MULTILINE
    )
    assert raw.hget(keys.server, "holder") is None
    gate.open()
    serve()
    assert reading.result(PATIENCE) == {}


@pytest.mark.parametrize("name", ["lease", "tokens", "valve", "dispatcher"])
def test_a_server_that_cannot_have_a_thread_does_not_start(
    name, server, monkeypatch, raw, keys, client, background, serve, gate
):
    """Whichever thread there can be none for, start or wait raises, and stop returns."""
    server.stop()
    real = threading.Thread.start

    def start(thread):
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(QueuedGspreadError, match="can't start new thread"):
        background(lambda: server.start().wait()).result(PATIENCE)
    background(server.stop).result(PATIENCE)
    assert raw.hget(keys.server, "holder") is None


def test_what_is_left_of_a_run_ends_no_later_one(serve, client, gate):
    """A thread of a run that has ended, a hung request's say, fails without a later run."""
    server = serve()
    left = server._failure.watched(lambda: 1 / 0)
    server.stop()
    server.start()
    left()
    gate.open()
    assert read(client) == {}
    assert server.is_running
