"""A system without ``fcntl`` and its like, such as Windows: what needs no Redis started works."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import processes
import pytest
from processes import environment, run, start_command, start_python
from waiting import PATIENCE

from queued_gspread.embedded.probe import Answer, probe
from queued_gspread.settings import DEFAULT_PORT

SUPPORT = Path(processes.__file__).parent
CLIENT = """
import bare_system
import queued_gspread
client = queued_gspread.authorize()
book = client.open_by_key("lane")
print(book.title, flush=True)
"""


@pytest.fixture(autouse=True)
def bare_system(monkeypatch):
    """Have all commands run on such a system."""
    script = str(SUPPORT / "bare_system.py")
    monkeypatch.setattr(processes, "COMMAND", [sys.executable, "-W", "error", script])
    monkeypatch.setattr(processes, "forks", None)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))


def test_a_server_works_there(start_process, redis_url, namespace, google, background):
    """With a URL a server works, clients get their answers, and `stop` stops it."""
    server = start_process()
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace}
    with start_python(CLIENT, **where) as client:
        google.gate.next().answer({"properties": {"title": "Book"}, "spreadsheetId": "lane"})
        assert client.communicate(timeout=PATIENCE) == ("Book\n", "")
    assert run("stop", **where).returncode == 0
    assert server.exit_status() == 0


@pytest.mark.skipif(
    probe(("localhost", DEFAULT_PORT)) is not Answer.NOTHING,
    reason=f"something listens on port {DEFAULT_PORT} of this machine",
)
def test_a_redis_is_not_started_there(key_file):
    """Without a URL a server says in one line that it cannot start a Redis, and what to do."""
    done = run("server", SERVICE_ACCOUNT=str(key_file))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be started on this system" in done.stderr
    assert "--redis-url" in done.stderr


def test_a_demo_is_refused_there():
    """The demo, which needs a Redis of its own, says so in one line."""
    done = run("demo")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be started on this system" in done.stderr


def test_the_emulator_works_there(tmp_path):
    """The emulator runs and writes its key; a state file, which needs a lock, is refused."""
    done = run("emulator", "--state", tmp_path / "state.json")
    assert done.returncode == 2
    assert "leave --state" in done.stderr
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = "emulator", "--service-account-out", tmp_path / "key"
    process = start_command(*command, env=environment(), **pipes)
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert "http://127.0.0.1:" in lines[0]
    assert str(tmp_path / "key") in lines[2]
    assert (process.returncode, errors) == (0, "")
