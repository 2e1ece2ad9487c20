"""What a server tells the service manager that has started it, on a real datagram socket."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import sys
import threading

import pytest
from calls import read
from hand_clock import HandClock
from processes import ServerProcess
from waiting import PATIENCE, eventually

from queued_gspread.cli.notify import Notifier
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.server.pulse import Loops

# Stops a loop of the server while a file is there, as a deadlock would. The main thread looks
# often, and has news each time.
STUCK = """
import itertools, pathlib, time
from queued_gspread.broker import QueueTiming
from queued_gspread.cli import server
from queued_gspread.server.{module} import {name} as stuck
QueueTiming.__init__.__defaults__ = (0.2, 0.2, 5.0)
server._LOOK, looks = 0.1, itertools.count()
server.status_of = lambda _: f"look {{next(looks)}}"
file, original = pathlib.Path({file!r}), stuck.{method}
def method(*args, **options):
    while file.exists():
        file.with_suffix(".reached").touch()
        time.sleep(0.01)
    return original(*args, **options)
stuck.{method} = method
"""
# More than the loops take to go round.
LOOKS = 20


class Manager:
    """A service manager's socket, and what came to it."""

    def __init__(self, address):
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._came = queue.SimpleQueue()
        self._seen = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        while message := self._socket.recv(65_536):
            self._came.put(message.decode())

    def next(self, *parts):
        """Wait for the next message that has these parts."""
        while True:
            message = self._came.get(timeout=PATIENCE)
            self._seen += message.splitlines()
            if all(part in message for part in parts):
                return message

    @property
    def seen(self):
        """All lines so far."""
        while not self._came.empty():
            self._seen += self._came.get().splitlines()
        return self._seen

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"", self._socket.getsockname())
        self._reader.join()
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, namespace):
    if request.param == "abstract" and not sys.platform.startswith("linux"):
        pytest.skip("only Linux has abstract sockets")
    is_path = request.param == "path"
    made = Manager(str(tmp_path / "notify") if is_path else f"@{namespace}-{os.getpid()}")
    yield made
    made.close()


@pytest.fixture
def managed(manager, redis_url, namespace, key_file, google, tmp_path, monkeypatch):
    """Return what starts a server as a service manager does."""
    started = []

    def start(*options, patch="", watchdog="", url=redis_url):
        where = ["--redis-url", url, "--namespace", namespace, "--lease", 1]
        account = ["--service-account", key_file, "--api-endpoint", google.url]
        log = tmp_path / f"server-{len(started)}.log"
        with monkeypatch.context() as variables:
            variables.setenv("NOTIFY_SOCKET", manager.address)
            variables.setenv("WATCHDOG_USEC", watchdog)
            started.append(ServerProcess(log, *where, *account, *options, patch=patch))
        return started[-1]

    yield start
    for process in started:
        process.end()


def test_a_server_says_that_it_is_ready_when_it_works(managed, manager, client, google, background):
    """READY comes once, from a server that works; STATUS says what it does, up to its end."""
    server = managed()
    assert manager.next() == "STATUS=starts"
    assert "STATUS=works" in manager.next("READY=1")
    server.until_log("working as")
    reading = background(read, client)
    google.gate.next().answer({"a": 1})
    assert reading.result(PATIENCE) == {"a": 1}
    manager.next("STATUS=works; requests sent: 1")
    server.signal(signal.SIGTERM)
    assert "STATUS=stops" in manager.next("STOPPING=1")
    assert server.exit_status() == 0
    assert manager.seen.count("READY=1") == 1
    assert manager.seen.index("READY=1") > manager.seen.index("STATUS=starts")


@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_a_standby_is_ready_too(managed, manager, start_process):
    """A server that stands by is ready, says that it stands by, and later that it works."""
    first = start_process()
    managed()
    assert "STATUS=stands by" in manager.next("READY=1")
    first.signal(signal.SIGTERM)
    manager.next("STATUS=works")


@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_a_server_that_cannot_start_is_never_ready(managed, manager):
    """A server without Redis ends with a status other than 0, and has not said that it is ready."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server = managed(url=f"redis://127.0.0.1:{nobody.getsockname()[1]}")
        assert server.exit_status() == 1
    assert manager.seen == ["STATUS=starts"]


@pytest.mark.parametrize("manager", ["path"], indirect=True)
@pytest.mark.parametrize(
    ("module", "name", "method"),
    [("lease", "Lease", "beat"), ("lanes.scheduler", "Scheduler", "_next_claimed")],
)
def test_a_stuck_loop_starves_the_watchdog(managed, manager, tmp_path, module, name, method):
    """The watchdog is fed while all loops go round, and no more once one of them is stuck."""
    file = tmp_path / "stuck"
    patch = STUCK.format(module=module, name=name, method=method, file=str(file))
    managed(patch=patch, watchdog="100000")
    manager.next("READY=1")
    manager.next("WATCHDOG=1")
    manager.next("WATCHDOG=1")
    file.touch()
    eventually(file.with_suffix(".reached").exists, "the loop is stuck")
    # What came before is of no interest; the turn in which it got stuck may be food once more.
    assert manager.seen
    assert sum("WATCHDOG" in manager.next("=") for _ in range(LOOKS)) <= 1
    file.unlink()
    manager.next("WATCHDOG=1")


@pytest.mark.parametrize("manager", ["path"], indirect=True)
def test_a_redis_that_is_away_does_not_starve_the_watchdog(managed, manager):
    """While Redis is away the status says so, and the watchdog is fed."""
    with TemporaryRedis() as own:
        managed(watchdog="100000", url=own.url)
        manager.next("READY=1")
    manager.next("STATUS=waits for Redis")
    manager.next("WATCHDOG=1")
    manager.next("WATCHDOG=1")


def test_nothing_is_said_without_a_socket(monkeypatch):
    """Without NOTIFY_SOCKET, or with one of another kind, no socket is made."""
    monkeypatch.setattr(socket, "socket", None)
    for variables in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}):
        notifier = Notifier(variables | {"WATCHDOG_USEC": "4"})
        notifier.tell("works", READY="1")
        notifier.feed(0.0)


def test_children_do_not_inherit_the_socket(tmp_path):
    """What names the socket is taken out of the environment."""
    variables = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    Notifier(variables)
    assert variables == {}


def test_a_socket_that_nobody_reads_holds_nothing_up(tmp_path, monkeypatch):
    """News that the manager cannot take are kept, the latest status alone, and sent later."""
    address = str(tmp_path / "full")
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.tell("nobody is there yet", READY="1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.setblocking(False)
        notifier.tell("works")
        assert set(manager.recv(1000).splitlines()) == {b"READY=1", b"STATUS=works"}
        for number in range(10_000):
            notifier.tell(f"works {number}")
        assert 0 < len(list(taken_from(manager))) < 10_000
        notifier.tell("works again")
        assert manager.recv(1000) == b"STATUS=works again"


def taken_from(manager):
    """Take all that waits in a socket."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield manager.recv(1000)


def test_a_status_is_one_line(tmp_path):
    """A line break in a status begins no other message, and a long one is cut."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "n")}).tell("waits: \nREADY=1\r\n" + "é" * 9999)
        (line,) = manager.recv(65_536).decode().split("\n")
    assert line.startswith("STATUS=waits: READY=1 é")
    assert len(line) < 600


def test_the_watchdog_of_another_process_is_not_fed(tmp_path):
    """A watchdog that is meant for another process is left alone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.setblocking(False)
        for pid, expected in ((os.getpid() + 1, []), (os.getpid(), [b"WATCHDOG=1"])):
            where = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "1000000"}
            hand = HandClock()
            notifier = Notifier(where | {"WATCHDOG_PID": str(pid)}, hand)
            for moment in (0.2, 0.3):
                hand.now = moment
                notifier.feed(0.0)
            assert list(taken_from(manager)) == expected


def test_a_pulse_is_that_of_the_slowest_loop(clock):
    """The silence is that of the slowest loop that has not ended."""
    loops = Loops(clock)
    assert loops.silence == 0
    loops.turn("one")
    loops.turn("two")
    clock.now += 1
    loops.turn("one")
    clock.now += 1
    assert loops.silence == 2
    loops.end("two")
    assert loops.silence == 1
