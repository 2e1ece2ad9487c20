"""``queued-gspread dashboard``: how it starts, what it refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests
from processes import PYTHON, environment
from waiting import PATIENCE

import queued_gspread
from queued_gspread.cli import dashboard, main
from queued_gspread.errors import ConfigurationError

TOKEN = "a-token-of-the-tests-0123456789"


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def test_the_token_comes_from_a_file_or_the_environment(token_file, monkeypatch):
    """A file goes before the variable, which is taken out of what children inherit."""
    assert dashboard.token_of(None) == ""
    monkeypatch.setenv(dashboard.TOKEN, "another-token-of-the-tests")
    assert dashboard.token_of(None) == "another-token-of-the-tests"
    assert dashboard.TOKEN not in os.environ
    assert dashboard.token_of(str(token_file)) == TOKEN


@pytest.mark.parametrize("text", ["", "tiny-one", "two words of the token", "ünicode" * 5])
def test_a_token_that_is_none_is_refused(token_file, text):
    """One that is too short, or that no header can hold, is refused, and not shown."""
    token_file.write_text(text)
    with pytest.raises(ConfigurationError, match="is too short, or no single word") as refused:
        dashboard.token_of(str(token_file))
    assert not text or text not in str(refused.value)


def test_a_token_that_everyone_may_read_is_refused(token_file):
    """So is a file that others on the machine may read, and one that is not there."""
    token_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="by everyone on this machine"):
        dashboard.token_of(str(token_file))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        dashboard.token_of(str(token_file) + "x")


def test_a_port_that_is_taken_is_named(redis_url, capsys):
    """It exits with 2 and one line that names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["dashboard", "--redis-url", redis_url, "--port", port]) == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_without_its_extra_it_says_what_to_install(redis_url, capsys, monkeypatch):
    """Where aiohttp is missing, the error names the extra."""
    ours = [name for name in sys.modules if name.startswith("queued_gspread.dashboard")]
    for name in (*ours, "queued_gspread.web.files", "queued_gspread.web.guard"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delattr(queued_gspread, "dashboard", raising=False)
    assert main(["dashboard", "--redis-url", redis_url]) == 2
    assert "needs aiohttp" in (told := capsys.readouterr().err)
    assert "[dashboard]" in told


def test_it_serves_until_it_is_told_to_stop(redis_url, namespace, token_file):
    """The command says where it is, looks and acts, and ends at SIGTERM with nothing on the way."""
    where = ["--redis-url", redis_url, "--namespace", f"{namespace},{namespace}-2", "--port", "0"]
    process = subprocess.Popen(
        [
            *PYTHON,
            "-m",
            "queued_gspread",
            "dashboard",
            *where,
            "--dashboard-token-file",
            token_file,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        url = process.stdout.readline().split()[-1]
        found = requests.get(f"{url}/api/queues", timeout=PATIENCE).json()
        assert [each["namespace"] for each in found["queues"]] == [namespace, f"{namespace}-2"]
        with requests.get(
            f"{url}/api/queues/{namespace}/events", timeout=PATIENCE, stream=True
        ) as answer:
            assert next(line for line in answer.iter_lines() if line.startswith(b"data: "))
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert TOKEN not in errors
