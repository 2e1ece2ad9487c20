"""What a client tells of its credentials, and what it never tells."""

from __future__ import annotations

import enum
import warnings
from pathlib import Path

import gspread.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.service_account import Credentials

import queued_gspread
from queued_gspread.protocol.identity import ANYONE, Identity, identity_of
from queued_gspread.protocol.messages import Job


def test_a_service_account_tells_its_mail_subject_and_scopes(key_file):
    """Of service account credentials e-mail, subject and scopes are used, and nothing else."""
    credentials = Credentials.from_service_account_file(
        key_file, scopes=gspread.auth.READONLY_SCOPES
    ).with_subject("boss@example.com")
    assert identity_of(credentials) == Identity(
        credentials.service_account_email, "boss@example.com", tuple(gspread.auth.READONLY_SCOPES)
    )


def test_other_credentials_tell_nothing():
    """Credentials without an e-mail are anyone's."""
    assert identity_of(AnonymousCredentials()) == ANYONE
    assert identity_of(None) == ANYONE


class Scope(str, enum.Enum):
    DRIVE = "https://www.googleapis.com/auth/drive"


def test_scopes_are_told_by_their_values(key_file):
    """Scopes that are members of an enum are those that google-auth asks for."""
    credentials = Credentials.from_service_account_file(key_file, scopes=[Scope.DRIVE])
    assert identity_of(credentials).scopes == ("https://www.googleapis.com/auth/drive",)
    assert type(identity_of(credentials).scopes[0]) is str


@pytest.mark.parametrize(
    "given", ["creds.json", b"{}", Path("creds.json"), {"private_key": "k"}, 5]
)
@pytest.mark.parametrize("make", [queued_gspread.authorize, queued_gspread.Client])
def test_what_are_no_credentials_is_told(make, given):
    """A file's name or content in the place of credentials is an error that names the way to go."""
    with pytest.raises(TypeError, match=r"service_account\(filename=...\)") as caught:
        make(given)
    assert type(given).__name__ in str(caught.value)
    assert "private_key" not in str(caught.value)


def test_a_job_holds_no_secret(key_file, emulator):
    """The bytes that go to Redis have no key, token or file name of the credentials."""
    info = emulator.service_account_info()
    client = queued_gspread.service_account(key_file)
    body = Job("client", "open", args=("x",), identity=client.http_client._self_caller.identity)
    text = body.encode().decode()
    assert info["client_email"] in text
    assert info["private_key_id"] not in text
    assert "PRIVATE KEY" not in text
    assert str(key_file) not in text


def test_a_read_only_client_reads_and_does_not_write(sh, key_file, redis_url, namespace):
    """A client with read-only scopes gets Google's 403 for a write, and its reads work."""
    reader = queued_gspread.service_account(
        key_file,
        scopes=gspread.auth.READONLY_SCOPES,
        redis_url=redis_url,
        namespace=namespace,
    )
    worksheet = reader.open_by_key(sh.id).sheet1
    assert worksheet.get_all_values() == [[]]
    with pytest.raises(gspread.exceptions.APIError, match="insufficient") as caught:
        worksheet.append_row(["x"])
    assert caught.value.response.status_code == 403
    assert worksheet.get_all_values() == [[]]


@pytest.mark.parametrize("make", ["service_account", "oauth", "oauth_from_dict"])
def test_read_only_scopes_hold_without_an_account(sh, redis_url, namespace, tmp_path, make):
    """A client that tells its scopes and not its account is held to reading as well."""
    info = {"refresh_token": "r", "client_id": "i", "client_secret": "s"}
    given = {
        "service_account": {"filename": tmp_path / "none.json"},
        "oauth": {"authorized_user_filename": tmp_path / "none.json"},
        "oauth_from_dict": {"authorized_user_info": info},
    }[make]
    where = {"redis_url": redis_url, "namespace": namespace}
    scopes = gspread.auth.READONLY_SCOPES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        client = getattr(queued_gspread, make)(scopes=scopes, **given, **where)
    reader = client[0] if isinstance(client, tuple) else client
    worksheet = reader.open_by_key(sh.id).sheet1
    with pytest.raises(gspread.exceptions.APIError, match="insufficient"):
        worksheet.append_row(["x"])


def test_another_account_is_refused_by_name(server, emulator, redis_url, namespace):
    """A call that is meant for another account names both, and is not made."""
    info = {**emulator.service_account_info(), "client_email": "other@example.com"}
    client = queued_gspread.service_account_from_dict(
        info, redis_url=redis_url, namespace=namespace
    )
    before = len(emulator.ledger)
    with pytest.raises(queued_gspread.GSpreadException) as caught:
        client.create("Not there")
    assert "other@example.com" in str(caught.value)
    assert emulator.service_account_info()["client_email"] in str(caught.value)
    assert len(emulator.ledger) == before
