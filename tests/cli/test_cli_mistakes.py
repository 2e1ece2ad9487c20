"""What a user can put right: exit status 2, and one line on standard error that says what."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from unittest import mock

import pytest
from processes import environment, run

from queued_gspread import cli
from queued_gspread.embedded.probe import free_port


@pytest.fixture
def run_here(capsys, restored_log):
    """Return what runs a command that ends at once, without a process for each."""

    def command(*arguments, **variables):
        with mock.patch.dict(os.environ, environment(**variables), clear=True):
            try:
                status = cli.main([str(argument) for argument in arguments])
            except SystemExit as ended:
                status = ended.code
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, shown.out, shown.err)

    return command


@pytest.fixture
def right(redis_url, namespace, key_file):
    """Return variables with which a server would work."""
    return {"REDIS_URL": redis_url, "NAMESPACE": namespace, "SERVICE_ACCOUNT": str(key_file)}


@pytest.fixture
def server(run_here, right):
    """Return what runs the server's command with options that are right but for those given."""
    return lambda *options, **variables: run_here("server", *options, **{**right, **variables})


def assert_one_line(done, *told, status=2):
    """Assert that a command failed with one line that tells these texts."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("queued-gspread")
    for text in told:
        assert text in done.stderr


@pytest.mark.parametrize(
    ("text", "told"), [("{", "not JSON"), ('{"type": "service_account"}', "has no 'client_email'")]
)
def test_a_credentials_file_that_cannot_be_used(text, told, server, tmp_path):
    """A credentials file that cannot be used is named with what is wrong with it."""
    path = tmp_path / "key.json"
    path.write_text(text)
    assert_one_line(server("--service-account", path), str(path), told)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_credentials_file_that_is_not_there(kind, server, tmp_path):
    """A file that is missing or is a folder is named."""
    path = tmp_path / "nothing.json" if kind == "missing" else tmp_path
    assert_one_line(server("--service-account", path), str(path))


def test_credentials_that_exclude_each_other(server):
    """Two kinds of credentials at once are refused."""
    told = "--service-account and --oauth exclude each other", "QUEUED_GSPREAD_SERVICE_ACCOUNT"
    assert_one_line(server("--oauth"), *told)


WRONG_OPTIONS = {
    "unknown": (["--no-such-option"], "--no-such-option"),
    "no number": (["--lease", "soon"], "'soon'"),
    "zero": (["--lease", "0"], "above 0"),
    "negative": (["--interval=-1"], "0 or more"),
    "no count": (["--reads-per-minute", "many"], "take a whole number, 0 or more"),
    "half a request": (["--writes-per-minute", "1.5"], "take a whole number, 0 or more"),
    "not finite": (["--shutdown-timeout", "nan"], "'nan'"),
    "a unit": (["--lease", "5m"], "'5m' cannot be used: take a number of seconds"),
    "a decimal comma": (["--interval", "1,5"], "'1,5' cannot be used: take a number of seconds"),
    "a word": (["--max-queue", "true"], "'true' cannot be used: take a whole number"),
    "a value of a flag": (["--no-merge=yes"], "--no-merge: it takes no value, and was given 'yes'"),
    "no choice": (["--log-level", "loud"], "loud"),
    "namespace": (["--namespace", "a b/ü"], "letters, digits"),
    "namespace with a line break": (["--namespace", "a\nb"], "letters, digits"),
    "empty namespace": (["--namespace", ""], "letters, digits"),
    "long namespace": (["--namespace", "a" * 65], "letters, digits"),
    "API endpoint": (["--api-endpoint", "nowhere"], "'nowhere'"),
    "Redis URL": (["--redis-url", "http://me:hunter2@localhost"], "redis://HOST:PORT/DB"),
    "surplus": (["more"], "more"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_a_wrong_option(name, server):
    """An option that cannot be used is named with what is expected, a password left out."""
    options, told = WRONG_OPTIONS[name]
    done = server(*options)
    assert_one_line(done, told)
    assert "hunter2" not in done.stderr


WRONG_VARIABLES = {
    "NAMESPACE": "a b",
    "LEASE": "soon",
    "INTERVAL": "-1",
    "SHUTDOWN_TIMEOUT": "inf",
    "OAUTH": "perhaps",
    "ADC": "2",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "API_ENDPOINT": "nowhere",
    "REDIS_URL": "http://localhost",
    "SERVICE_ACCOUNT": "/no/such/file.json",
    "GRACE": "never",
    "TIMEOUT": "0",
}


@pytest.mark.parametrize("name", WRONG_VARIABLES)
def test_a_wrong_environment_variable(name, server):
    """An environment variable that cannot be used is named with its value, as an option is."""
    value = WRONG_VARIABLES[name]
    assert_one_line(server(**{name: value}), value)


def test_a_redis_that_is_not_there(right):
    """A server whose Redis does not answer ends with status 1 and one line, password left out."""
    port = free_port()
    done = run("server", **{**right, "REDIS_URL": f"redis://me:hunter2@127.0.0.1:{port}/0"})
    assert_one_line(done, f"redis://me:***@127.0.0.1:{port}/0", "redis-server", status=1)
    assert "hunter2" not in done.stderr


def test_a_redis_that_evicts(right, raw):
    """A server refuses a Redis that may drop what waits in it."""
    raw.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert_one_line(run("server", **right), "allkeys-lru", "noeviction")
    finally:
        raw.config_set("maxmemory-policy", "noeviction")


def test_an_emulator_whose_port_is_taken():
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_line(run("emulator", "--port", port), f"port {port}")


@pytest.mark.parametrize("port", ["-1", "65536", "80.5", "http"])
def test_an_emulator_with_an_odd_port(port, run_here):
    """What is no port is refused."""
    assert_one_line(run_here("emulator", f"--port={port}"), port)


def test_an_emulator_whose_key_would_replace_another(tmp_path):
    """A file that is no key of an emulator is named, and left as it is."""
    path = tmp_path / "key.json"
    path.write_text('{"project_id": "mine"}')
    done = run("emulator", "--service-account-out", path)
    assert_one_line(done, f"{path} holds something that is no key", "name another file")
    assert path.read_text() == '{"project_id": "mine"}'


@pytest.mark.parametrize("state", ["one.json", "../here/one.json"])
def test_an_emulator_with_one_file_for_two_things(state, tmp_path):
    """A key and a state in one file are refused before anything is written."""
    here = tmp_path / "here"
    here.mkdir()
    path = here / "one.json"
    done = run("emulator", "--service-account-out", path, "--state", here / state)
    assert_one_line(done, "--state", str(path), "name two files")
    assert list(here.iterdir()) == []


def test_an_emulator_with_one_file_for_two_keys(tmp_path):
    """Two keys in one file are refused before anything is written."""
    path = tmp_path / "one.json"
    done = run("emulator", "--service-account-out", path, "--lender-out", path)
    assert_one_line(done, "--service-account-out and --lender-out", str(path), "name two files")
    assert list(tmp_path.iterdir()) == []


def test_an_emulator_that_cannot_write_its_key(tmp_path):
    """A key file that cannot be written is named, and the emulator ends."""
    path = tmp_path / "none" / "key.json"
    done = run("emulator", "--service-account-out", path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_no_command(arguments, run_here):
    """Without a command that exists there is one line."""
    assert_one_line(run_here(*arguments), "COMMAND")


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "is empty"), ("hunter2", "line 1 has 7 bytes"), ("k" * 32, "everyone")],
)
def test_a_signing_key_file_that_cannot_be_used(content, told, server, tmp_path):
    """A signing key file that is empty, too short or open to all is named, and no key is shown."""
    path = tmp_path / "signing.key"
    path.write_text(content)
    path.chmod(0o644 if told == "everyone" else 0o600)
    done = server("--signing-key-file", path)
    assert_one_line(done, "signing.key", told)
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--max-queue", "-1", "whole number"),
        ("--max-message-bytes", "0", "from 1 to"),
        ("--max-message-bytes", "600000000", "535822336"),
    ],
)
def test_a_limit_that_cannot_be_used(option, value, told, server):
    """A limit that is none, or that Redis could not hold, is named with its option."""
    assert_one_line(server(f"{option}={value}"), option, value, told)


def test_a_demo_without_its_extra():
    """What to install for the demo is told, and where."""
    code = (
        "import sys; sys.modules['aiohttp'] = None;"
        "from queued_gspread.cli import main; sys.exit(main(['demo']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert_one_line(done, 'pip install ".[demo]" in a clone')


@pytest.mark.parametrize("command", ["server", "stop", "emulator"])
def test_a_slip_in_the_environment_is_told_by_every_command(command, right):
    """A variable that is named wrong is told by a command, with the nearest, before it fails."""
    wrong = {"server": ["--service-account", "/no/such"], "emulator": ["--host", "256.0.0.0"]}
    done = run(command, *wrong.get(command, []), **right, READ_PER_MINUTE="30")
    assert done.returncode in (1, 2)
    assert done.stderr.count("QUEUED_GSPREAD_READS_PER_MINUTE meant?") == 1


@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("--read-per-minute=30", "--reads-per-minute"),
        ("--redis_url", "--redis-url"),
        ("--qwxz", ""),
    ],
)
def test_an_option_that_is_none_is_told_with_the_nearest(option, near, run_here):
    """An option that a command does not have is refused, with the one that is near to it."""
    done = run_here("server", option)
    assert_one_line(done, option, f"is {near} meant?" if near else "unrecognized arguments")
    assert ("meant?" in done.stderr) is bool(near)
