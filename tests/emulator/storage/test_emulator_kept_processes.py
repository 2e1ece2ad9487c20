"""The emulator's command as a process that is killed, stopped and started again."""

import json
import signal
import subprocess

import gspread
import pytest
import requests
from google.oauth2.service_account import Credentials
from gspread.auth import DEFAULT_SCOPES
from processes import environment, run, start_command, start_python
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.redirect import EmulatorAdapter

KEY = {"x-goog-api-key": "k"}


class Command:
    """``queued-gspread emulator`` as a process."""

    def __init__(self, *options):
        self.process = start_command(
            "emulator",
            *options,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.url = self.process.stdout.readline().split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def end(self, number):
        """End it with a signal; return its exit status and what it told of errors."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@pytest.fixture
def start():
    commands = []

    def begin(*options):
        commands.append(Command(*options))
        return commands[-1]

    yield begin
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


@pytest.fixture
def client_with():
    clients = []

    def make(key_file, url):
        credentials = Credentials.from_service_account_file(str(key_file), scopes=DEFAULT_SCOPES)
        clients.append(gspread.Client(credentials))
        clients[-1].http_client.session.mount("https://", EmulatorAdapter(url))
        return clients[-1]

    yield make
    for client in clients:
        client.http_client.session.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_client_goes_on_with_the_next_process(number, start, client_with, tmp_path):
    """What was saved outlives a kill, what was answered a stop, for the same client and key."""
    state, key = tmp_path / "state.json", tmp_path / "key.json"
    first = start("--state", state, "--service-account-out", key)
    client = client_with(key, first.url)
    sheet = client.create("kept").sheet1
    sheet.append_row(["one", 2, "=B1*2"], value_input_option="USER_ENTERED")
    sheet.format("A1", {"textFormat": {"bold": True}})
    sheet.append_row(["the last"])
    if number == signal.SIGKILL:
        eventually(lambda: state.exists() and "the last" in state.read_text(), "it is saved")
    first.end(number)
    start("--state", state, "--port", first.port)
    assert sheet.get_all_values() == [["one", "2", "4"], ["the last", "", ""]]
    again = client_with(key, first.url).open("kept").sheet1
    assert again.get_all_values() == sheet.get_all_values()
    assert again.append_row(["more"])["updates"]["updatedRange"] == "Sheet1!A3"


KILLED = """
import os, sys
import requests
from queued_gspread.emulator import Emulator

def stuck(file):
    print("saving", flush=True)
    sys.stdin.read()

emulator = Emulator(state=os.environ["QUEUED_GSPREAD_STATE"])
emulator.start()
os.fsync = stuck
headers = {"x-goog-api-key": "k"}
requests.post(emulator.url + "/drive/v3/files", json={"name": "lost"}, headers=headers, timeout=9)
sys.stdin.read()
"""


def test_a_kill_in_the_middle_of_a_save_leaves_the_former_file(tmp_path):
    """A process that is killed while it saves leaves the file as it was, and it can be used."""
    state = tmp_path / "state.json"
    with Emulator(state=state) as emulator:
        url = f"{emulator.url}/drive/v3/files"
        requests.post(url, json={"name": "former"}, headers=KEY, timeout=PATIENCE)
    before = state.read_bytes()
    process = start_python(KILLED, STATE=str(state))
    assert process.stdout.readline() == "saving\n"
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert state.with_name("state.json.tmp").exists()
    assert state.read_bytes() == before
    with Emulator(state=state) as emulator:
        url = f"{emulator.url}/drive/v3/files"
        assert [
            file["name"]
            for file in requests.get(url, headers=KEY, timeout=PATIENCE).json()["files"]
        ] == ["former"]
        requests.post(url, json={"name": "next"}, headers=KEY, timeout=PATIENCE)
    assert {file.name for file in tmp_path.iterdir()} == {"state.json", "state.json.lock"}


def assert_refused(done, *told):
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for text in told:
        assert str(text) in done.stderr


def test_the_command_names_a_file_that_it_cannot_use(start, tmp_path):
    """What is no state, newer, in use or nowhere ends the command with 2 and one line."""
    state = tmp_path / "state.json"
    state.write_text("{}")
    assert_refused(run("emulator", "--state", state), state, "is not a state", "move this one away")
    content = {"format": "queued-gspread emulator state", "version": 2}
    state.write_text(json.dumps(content))
    assert_refused(run("emulator", "--state", state), state, "newer version", "upgrade")
    assert json.loads(state.read_text()) == content
    nowhere = tmp_path / "none" / "state.json"
    assert_refused(run("emulator", "--state", nowhere), nowhere, "a folder that exists")
    state.unlink()
    start("--state", state)
    assert_refused(run("emulator", "--state", state), state, "in use by another emulator")


def test_the_command_says_what_it_could_not_save(start, tmp_path):
    """A state that cannot be saved at the end is told, and the exit status is not 0."""
    folder = tmp_path / "folder"
    folder.mkdir()
    command = start("--state", folder / "state.json")
    url = f"{command.url}/drive/v3/files"
    requests.post(url, json={"name": "x"}, headers=KEY, timeout=PATIENCE)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    status, errors = command.end(signal.SIGTERM)
    assert status == 1
    assert f"could not be saved to {folder / 'state.json'}" in errors


def test_the_command_warns_where_others_may_reach_it(start):
    """At all addresses the URL is one that can be used, and one line says who can reach it."""
    command = start("--host", "0.0.0.0")
    assert command.url == f"http://127.0.0.1:{command.port}"
    assert requests.get(f"{command.url}/drive/v3/files", headers=KEY, timeout=PATIENCE).ok
    status, errors = command.end(signal.SIGTERM)
    assert status == 0
    assert errors.count("\n") == 1
    assert "anybody who can reach this machine can read and change" in errors


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_the_command_names_a_host_that_it_cannot_listen_at(host):
    """A host that is not this machine's ends the command with 2 and one line that blames it."""
    told = f"host {host} cannot be used"
    assert_refused(run("emulator", "--host", host), told, "name an address of this machine")
