import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from datetime import datetime, timezone

import pytest
import requests
from places import TOP

from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.faults import Latency, Reset, Status
from queued_gspread.emulator.redirect import EmulatorAdapter

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)
KEY = {"x-goog-api-key": "k"}
SERVE = """
import sys
from queued_gspread.emulator import Emulator
emulator = Emulator()
emulator.serve_forever(lambda: print(emulator.url, flush=True))
print("ended", flush=True)
"""


def traffic(emulator):
    """Send the same requests as every other call of this and return the answers' bytes."""
    session = requests.Session()
    session.headers.update(KEY)
    with session:
        body = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}
        made = session.post(f"{emulator.url}/drive/v3/files", json=body)
        file = f"{emulator.url}/drive/v3/files/{made.json()['id']}"
        book = f"{emulator.url}/v4/spreadsheets/{made.json()['id']}"
        add = {"requests": [{"addSheet": {"properties": {"title": "y"}}}]}
        share = {"type": "user", "role": "reader", "emailAddress": "a@example.com"}
        answers = [
            made,
            session.post(f"{book}:batchUpdate", json=add),
            session.get(book),
            session.post(f"{file}/permissions?fields=*", json=share),
            session.post(f"{file}/comments?fields=*", json={"content": "c"}),
            session.post(f"{file}/copy", json={}),
            session.get(f"{emulator.url}/drive/v3/files?fields=*"),
            session.put(f"{emulator.url}/upload/drive/v2/files/{made.json()['id']}", data="a,b"),
            session.get(f"{book}?includeGridData=true"),
        ]
    return [answer.content for answer in answers]


def test_same_seed_and_clock_give_the_same_bytes():
    """Two emulators with one seed and clock answer the same requests with the same bytes."""
    found = []
    for _ in range(2):
        with Emulator(seed=3, clock=lambda: NOON) as emulator:
            found.append(traffic(emulator))
    assert found[0] == found[1]


def test_another_seed_gives_other_ids():
    """Another seed makes up other ids."""
    with Emulator(seed=1) as one, Emulator(seed=2) as two:
        assert traffic(one)[0] != traffic(two)[0]


def test_ledger(emulator):
    """Every API request is in the ledger, decoded, and token requests are kept apart."""
    with Emulator() as own:
        client = own.gspread_client()
        book = client.create("ledger")
        own.clear_ledger()
        book.sheet1.update([["x"]], "A1")
        served = own.ledger
        assert [entry.method for entry in served] == ["GET", "PUT"]
        assert served[1].path == f"/v4/spreadsheets/{book.id}/values/'Sheet1'!A1"
        assert served[1].query == [("valueInputOption", "RAW")]
        assert served[1].body == {"values": [["x"]], "majorDimension": None}
        assert served[1].status == 200
        assert served[0].time <= served[1].time
        assert own.token_requests == []


def test_ledger_keeps_bytes(emulator):
    """A body that is not JSON is in the ledger as it came, also where it looks like JSON."""
    url = f"{emulator.url}/upload/drive/v2/files/x"
    requests.put(url, data=b"1", headers=KEY | {"Content-Type": "text/csv"}, timeout=10)
    assert emulator.ledger[-1].body == b"1"


def test_token_requests_are_recorded():
    """The token endpoint's requests are in a list of their own."""
    with Emulator() as own:
        own.gspread_client()
        assert [entry.path for entry in own.token_requests] == ["/token"]
        assert own.ledger == []


def test_restart_keeps_what_is_stored():
    """After a stop and a start the files are still there, at the same port."""
    emulator = Emulator(seed=1)
    with emulator:
        url = emulator.url
        requests.post(f"{url}/drive/v3/files", json={"name": "kept"}, headers=KEY, timeout=10)
    emulator.stop()
    with emulator:
        assert emulator.url == url
        found = requests.get(f"{url}/drive/v3/files", headers=KEY, timeout=10).json()
    assert [file["name"] for file in found["files"]] == ["kept"]


def test_port_in_use():
    """A taken port is an OSError, raised where the emulator is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        emulator = Emulator(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            emulator.start()


def test_started_twice(emulator):
    """A running emulator refuses to start."""
    with pytest.raises(RuntimeError, match="running already"):
        emulator.start()


def test_no_url_before_the_start():
    """Before it listens the emulator has no URL."""
    with pytest.raises(RuntimeError, match="start"):
        _ = Emulator().url


def test_service_account_file(emulator, tmp_path):
    """The written service account is for its owner's eyes only, also over an older file."""
    path = tmp_path / "account.json"
    emulator.write_service_account(path)
    path.chmod(0o644)
    emulator.write_service_account(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["token_uri"] == f"{emulator.url}/token"


def test_unknown_path(emulator):
    """A path that neither API has gets an HTML page with 404."""
    response = requests.get(f"{emulator.url}/v4/nothing", headers=KEY, timeout=10)
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_too_large_a_body(emulator):
    """A body above ten megabytes gets 400."""
    body = b" " * 10_485_761
    url = f"{emulator.url}/v4/spreadsheets/x:batchUpdate"
    response = requests.post(url, data=body, headers=KEY, timeout=10)
    assert response.status_code == 400
    assert "payload size exceeds the limit" in response.json()["error"]["message"]


def test_parallel_requests_are_atomic(emulator):
    """Appends that arrive at once are served one after the other, and none is lost."""
    body = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}
    made = requests.post(f"{emulator.url}/drive/v3/files", json=body, headers=KEY, timeout=10)
    values = f"{emulator.url}/v4/spreadsheets/{made.json()['id']}/values/A1"

    def append():
        for _ in range(5):
            url = f"{values}:append?valueInputOption=RAW"
            requests.post(url, json={"values": [["r"]]}, headers=KEY, timeout=10)

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = requests.get(f"{values}:A100", headers=KEY, timeout=10).json()
    assert found["values"] == [["r"]] * 40


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_forever_ends_at_a_signal(number):
    """A signal ends the blocking server cleanly."""
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        url = process.stdout.readline().strip()
        assert requests.get(f"{url}/drive/v3/files", headers=KEY, timeout=10).status_code == 200
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
        assert (rest, process.returncode) == ("ended\n", 0)


def test_without_aiohttp():
    """Without aiohttp the import of the emulator says which extra to install."""
    code = "import sys; sys.modules['aiohttp'] = None; from queued_gspread.emulator import Emulator"
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert 'pip install ".[emulator]"' in found.stderr


@pytest.mark.parametrize("content", ['{"project_id": "mine", "private_key": "k"}', "text", ""])
def test_a_key_of_somebody_else_is_not_overwritten(emulator, tmp_path, content):
    """A file that no emulator has written is left as it is; an emulator's own is written anew."""
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(FileExistsError, match="no key of an emulator"):
        emulator.write_service_account(path)
    assert path.read_text() == content
    path.unlink()
    for _ in "12":
        emulator.write_service_account(path)
    assert emulator.service_account_info()["private_key"] in json.loads(path.read_text()).values()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"quotas": 5}, "take Quotas"),
        ({"quotas": 0}, "take Quotas"),
        ({"quotas": {"writes": 5}}, "take Quotas"),
        ({"latency": "slow"}, "latency='slow' .* take seconds"),
        ({"latency": [0.2, 0.1]}, "take seconds"),
        ({"append_race": "x"}, "append_race='x' .* take seconds"),
        ({"append_race": (0.1, 0.2)}, "append_race=.* take seconds"),
        ({"token_lifetime": None}, "token_lifetime=None .* take seconds"),
        ({"not_computed": "ignore"}, "not_computed='ignore' .* take warn or error"),
        ({"apply_share": "half"}, "apply_share='half' .* take 0 to 1"),
    ],
)
def test_odd_settings_are_refused_at_once(settings, told):
    """What cannot be used is told when the emulator is made, with what to take."""
    with pytest.raises((TypeError, ValueError), match=told):
        Emulator(**settings)


def test_a_list_of_seconds_is_a_range():
    """A range of latency may be a list, as JSON has it."""
    assert Emulator(latency=[0.1, 0.2]).latency == (0.1, 0.2)
    assert Latency([0.1, 0.2]).seconds == (0.1, 0.2)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"writes": "5"}, "writes='5' .* take a number"),
        ({"drive": -1}, "drive=-1 .* take a number"),
        ({"offset": "late"}, "offset='late' .* take seconds"),
        ({"retry_after": "soon"}, "retry_after='soon' .* an HTTP date"),
        ({"retry_after": -1}, "retry_after=-1 .* an HTTP date"),
        ({"retry_after": ""}, "retry_after='' .* an HTTP date"),
        ({"retry_after": "Mon, 01 Jan 2024 12:00:00\n GMT"}, "an HTTP date"),
    ],
)
def test_odd_quotas_are_refused_at_once(fields, told):
    """A quota that cannot be used is named with its value and what to take."""
    with pytest.raises(ValueError, match=told):
        Quotas(**fields)


@pytest.mark.parametrize("value", [0, 5, "5", "Mon, 01 Jan 2024 12:00:00 GMT", None])
def test_what_a_retry_after_may_be(value):
    """Seconds and an HTTP date are taken, as the header has them."""
    assert Quotas(retry_after=value).retry_after == value


def test_a_late_reset_takes_one_moment():
    """A range is no moment at which a reset request could be applied."""
    with pytest.raises(ValueError, match=r"late=.* take seconds from 0"):
        Reset(late=(1.0, 2.0))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [({"path": "("}, r"path='\(' .* regular expression"), ({"method": "post"}, "POST")],
)
def test_odd_rules_are_refused_at_once(emulator, arguments, told):
    """A rule that could not be asked, or that no request could meet, is refused."""
    with pytest.raises(ValueError, match=told):
        emulator.faults.add(Status(500), **arguments)
    assert emulator.faults.rules == []


def test_an_adapter_takes_a_url():
    """An address without a scheme is refused; a slash at the end does no harm."""
    with pytest.raises(ValueError, match="take its URL"):
        EmulatorAdapter("127.0.0.1:8099")
    assert EmulatorAdapter("http://127.0.0.1:8099/").emulator == "http://127.0.0.1:8099"
