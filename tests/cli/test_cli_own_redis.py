"""With nothing configured at all: the server starts a Redis, and the user's clients find it."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from calls import read
from processes import ServerProcess, run
from waiting import PATIENCE, eventually

import queued_gspread
from queued_gspread.embedded.probe import Answer, probe
from queued_gspread.embedded.state import Files, is_held
from queued_gspread.settings import DEFAULT_PORT, data_directory

# What the tests are for is that the port is not needed; but whoever answers there goes before.
pytestmark = pytest.mark.skipif(
    probe(("localhost", DEFAULT_PORT)) is not Answer.NOTHING,
    reason=f"something listens on port {DEFAULT_PORT} of this machine",
)


@pytest.fixture
def files(monkeypatch):
    """Return the files of a user who has nothing yet; what was started there is ended."""
    with tempfile.TemporaryDirectory(prefix="queued-gspread-") as home:
        monkeypatch.setenv("XDG_STATE_HOME", home)
        monkeypatch.delenv("QUEUED_GSPREAD_REDIS_URL", raising=False)
        files = Files(data_directory(DEFAULT_PORT, Path(home, "queued-gspread")))
        yield files
        if files.guard.exists():
            os.kill(int(files.guard.read_text()), signal.SIGTERM)
            eventually(lambda: not is_held(files.guard), "Redis has ended")


@pytest.fixture
def start(namespace, key_file, google, tmp_path):
    """Return what starts a server that is told of no Redis."""
    started = []

    def start(wait):
        options = {"SERVICE_ACCOUNT": str(key_file), "API_ENDPOINT": google.url}
        log = tmp_path / f"log {len(started)}"
        started.append(ServerProcess(log, NAMESPACE=namespace, **options))
        return started[-1].until_log(wait)

    yield start
    for server in started:
        server.end()


def test_nothing_is_configured(files, start, namespace, google, background):
    """A server without a URL starts a Redis; a standby, clients and `stop` without one use it."""
    client = queued_gspread.authorize(namespace=namespace)
    first = start("working as")
    assert str(files.directory) in first.log.splitlines()[0]
    second = start("standing by")
    assert "started Redis" not in second.log
    reading = background(read, client)
    google.gate.next().answer({"a": 1})
    assert reading.result(PATIENCE) == {"a": 1}
    done = run("stop", NAMESPACE=namespace)
    assert (done.returncode, done.stderr) == (0, "")
    assert first.exit_status() == 0
    second.until_log("working as")


def test_a_server_of_another_account_is_not_found(files, start, namespace):
    """A client that looks elsewhere, as another account does, is told that there is no Redis."""
    start("working as")
    with tempfile.TemporaryDirectory() as other, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", other)
        done = run("stop", NAMESPACE=namespace)
    assert done.returncode == 1
    assert "starts one for your account" in done.stderr
