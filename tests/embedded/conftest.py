from __future__ import annotations

import os
import signal
import socketserver
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from processes import start
from redis.backoff import NoBackoff
from redis.retry import Retry
from topologies import each_binary, server_binaries
from waiting import PATIENCE

from queued_gspread.embedded import data_directory, ensure_running, starter
from queued_gspread.embedded.probe import free_port
from queued_gspread.embedded.state import FileLock, Files, is_held


@dataclass
class Place:
    """A port and a state directory of a test's own."""

    state: Path
    binary: Path
    port: int = field(default_factory=free_port)

    @property
    def files(self):
        return Files(data_directory(self.port, self.state))

    def ensure(self, **options):
        chosen = {"directory": self.state, "binary": self.binary, "idle": 60.0, **options}
        return ensure_running(self.port, **chosen)

    @contextmanager
    def client(self, **options):
        # A repeated SHUTDOWN would look for the Redis that has just ended.
        once = Retry(NoBackoff(), 0)
        socket = str(self.files.socket)
        with redis.Redis(
            unix_socket_path=socket, decode_responses=True, retry=once, **options
        ) as client:
            yield client

    def guard_pid(self):
        return int(self.files.guard.read_text())

    def redis_pid(self):
        with self.client() as client:
            return client.info("server")["process_id"]

    def has_ended(self):
        """Wait until the guard and Redis have both ended, which frees their locks."""
        for path in (self.files.guard, self.files.data):
            lock = FileLock(path)
            if not lock.acquire(PATIENCE):
                return False
            lock.release()
        return True

    def end(self):
        if is_held(self.files.guard):
            os.kill(self.guard_pid(), signal.SIGTERM)
        elif self.files.data.exists() and is_held(self.files.data):
            with self.client() as client:
                client.shutdown()
        if self.files.data.exists():
            assert self.has_ended()

    def starter(self, *, before="", after=""):
        """Start a Python process that makes sure that Redis runs and prints whether it did."""
        code = (
            "import sys; from pathlib import Path; "
            "from queued_gspread.embedded import ensure_running\n"
            f"{before}\n"
            f"print(ensure_running({self.port}, directory=Path({str(self.state)!r}), "
            f"binary=Path({str(self.binary)!r}), idle=60), flush=True)\n"
            f"{after}\n"
        )
        return _python(code)


def _python(code):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return start(code, **pipes, text=True, env=os.environ)


@pytest.fixture
def python():
    """Return what starts a Python process that runs a text."""
    return _python


@pytest.fixture(params=each_binary())
def binary(request):
    return request.param


_GUARD = "import sys; from queued_gspread.embedded.guard import main; sys.exit(main())"


def _fork_guard(command, *, env, **options):
    assert command[1:3] == ["-m", "queued_gspread.embedded"]
    # What it finds its modules by, which are there.
    own = {name: text for name, text in env.items() if not name.startswith("PYTHON")}
    of_python = {name: text for name, text in os.environ.items() if name.startswith("PYTHON")}
    return start(_GUARD, *command[3:], env={**own, **of_python}, **options)


@pytest.fixture
def guards(binary, monkeypatch):
    """Have guards forked, but for those of the first program: they start as a user's do."""
    first = next(found for found in server_binaries().values() if found)
    if binary != first:
        popen = SimpleNamespace(Popen=_fork_guard, DEVNULL=subprocess.DEVNULL)
        monkeypatch.setattr(starter, "subprocess", popen)


@pytest.fixture
def place(binary, guards):
    # Not pytest's folder, whose long name leaves too little room for that of a socket.
    with tempfile.TemporaryDirectory(prefix="queued-gspread-") as folder:
        here = Place(Path(folder, "a home", "queued-gspread"), binary)
        yield here
        here.end()


@contextmanager
def _listening(handle):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            handle(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def listening():
    """Return a context manager: something listens that is not Redis, its port is the value."""
    return _listening
