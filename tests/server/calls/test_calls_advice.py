"""What a caller is told of what the server's account may not do: see a file, or own one."""

from __future__ import annotations

import traceback
from types import SimpleNamespace

import gspread
import pytest
from google.auth.exceptions import RefreshError
from gspread.exceptions import APIError, SpreadsheetNotFound
from limits import UNLIMITED

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import OAuthRefusal
from queued_gspread.google_api.responses import made_up_response
from queued_gspread.protocol.identity import Identity
from queued_gspread.server import Server
from queued_gspread.server.calls.advice import advise

PRIVATE = "1" * 44
ACCOUNT = "robot@project.iam.gserviceaccount.com"


@pytest.fixture
def client(redis_url, namespace, tmp_path):
    """Return a client of a server for an emulator with one file that is not shared."""
    chosen = {"redis_url": redis_url, "namespace": namespace}
    with Emulator(seed=1) as google:
        google.add_private_file(PRIVATE)
        google.write_service_account(tmp_path / "key.json")
        with Server(
            service_account=tmp_path / "key.json", api_endpoint=google.url, **chosen, **UNLIMITED
        ) as server:
            yield SimpleNamespace(
                of=queued_gspread.authorize(**chosen),
                address=server.account.email,
                google=google,
                server=server,
            )


CALLS = {
    "by its key": (lambda client: client.open_by_key(PRIVATE), PermissionError),
    "by a key that is none": (lambda client: client.open_by_key("2" * 44), SpreadsheetNotFound),
    "by its title": (lambda client: client.open("Orders"), SpreadsheetNotFound),
    "by its file": (lambda client: client.copy(PRIVATE), APIError),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_spreadsheet_that_is_not_shared(call, client):
    """Who opens what is not shared gets gspread's exception, and sees with whom to share it."""
    make, kind = CALLS[call]
    with pytest.raises(kind) as caught:
        make(client.of)
    assert type(caught.value) is kind
    notes = " ".join(caught.value.__notes__)
    assert f"works as {client.address}: if the spreadsheet is there, share it" in notes


def test_a_key_that_google_refuses_is_the_servers(client):
    """Who gets google-auth's RefreshError sees that it is the server's key, and whose, once."""
    client.google.faults.add(OAuthRefusal(), to="token")
    client.google.revoke_tokens()
    with pytest.raises(RefreshError) as caught:
        client.of.open_by_key(PRIVATE)
    with pytest.raises(RefreshError) as caught:
        client.of.open_by_key(PRIVATE)
    (note,) = [note for note in caught.value.__notes__ if note.startswith("it is ")]
    assert f"the server's key that Google refuses, of {client.address}" in note
    assert "the server's log says more" in note


@pytest.mark.parametrize("name", ["create", "copy"])
def test_who_may_own_no_file_is_told_of_ways_out(client, name):
    """Who creates or copies as an account without storage gets Google's error with three ways out.

    It is not tried again, and in a folder of a shared drive it works.
    """
    client.google.storage = False
    book = client.google.add_spreadsheet("Orders")
    drive = client.google.add_shared_drive("Team")
    args = ("Mine",) if name == "create" else (book, "Mine")
    with pytest.raises(APIError, match=r"\[403\]: The user's Drive storage quota") as caught:
        getattr(client.of, name)(*args)
    assert len(client.google.ledger) == 1
    (note,) = [note for note in caught.value.__notes__ if note.startswith("the server works as")]
    assert f"{client.address}, which has no storage" in note
    for way in ("folder_id=", "--subject", "--oauth", "share it with the account"):
        assert way in note
    assert getattr(client.of, name)(*args, folder_id=drive).title == "Mine"


def refusal(code, message):
    return APIError(made_up_response(code, "refused", {"message": message, "status": "X"}))


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (refusal(403, "The caller does not have permission"), True),
        (refusal(404, "File not found: 1."), True),
        (refusal(403, "Google Sheets API has not been used in project 1 or is disabled"), False),
        (refusal(403, "User Rate Limit Exceeded"), False),
        (refusal(400, "Unable to parse range"), False),
        (gspread.exceptions.WorksheetNotFound("x"), False),
        (PermissionError("of this machine"), False),
    ],
    ids=str,
)
def test_what_sharing_cannot_help_is_not_told_so(error, is_told):
    """The advice is given where sharing may help, and the error's own text stays as it was."""
    before = str(error)
    advise(error, Identity(ACCOUNT))
    assert str(error) == before
    assert (ACCOUNT in "".join(getattr(error, "__notes__", ()))) is is_told
    assert before in "".join(traceback.format_exception_only(error))
