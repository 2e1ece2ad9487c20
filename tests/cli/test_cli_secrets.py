"""Secrets that a server is handed: in no process's title, and in no child's environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from limits import UNLIMITED
from marked import needs_proc
from processes import ServerProcess, run

from queued_gspread.cli import secrets
from queued_gspread.cli.options import Parser
from queued_gspread.cli.server import add_options
from queued_gspread.emulator import Emulator
from queued_gspread.errors import ConfigurationError

TEXT, KEY = "QUEUED_GSPREAD_CREDENTIALS_JSON", "QUEUED_GSPREAD_API_KEY"
# A workload's program: it writes down how it was started, and puts out its token.
PROGRAM = """
import pathlib, sys
told, token = map(pathlib.Path, sys.argv[1:])
told.write_bytes(pathlib.Path("/proc/self/environ").read_bytes())
print(token.read_text())
"""
ALLOWED = "import os; os.environ['GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES'] = '1'"


@pytest.fixture
def google():
    """Return an emulator of this test alone."""
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def start(google, redis_url, namespace, tmp_path):
    """Return what starts a server as a fresh process at the emulator."""
    started = []

    def start(*options, patch="", **variables):
        log = tmp_path / f"server-{len(started)}.log"
        where = ["--redis-url", redis_url, "--namespace", namespace]
        limits = [f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()]
        chosen = [*where, "--api-endpoint", google.url, *limits, *options]
        process = ServerProcess(log, *chosen, patch=patch, fresh=True, **variables)
        started.append(process)
        return process.until_log("working as")

    yield start
    for process in started:
        process.end()


def seen_of(process):
    """Return what the system shows of how a process was started."""
    folder = Path(f"/proc/{process.process.pid}")
    return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()


@needs_proc
def test_credentials_in_a_variable_are_in_no_process(start, google, client, tmp_path):
    """A server is started with a file's text; neither it nor its children show the variable."""
    workload = google.add_workload()
    token, told = tmp_path / "token", tmp_path / "told"
    answer = {"version": 1, "success": True, "id_token": workload.subject_token()}
    answer["token_type"] = "urn:ietf:params:oauth:token-type:jwt"
    token.write_text(json.dumps(answer))
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = f"{sys.executable} -I -S {program} {told} {token}"
    info = workload.external_account_info({"executable": {"command": command}})
    info["client_id"], info["client_secret"] = "somebody", "GOCSPX-hunter2"
    server = start(patch=ALLOWED, CREDENTIALS_JSON=json.dumps(info), API_KEY="")
    client.create("Book")
    assert b"PATH=" in told.read_bytes()
    assert TEXT.encode() not in told.read_bytes()
    for seen in (told.read_bytes(), seen_of(server), server.log.encode()):
        assert b"hunter2" not in seen
    assert "QUEUED_GSPREAD_CREDENTIALS_JSON names, and the server uses: " in server.log
    assert f"program {sys.executable}" in server.log


@needs_proc
@pytest.mark.parametrize("place", ["argument", "variable"])
def test_an_api_key_is_in_no_process(place, start, client):
    """An API key that is given as an argument, or in a variable, is overwritten there."""
    key = "AIza-hunter2-and-more"
    server = start("--api-key", key) if place == "argument" else start(API_KEY=key)
    assert "working as an unknown account" in server.log
    assert b"hunter2" not in seen_of(server)
    assert b"--api-endpoint" in seen_of(server)
    assert "hunter2" not in server.log


def test_a_service_account_in_a_variable(start, google, client):
    """The text of a key file is enough: no file is written, and calls are made."""
    server = start(CREDENTIALS_JSON=json.dumps(google.service_account_info()))
    client.create("Book").sheet1.append_row(["x"])
    assert f"working as {google.accounts[0].email} in" in server.log


BROKEN = {
    "no JSON": ("hunter2", "it is not JSON"),
    "half of it": ('{"type": "service_account", "hunter2": ', "it is not JSON"),
    "no key": ('{"type": "service_account", "private_key_id": "hunter2"}', "it has no 'client_em"),
    "a damaged key": (
        json.dumps(
            {
                "type": "service_account",
                "client_email": "a@b.c",
                "token_uri": "https://x",
                "private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
            }
        ),
        "its 'private_key' is damaged",
    ),
    "another kind": ('{"installed": {"client_secret": "hunter2"}}', "it is an OAuth client's file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_text_that_cannot_be_used(name):
    """What is wrong with the text in the variable is told in one line, without the text."""
    text, told = BROKEN[name]
    ended = run("server", "--redis-url", "redis://127.0.0.1:1", CREDENTIALS_JSON=text)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"queued-gspread server: {TEXT} cannot be used: {told}")
    assert len(ended.stderr.splitlines()) == 1
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("option", ["--credentials", "--service-account", "--oauth"])
def test_a_file_and_a_text(option):
    """Credentials in the variable and in a file exclude each other; the error names both."""
    ended = run("server", option, "x.json", CREDENTIALS_JSON='{"hunter2": 1}')
    assert ended.returncode == 2
    assert f"{option} " in ended.stderr
    assert TEXT in ended.stderr
    assert "exclude each other" in ended.stderr
    assert "hunter2" not in ended.stderr


def test_secrets_are_taken_out_of_the_environment_once(monkeypatch):
    """After the options have been read, no later child finds a secret in the environment."""
    monkeypatch.setenv(TEXT, '{"a": 1}')
    monkeypatch.setenv(KEY, "AIza-hunter2")
    parser = Parser("server")
    add_options(parser)
    options = parser.parse_args([])
    assert secrets.taken(options) == '{"a": 1}'
    assert "hunter2" not in repr(secrets.CredentialsText("hunter2"))
    assert options.api_key == "AIza-hunter2"
    assert TEXT not in os.environ
    assert KEY not in os.environ


def test_the_help_does_not_show_a_secret(monkeypatch):
    """Neither the help nor an error of the options has what a variable holds."""
    ended = run("server", "--help", CREDENTIALS_JSON='{"hunter2": 1}', API_KEY="hunter2")
    assert ended.returncode == 0
    assert TEXT in ended.stdout
    assert "hunter2" not in ended.stdout


def test_oauth_may_name_its_file(google, start, client, tmp_path):
    """--oauth takes the file that it names, in an option or a variable, else gspread's own."""
    path = tmp_path / "user.json"
    google.add_user("ann@example.com").write_authorized_user(path)
    start("--oauth", path)
    client.create("Book")
    assert {served.account for served in google.ledger} == {"ann@example.com"}
    ended = run("server", OAUTH=str(tmp_path / "nowhere.json"))
    assert f"credentials file {tmp_path / 'nowhere.json'} is not there" in ended.stderr
    ended = run("server", "--oauth")
    assert "authorized_user.json" in ended.stderr


def test_nothing_to_hide(monkeypatch):
    """Where the system has no such files, or nothing is secret, nothing is done."""
    monkeypatch.setattr(secrets, "_overwrite", lambda *_: pytest.fail("overwritten"))
    secrets.hide("")
    monkeypatch.setattr(secrets.sys, "platform", "darwin")
    secrets.hide("a secret")


def test_both_files(monkeypatch):
    """A file in the options and a text in the variable are refused before either is read."""
    monkeypatch.setenv(TEXT, "{}")
    parser = Parser("server")
    add_options(parser)
    with pytest.raises(ConfigurationError, match="--credentials and"):
        secrets.taken(parser.parse_args(["--credentials", "x"]))
