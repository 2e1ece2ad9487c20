"""The commands as processes: a client that is interrupted, and the emulator."""

from __future__ import annotations

import signal
import subprocess

import pytest
from calls import read
from processes import COMMAND, ServerProcess, environment, run, start_python
from waiting import PATIENCE, eventually

# A process that a shell has started in its background ignores SIGINT, and so do its children.
CLIENT = """
import signal
import queued_gspread
signal.signal(signal.SIGINT, signal.default_int_handler)
client = queued_gspread.authorize()
print("ready", flush=True)
client.http_client.request("get", "https://sheets.googleapis.com/v4/spreadsheets/lane/values/A1")
"""


@pytest.fixture
def client_process(redis_url, namespace):
    """Return a process whose call waits in the queue."""
    process = start_python(CLIENT, REDIS_URL=redis_url, NAMESPACE=namespace, GRACE="60")
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_an_interrupt_takes_a_waiting_job_back(
    client_process, raw, keys, start_process, client, google, background
):
    """Ctrl-C while a call waits takes its job out of the queue, and it is never made."""
    eventually(lambda: raw.exists(keys.lane("lane")), "the job waits")
    client_process.send_signal(signal.SIGINT)
    _, shown = client_process.communicate(timeout=PATIENCE)
    assert client_process.returncode != 0
    assert "KeyboardInterrupt" in shown
    assert not raw.exists(keys.lane("lane"))
    start_process()
    reading = background(read, client)
    google.gate.next().answer({"mine": True})
    assert reading.result(PATIENCE) == {"mine": True}
    assert len(google.gate.seen) == 1


def test_an_interrupt_of_a_call_under_way_leaves_no_reply(
    client_process, raw, keys, start_process, client, google, background
):
    """Ctrl-C while the call is being made ends the caller at once; the lane goes on."""
    start_process()
    arrival = google.gate.next()
    client_process.send_signal(signal.SIGINT)
    _, shown = client_process.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in shown
    assert not raw.exists(keys.progress)
    arrival.answer({})
    reading = background(read, client)
    google.gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    eventually(lambda: not raw.keys(keys.reply("*")))
    assert not raw.exists(keys.progress)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_emulator_ends_when_it_is_told_to(number, tmp_path):
    """The emulator says where it is and writes its key file, and a signal ends it cleanly."""
    key = tmp_path / "key.json"
    with subprocess.Popen(
        [*COMMAND, "emulator", "--service-account-out", str(key)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
    assert "http://127.0.0.1:" in lines[0]
    assert str(key) in lines[2]
    assert f"--service-account {key} --api-endpoint http://127.0.0.1:" in lines[3]
    assert "docs/emulator.md" in lines[4]
    url = lines[0].split()[-1]
    assert f'session.mount("https://", EmulatorAdapter("{url}"))' in lines[5]
    assert key.stat().st_mode & 0o777 == 0o600
    assert (process.returncode, errors) == (0, "")


def test_stop_is_for_the_server_that_works(start_process, redis_url, namespace):
    """Stopped, a server hands over to one that stands by; repeated, `stop` leaves none at work."""
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace}
    first = start_process()
    second = start_process(wait="standing by")
    assert run("stop", fresh=True, **where).returncode == 0
    assert first.exit_status() == 0
    second.until_log("working as")
    assert run("stop", **where).returncode == 0
    assert second.exit_status() == 0
    done = run("stop", **where)
    assert done.returncode == 1
    assert "no server works" in done.stderr


def test_a_server_whose_log_is_read_no_further_works_on(
    redis_url, namespace, key_file, google, background, client
):
    """The reader of a server's log may go: calls are answered, and it ends in good order."""
    options = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "SERVICE_ACCOUNT": str(key_file)}
    variables = environment(**options, API_ENDPOINT=google.url)
    with subprocess.Popen([*COMMAND, "server"], stderr=subprocess.PIPE, env=variables) as server:
        assert any(b"working as" in line for line in server.stderr)
        server.stderr.close()
        for number in range(2):
            reading = background(read, client)
            google.gate.next().answer({"a": number})
            assert reading.result(PATIENCE) == {"a": number}
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0


def test_a_server_that_is_configured_by_its_environment_alone(
    redis_url, namespace, key_file, google, background, client, tmp_path
):
    """A server without any argument works as its environment says, with its account's token."""
    server = ServerProcess(
        tmp_path / "log",
        REDIS_URL=redis_url,
        NAMESPACE=namespace,
        SERVICE_ACCOUNT=str(key_file),
        API_ENDPOINT=google.url,
        LOG_FORMAT="json",
    )
    try:
        reading = background(read, client)
        arrival = google.gate.next()
        headers = {name.lower(): value for name, value in arrival.given["headers"].items()}
        assert headers["authorization"].startswith("Bearer ")
        arrival.answer({"a": 1})
        assert reading.result(PATIENCE) == {"a": 1}
        server.until_log('"method": "http_client.request"')
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0
    finally:
        server.end()
