"""Who may own files, who may change them, and shared drives, which own their own."""

from __future__ import annotations

import pytest
import requests
from emulator_traffic import bearer
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator import Emulator

SHEET = "application/vnd.google-apps.spreadsheet"
FOLDER = "application/vnd.google-apps.folder"
NO_STORAGE = r"\[403\]: The user's Drive storage quota has been exceeded\."
DRIVE = "https://www.googleapis.com/drive/v3"


@pytest.fixture
def poor():
    """Return an emulator whose accounts may own no files."""
    with Emulator(seed=1, storage=False) as emulator:
        yield emulator


def asked(client, method, path, **given):
    return client.http_client.request(method, f"{DRIVE}/{path}", **given).json()


def limit_of(client):
    fields = {"fields": "storageQuota(limit),user(emailAddress)"}
    return asked(client, "get", "about", params=fields)["storageQuota"]["limit"]


def test_an_account_without_storage_creates_nothing(poor):
    """It is answered as Google answers: to create and to copy by Drive, to create by Sheets."""
    client = poor.gspread_client()
    key = poor.add_spreadsheet("Orders")
    with pytest.raises(APIError, match=NO_STORAGE) as caught:
        client.create("Mine")
    (told,) = caught.value.error["errors"]
    assert (told["domain"], told["reason"]) == ("usageLimits", "storageQuotaExceeded")
    with pytest.raises(APIError, match=NO_STORAGE):
        client.copy(key)
    with pytest.raises(APIError, match=r"\[403\]: The caller does not have permission"):
        client.http_client.request("post", "https://sheets.googleapis.com/v4/spreadsheets", json={})
    assert [file["name"] for file in client.list_spreadsheet_files()] == ["Orders"]
    assert limit_of(client) == "0"


def test_an_account_without_storage_makes_folders(poor):
    """A folder takes no storage; what is created in it does."""
    client = poor.gspread_client()
    made = asked(client, "post", "files", json={"name": "f", "mimeType": FOLDER})
    with pytest.raises(APIError, match=NO_STORAGE):
        client.create("Mine", folder_id=made["id"])


def test_each_account_has_storage_or_none(poor):
    """An account's own setting wins over the emulator's, which can be changed while it runs."""
    rich = poor.gspread_client(poor.add_account(storage=True))
    assert rich.create("Mine").title == "Mine"
    assert limit_of(rich) == str(15 * 1024**3)
    poor.storage = True
    assert poor.gspread_client().create("Mine too").title == "Mine too"
    still = poor.gspread_client(poor.add_account(storage=False))
    with pytest.raises(APIError, match=NO_STORAGE):
        still.create("x")
    poor.reset()
    with pytest.raises(APIError, match=NO_STORAGE):
        poor.gspread_client().create("x")
    with pytest.raises(TypeError, match="storage='no' cannot be used"):
        poor.storage = "no"


def test_a_shared_drive_owns_its_files(poor):
    """Whoever has no storage creates and copies in a shared drive, and in its folders."""
    client, drive = poor.gspread_client(), poor.add_shared_drive("Team")
    made = client.create("Orders", folder_id=drive)
    made.sheet1.append_row([1])
    body = {"name": "f", "mimeType": FOLDER, "parents": [drive]}
    everywhere = {"supportsAllDrives": True}
    folder = asked(client, "post", "files", json=body, params=everywhere)["id"]
    copied = client.copy(made.id, "Copy", folder_id=folder)
    assert client.open("Copy", folder_id=folder).id == copied.id
    assert client.copy(made.id, "Beside").sheet1.get_all_values() == [["1"]]
    fields = {"fields": "driveId,owners,ownedByMe,permissions(role)", **everywhere}
    found = asked(client, "get", f"files/{copied.id}", params=fields)
    assert found == {"driveId": drive, "ownedByMe": False, "permissions": [{"role": "organizer"}]}
    client.del_spreadsheet(copied.id)
    assert {file["name"] for file in client.list_spreadsheet_files()} == {"Orders", "Beside"}


def test_shared_drives_are_listed(poor):
    """A shared drive is found by its name and its id, and is no file."""
    client, drive = poor.gspread_client(), poor.add_shared_drive("Team")
    assert asked(client, "get", "drives")["drives"] == [
        {"kind": "drive#drive", "id": drive, "name": "Team"}
    ]
    assert asked(client, "get", f"drives/{drive}")["name"] == "Team"
    with pytest.raises(APIError, match="Shared drive not found: x"):
        asked(client, "get", "drives/x")
    everything = {"includeItemsFromAllDrives": True, "supportsAllDrives": True}
    assert asked(client, "get", "files", params=everything)["files"] == []


def test_who_does_not_know_of_shared_drives_sees_none_of_their_files(poor):
    """Without supportsAllDrives a file or a folder of a shared drive is not found, nor listed."""
    client, drive = poor.gspread_client(), poor.add_shared_drive("Team")
    key = client.create("Orders", folder_id=drive).id
    body = {"name": "x", "mimeType": SHEET, "parents": [drive]}
    for ask in (
        lambda: asked(client, "get", f"files/{key}"),
        lambda: asked(client, "patch", f"files/{key}", json={"name": "y"}),
        lambda: asked(client, "post", f"files/{key}/copy", json={}),
        lambda: asked(client, "post", "files", json=body),
    ):
        with pytest.raises(APIError, match=r"\[404\]: File not found"):
            ask()
    assert asked(client, "get", "files")["files"] == []
    assert client.open_by_key(key).title == "Orders"


def test_a_file_that_is_moved_into_a_shared_drive_is_its(poor):
    """A file belongs to the shared drive that it was moved into."""
    client, drive = poor.gspread_client(), poor.add_shared_drive("Team")
    key = poor.add_spreadsheet("Orders")
    moved = {"addParents": drive, "removeParents": "root", "supportsAllDrives": True}
    found = asked(client, "patch", f"files/{key}", params={**moved, "fields": "driveId"}, json={})
    assert found == {"driveId": drive}


def test_a_spreadsheet_of_somebody_else(poor):
    """A spreadsheet that is there from the start is somebody else's, and may be written."""
    client = poor.gspread_client()
    key = poor.add_spreadsheet("Orders", owner="bob@example.com")
    client.open("Orders").sheet1.append_row([1])
    fields = {"fields": "owners(emailAddress),ownedByMe,capabilities(canEdit)"}
    assert asked(client, "get", f"files/{key}", params=fields) == {
        "owners": [{"emailAddress": "bob@example.com"}],
        "ownedByMe": False,
        "capabilities": {"canEdit": True},
    }
    in_drive = poor.add_spreadsheet("Team's", folder_id=poor.add_shared_drive("Team"))
    assert client.open_by_key(in_drive).title == "Team's"


@pytest.mark.parametrize("role", ["reader", "commenter"])
def test_what_is_shared_for_reading_is_not_changed(poor, role):
    """A file that is shared for less than writing is read and copied, and not changed."""
    client = poor.gspread_client()
    key = poor.add_spreadsheet("Orders", role=role)
    mine = client.create("Mine", folder_id=poor.add_shared_drive("Team"))
    book = client.open_by_key(key)
    assert book.sheet1.title == "Sheet1"
    for change in (
        lambda: book.sheet1.append_row([1]),
        lambda: book.add_worksheet("x", 1, 1),
        lambda: mine.sheet1.copy_to(key),
    ):
        with pytest.raises(APIError, match=r"\[403\]: The caller does not have permission"):
            change()
    for change in (
        lambda: client.del_spreadsheet(key),
        lambda: book.share("b@example.com", perm_type="user", role="reader"),
        lambda: client.import_csv(key, "1,2"),
    ):
        with pytest.raises(APIError, match=r"\[403\]: The user does not have sufficient"):
            change()
    found = asked(client, "get", f"files/{key}", params={"fields": "capabilities"})
    assert found["capabilities"]["canEdit"] is False
    with pytest.raises(ValueError, match="role='boss' cannot be used"):
        poor.add_spreadsheet("x", role="boss")


def test_about_wants_its_fields(poor):
    """The method that tells of an account has to be told what of it, as with Google."""
    answer = requests.get(f"{poor.url}/drive/v3/about", headers=bearer(poor), timeout=PATIENCE)
    assert answer.status_code == 400
    assert "fields" in answer.json()["error"]["message"]


def test_shared_drives_outlive_the_process(tmp_path):
    """What is in a shared drive, and whose the rest is, is kept in the file of the state."""
    state = tmp_path / "state.json"
    with Emulator(state=state, storage=False) as emulator:
        drive = emulator.add_shared_drive("Team")
        key = emulator.gspread_client().create("Orders", folder_id=drive).id
        other = emulator.add_spreadsheet("Others", role="reader")
    with Emulator(state=state, storage=False) as emulator:
        client = emulator.gspread_client()
        assert client.create("More", folder_id=drive)
        with pytest.raises(APIError, match="File not found"):
            asked(client, "get", f"files/{key}")
        with pytest.raises(APIError, match="The caller does not have permission"):
            client.open_by_key(other).sheet1.append_row([1])
