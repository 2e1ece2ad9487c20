"""When and how an emulator saves what it stores, within one process."""

import json
import os
import shutil
import stat
import threading
from datetime import datetime, timezone

import pytest
import requests
from emulator_traffic import Traffic, bearer, credentials_of
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator, StateError, UnsavedError
from queued_gspread.emulator.storage import keeper
from queued_gspread.emulator.storage.file import StateFile

KEY = {"x-goog-api-key": "k"}
NEW = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.json"


@pytest.fixture
def hasty(monkeypatch):
    """Let changes be saved at once."""
    monkeypatch.setattr(keeper, "_DELAY", 0.001)
    monkeypatch.setattr(keeper, "_SHARE", 0.9)


def make(emulator, name="x"):
    """Create a file and return its id."""
    url = f"{emulator.url}/drive/v3/files"
    made = requests.post(url, json={**NEW, "name": name}, headers=KEY, timeout=PATIENCE)
    return made.json()["id"]


def names(emulator):
    found = requests.get(f"{emulator.url}/drive/v3/files", headers=KEY, timeout=PATIENCE).json()
    return [file["name"] for file in found["files"]]


def stamp(path):
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def test_what_is_stored_outlives_the_emulator(path):
    """A second emulator on a file has what the first one had, private files included."""
    with Emulator(state=path) as first:
        client = first.gspread_client()
        book = client.create("kept")
        book.sheet1.update([["text", 1, 2.5, True]], raw=True)
        book.share("a@example.com", perm_type="user", role="reader")
        first.add_private_file("1private")
        seen = (book.sheet1.get_all_values(), book.list_permissions())
    with Emulator(state=str(path)) as second:
        client = second.gspread_client()
        book = client.open("kept")
        assert (book.sheet1.get_all_values(), book.list_permissions()) == seen
        with pytest.raises(PermissionError):
            client.open_by_key("1private")


def test_a_reset_is_kept_too(path):
    """After a reset an emulator goes on to keep what it stores, and nothing of what was before."""
    with Emulator(state=path) as first:
        first.gspread_client().create("before")
        first.reset()
        first.gspread_client().create("after")
    with Emulator(state=path) as second:
        found = second.gspread_client().list_spreadsheet_files()
    assert [file["name"] for file in found] == ["after"]


def test_what_comes_back_goes_by_the_emulators_clock(path):
    """A spreadsheet of an earlier emulator has the day of the emulator that holds it now."""
    with Emulator(state=path) as first:
        first.gspread_client().create("dated").sheet1.update_acell("A1", "=YEAR(TODAY())")
    noon = datetime(2019, 6, 1, 12, tzinfo=timezone.utc)
    with Emulator(state=path, clock=lambda: noon) as second:
        assert second.gspread_client().open("dated").sheet1.acell("A1").value == "2019"


def test_the_file_is_its_owners_alone(path):
    """The file and what is beside it can be read by nobody else, also over an older file."""
    with Emulator(state=path) as emulator:
        make(emulator)
    path.chmod(0o644)
    with Emulator(state=path) as emulator:
        make(emulator)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}
    assert {file.name for file in path.parent.iterdir()} == {"state.json", "state.json.lock"}


def test_a_link_stays_a_link(path):
    """A path that is a link is followed, and the file that it leads to is replaced."""
    link = path.with_name("link")
    link.symlink_to(path)
    with Emulator(state=link) as emulator:
        make(emulator)
    assert link.is_symlink()
    with Emulator(state=path) as emulator:
        assert names(emulator) == ["x"]


@pytest.mark.usefixtures("hasty")
def test_a_change_is_saved_while_it_runs(path):
    """What was changed is in the file before the emulator is stopped."""
    with Emulator(state=path) as emulator:
        make(emulator, "early")
        eventually(lambda: path.exists() and "early" in path.read_text(), "it is saved")
        make(emulator, "late")
        eventually(lambda: "late" in path.read_text(), "it is saved again")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "change",
    [
        make,
        lambda emulator: emulator.add_private_file("1private"),
        lambda emulator: emulator.add_account(),
        lambda emulator: emulator.service_account_info(),
        lambda emulator: emulator.rotate_key(),
        lambda emulator: emulator.accounts[0].rotate_key(),
        lambda emulator: emulator.gspread_client(),
        lambda emulator: emulator.reset(),
    ],
)
def test_every_change_is_saved(path, change):
    """A change of whatever kind is saved while the emulator runs."""
    with Emulator(state=path):
        pass
    with Emulator(state=path) as emulator:
        before = path.read_text()
        change(emulator)
        eventually(lambda: path.read_text() != before, "it is saved")


def test_what_only_reads_saves_nothing(path):
    """Without a change the file stays as it is, at a stop too."""
    with Emulator(state=path) as emulator:
        make(emulator)
    before = stamp(path)
    with Emulator(state=path) as emulator:
        assert names(emulator) == ["x"]
        emulator.stop()
        emulator.start()
        assert names(emulator) == ["x"]
    assert stamp(path) == before


def test_stop_and_start_go_on(path):
    """An emulator that is started again goes on with its file, and saves what came meanwhile."""
    emulator = Emulator(state=path)
    for number in range(3):
        with emulator:
            make(emulator, f"run {number}")
        emulator.add_private_file(f"1private{number}")
    with emulator, pytest.raises(StateError, match="in use"):
        Emulator(state=path)
    kept = json.loads(path.read_text())
    assert [file["name"] for file in kept["files"]] == ["run 0", "run 1", "run 2"]
    assert kept["private"] == ["1private0", "1private1", "1private2"]


def test_requests_go_on_while_it_is_saved(path, monkeypatch):
    """Requests are answered while a save is under way, and are not in what it saves."""
    saving, go_on = threading.Event(), threading.Event()
    flush = os.fsync

    def held_up(file):
        saving.set()
        assert go_on.wait(PATIENCE)
        flush(file)

    with Emulator(state=path) as emulator:
        monkeypatch.setattr(os, "fsync", held_up)
        make(emulator, "before")
        assert saving.wait(PATIENCE)
        make(emulator, "meanwhile")
        assert names(emulator) == ["meanwhile", "before"]
        assert not path.exists()
        go_on.set()
        eventually(path.exists, "it is saved")
        assert [file["name"] for file in json.loads(path.read_text())["files"]] == ["before"]
    assert [file["name"] for file in json.loads(path.read_text())["files"]] == [
        "before",
        "meanwhile",
    ]


def test_many_changes_are_few_saves(path, monkeypatch):
    """Changes that come while one waits to be saved are saved with it, and a stop does not wait."""
    monkeypatch.setattr(keeper, "_DELAY", 3600.0)
    saves = []
    save = StateFile.save
    monkeypatch.setattr(StateFile, "save", lambda *args: (saves.append(1), save(*args)))
    with Emulator(state=path) as emulator:
        traffic = Traffic(emulator)
        for _ in range(30):
            assert traffic.write().status_code == 200
        traffic.close()
    assert saves == [1]
    with Emulator(state=path) as emulator:
        files = emulator.gspread_client().list_spreadsheet_files()
        assert [file["id"] for file in files] == [traffic.path.rpartition("/")[2]]


def test_a_large_state_is_saved_less_often():
    """Saving takes a tenth of the time at most, and a small state waits for half a second."""
    assert keeper.pause_after(0.001) == 0.5
    assert keeper.pause_after(4.0) == pytest.approx(36.0)


@pytest.mark.usefixtures("hasty")
def test_a_failing_save_is_told_once_and_tried_again(path, caplog, monkeypatch):
    """A folder that goes away costs one warning, and once it is back the state is saved."""
    tries = []
    save = StateFile.save

    def counted(file, content):
        tries.append(1)
        save(file, content)

    folder = path.parent / "folder"
    folder.mkdir()
    path = folder / "state.json"
    with Emulator(state=path) as emulator:
        eventually(path.exists, "it is saved")
        shutil.rmtree(folder)
        monkeypatch.setattr(StateFile, "save", counted)
        make(emulator, "patient")
        eventually(lambda: len(tries) > 3, "it was tried again")
        assert names(emulator) == ["patient"]
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert str(path) in caplog.text
        folder.mkdir()
        eventually(path.exists, "it is saved")
        assert "patient" in path.read_text()


def test_a_stop_that_cannot_save_says_so_and_can_be_tried_again(path):
    """At a stop a failing save is an error, nothing is lost, and the next stop saves."""
    folder = path.parent / "folder"
    folder.mkdir()
    emulator = Emulator(state=folder / "state.json")
    emulator.start()
    make(emulator, "precious")
    shutil.rmtree(folder)
    with pytest.raises(UnsavedError, match="No such file"):
        emulator.stop()
    folder.mkdir()
    emulator.stop()
    with Emulator(state=folder / "state.json") as other:
        assert names(other) == ["precious"]


def test_an_error_leaves_the_former_file(path, monkeypatch):
    """A save that fails on the way leaves the file as it was."""
    with Emulator(state=path) as emulator:
        make(emulator, "former")
    before = path.read_bytes()

    def full(file):
        raise OSError(28, "No space left on device")

    emulator = Emulator(state=path)
    emulator.start()
    make(emulator, "new")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UnsavedError, match=r"state.json \(No space left on device\)"):
            emulator.stop()
    assert path.read_bytes() == before
    emulator.stop()
    assert "new" in path.read_text()


def test_a_second_emulator_is_refused(path):
    """A file that an emulator has is refused to another one, until the first is stopped."""
    late = Emulator(state=path)
    with Emulator(state=path) as emulator:
        make(emulator)
        with pytest.raises(StateError, match=r"state.json is in use by another emulator: stop"):
            Emulator(state=path)
        with pytest.raises(StateError, match="in use"):
            late.start()
    with pytest.raises(StateError, match="written by another program"):
        late.start()
    with Emulator(state=path) as other:
        assert names(other) == ["x"]


def test_a_start_that_fails_lets_others_have_the_file(path):
    """An emulator whose port is taken does not keep the file to itself."""
    with Emulator() as taking:
        port = int(taking.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Emulator(port=port, state=path).start()
    with Emulator(state=path) as emulator:
        make(emulator)
        with pytest.raises(RuntimeError, match="running already"):
            emulator.start()
        with pytest.raises(StateError, match="in use"):
            Emulator(state=path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is not a state of the emulator, or is damaged"),
        ("not JSON", r"damaged \(Expecting value: line 1 column 1"),
        ('{"format": "queued-gspread emulator state", "version": 1', "line 1 column"),
        ('{"a": 1}', "damaged .it is not marked as"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe\xfa", "damaged"),
        ('{"format": "queued-gspread emulator state", "version": 9}', "upgrade queued-gspread"),
    ],
)
def test_what_is_no_state_is_refused_and_left(path, content, told):
    """A file that cannot be used is named with the remedy, and stays as it is, alone."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = (stamp(path), path.read_bytes())
    with pytest.raises(StateError, match=told) as raised:
        Emulator(state=path)
    assert str(path) in str(raised.value)
    assert "another file" in str(raised.value)
    assert (stamp(path), path.read_bytes()) == before
    assert list(path.parent.iterdir()) == [path]


def test_a_lock_file_that_was_taken_away_locks_nothing(path, monkeypatch):
    """Who opened the lock file before it was removed locks the new one: one has the file."""
    first, second = StateFile(path), StateFile(path)
    first.lock()
    opened = [second._open_lock()]
    first.leave()
    afresh = second._open_lock
    monkeypatch.setattr(second, "_open_lock", lambda: opened.pop() if opened else afresh())
    second.lock()
    with pytest.raises(StateError, match="in use"):
        StateFile(path).lock()
    second.unlock()


def test_a_damaged_place_is_named(path):
    """What is damaged in a file is told with its place."""
    with Emulator(state=path) as emulator:
        make(emulator)
    state = json.loads(path.read_text())
    state["files"][0]["created"] = "noon"
    path.write_text(json.dumps(state))
    with pytest.raises(StateError, match=r"files\[0\].created cannot be read"):
        Emulator(state=path)


@pytest.mark.parametrize("name", ["none/state.json", "file/state.json", "."])
def test_a_place_that_cannot_be_written_to_is_refused(tmp_path, name):
    """A folder that is not there, and a path that is a folder, are named."""
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot be") as raised:
        Emulator(state=tmp_path / name)
    assert str((tmp_path / name).resolve()) in str(raised.value)


def test_keys_of_earlier_runs_are_accepted(path):
    """A key that was handed out gets tokens of a later emulator, until keys are rotated."""
    infos = []
    for _ in range(2):
        with Emulator(state=path) as emulator:
            infos.append(emulator.service_account_info())
            port = int(emulator.url.rpartition(":")[2])
    assert infos[0]["private_key_id"] != infos[1]["private_key_id"]
    with Emulator(port=port, state=path) as emulator:
        old = [credentials_with(info, emulator) for info in infos]
        for credentials in old:
            credentials.refresh(Request())
            assert credentials.token
        emulator.rotate_key()
        for credentials in old:
            with pytest.raises(RefreshError, match="invalid_grant"):
                credentials.refresh(Request())
        new = emulator.service_account_info()
    with Emulator(port=port, state=path) as emulator:
        with pytest.raises(RefreshError, match="invalid_grant"):
            credentials_with(infos[0], emulator).refresh(Request())
        credentials_with(new, emulator).refresh(Request())


def credentials_with(info, emulator):
    info = {**info, "token_uri": f"{emulator.url}/token"}
    return type(credentials_of(emulator)).from_service_account_info(info, scopes=["x"])


def test_a_ready_client_goes_on(path):
    """A client that an emulator made ready gets tokens of the next one at the same URL."""
    with Emulator(state=path) as first:
        client = first.gspread_client()
        client.create("x")
        port = int(first.url.rpartition(":")[2])
    with Emulator(port=port, state=path):
        assert [file["name"] for file in client.list_spreadsheet_files()] == ["x"]
        client.http_client.session.close()


def test_accounts_come_back(path):
    """All accounts of a project are there again, and the next one is another."""
    with Emulator(state=path) as emulator:
        emulator.add_account()
        second = emulator.add_account()
        info = second.service_account_info()
    with Emulator(state=path) as emulator:
        assert emulator.accounts[2].email == second.email
        credentials_with(info, emulator).refresh(Request())
        assert bearer(emulator.accounts[1])
        assert emulator.add_account().email not in {
            account.email for account in emulator.accounts[:3]
        }


def test_a_key_of_one_account_is_not_anothers(path):
    """A key that was handed out for one account signs for no other one after a restart."""
    with Emulator(state=path) as emulator:
        info = emulator.service_account_info()
        other = emulator.add_account().email
    with Emulator(state=path) as emulator:
        forged = credentials_with({**info, "client_email": other}, emulator)
        with pytest.raises(RefreshError, match="Invalid JWT Signature"):
            forged.refresh(Request())


def test_no_secret_is_kept(path):
    """Neither a private key nor an access token is in the file."""
    with Emulator(state=path) as emulator:
        token = bearer(emulator)["Authorization"].split()[1]
        info = emulator.service_account_info()
        emulator.rotate_key()
        emulator.add_account().service_account_info()
        make(emulator)
    text = path.read_text()
    assert "PRIVATE" not in text
    assert token not in text
    assert info["private_key"].splitlines()[1] not in text
    assert text.count("BEGIN PUBLIC KEY") == 2


def test_an_interrupted_run_makes_up_the_same_ids(path):
    """With a seed a run that was interrupted answers the same ids as one that was not."""
    with Emulator(seed=5) as whole:
        expected = [make(whole) for _ in range(4)]
    found = []
    for _ in range(2):
        with Emulator(seed=5, state=path) as emulator:
            found += [make(emulator) for _ in range(2)]
    assert found == expected
