"""Credentials files that are wrong, forged, or somebody else's: what is told, and what is not."""

from __future__ import annotations

import base64
import json
import shlex

import pytest
from account_kinds import ANN, KINDS, SHEETS, write
from google.auth.exceptions import RefreshError
from limits import UNLIMITED

from queued_gspread.emulator import Emulator
from queued_gspread.errors import ConfigurationError
from queued_gspread.server import Server
from queued_gspread.server.google.credentials import make_client
from queued_gspread.server.google.sources import Named, source_of

WORKLOAD = {"type": "external_account", "audience": "//a", "subject_token_type": "urn:jwt"}
ALLOWING = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"


@pytest.fixture
def google():
    """Return an emulator of this test alone."""
    with Emulator(seed=1) as emulator:
        yield emulator


def within(google, source):
    """Return the file of an account that a workload impersonates, whose token is at a source."""
    return google.accounts[0].impersonated_info(WORKLOAD | {"credential_source": source})


def test_a_program_within_another_file_is_told_and_has_to_be_allowed(google, caplog, monkeypatch):
    """A program that the credentials inside a file run is named, and refused unless allowed."""
    caplog.set_level("INFO")
    info = within(google, {"executable": {"command": "/bin/evil --key hunter2"}})
    # As if the file's own program were the one that is run.
    info["credential_source"] = {"executable": {"command": "/bin/good"}}
    monkeypatch.delenv(ALLOWING, raising=False)
    with pytest.raises(ConfigurationError, match=f"to run, /bin/good and /bin/evil.*{ALLOWING}=1"):
        make_client(credentials=info)
    monkeypatch.setenv(ALLOWING, "1")
    make_client(credentials=info)
    assert "program /bin/evil" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_workloads_file_within_another_file_is_watched(google, tmp_path, caplog):
    """A new token of the workload inside a file is noticed as one named by the file itself is."""
    caplog.set_level("INFO")
    token, path = tmp_path / "token", tmp_path / "credentials.json"
    token.write_text("one")
    write(path, within(google, {"file": str(token)}))
    source = source_of(Named(path))
    source.load()
    assert f"file {token}" in caplog.text
    assert source.file.reload() is None
    write(token, "another one")
    assert source.file.reload() is not None


@pytest.mark.parametrize("name", ["token_url", "url"])
def test_a_url_that_cannot_be_read(name):
    """A URL of which no host can be made is told by its field's name, and not by its value."""
    info = WORKLOAD | {"token_url": "https://sts.googleapis.com/v1/token"}
    bad = "http://hunter2[::1"
    info |= {name: bad} if name in info else {"credential_source": {name: bad}}
    with pytest.raises(ConfigurationError, match=f"its '{name}' is no URL") as caught:
        make_client(credentials=info)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("odd", [{"type": []}, "text", None, [1]])
def test_fields_that_a_kind_does_not_have(google, odd):
    """A field of another kind is nothing to a key file, whatever it holds."""
    source = source_of(Named(google.service_account_info() | {"source_credentials": odd}))
    source.load()
    assert source.remedy("invalid_grant") == ""


def test_a_workloads_file_of_an_impossible_name(tmp_path):
    """A file name that no system has is watched as a file that is not there."""
    path = tmp_path / "credentials.json"
    write(path, WORKLOAD | {"token_url": "https://x", "credential_source": {"file": "a\0b"}})
    source = source_of(Named(path))
    source.load()
    assert source.file.reload() is None


@pytest.mark.parametrize("option", ["credentials", "service_account", "oauth", "adc"])
def test_a_key_in_base64_instead_of_a_files_name(google, option, monkeypatch):
    """Of a file's content in base64, as platforms hand it out, the error shows nothing."""
    text = base64.b64encode(json.dumps(google.service_account_info()).encode()).decode()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", text)
    with pytest.raises(ConfigurationError) as caught:
        make_client(**{option: True if option == "adc" else text})
    assert text[:40] not in str(caught.value)
    assert "the content of" in str(caught.value)


def test_a_file_of_another_account_changes_nothing(google, tmp_path, caplog):
    """A file that is not taken is not told as used, and gives no advice about the old account."""
    caplog.set_level("INFO")
    path, token = tmp_path / "credentials.json", tmp_path / "token"
    write(path, google.service_account_info())
    source = source_of(Named(path))
    source.load()
    write(path, google.add_workload().external_account_info(token))
    assert source.file.reload() is None
    assert "and the server uses" not in caplog.text
    write(path, google.add_user(ANN).authorized_user_info())
    assert source.file.reload() is None
    assert source.file.reload(again=True) is None
    assert source.remedy("invalid_grant") == ""


def test_half_a_file_in_the_middle_of_a_swap(google, tmp_path, caplog):
    """While a file is only written in part the old credentials stay; the whole one is taken."""
    path, text = tmp_path / "credentials.json", json.dumps(google.service_account_info())
    write(path, text)
    source = source_of(Named(path))
    source.load()
    for part in ("", text[:900], text[:-1]):
        path.write_text(part)
        assert source.file.reload() is None
        assert source.file.reload(again=True) is None
    assert "it is not JSON" in caplog.text
    assert text[200:300] not in caplog.text
    path.write_text(text)
    assert source.file.reload() is not None


@pytest.mark.parametrize("name", ["service account for a subject", "impersonation for a subject"])
def test_a_domain_that_has_not_delegated(
    name, google, redis_url, namespace, client, caplog, tmp_path, monkeypatch
):
    """Callers and the log are told which scopes the domain has to delegate, and for whom."""
    if name not in KINDS:
        pytest.skip("this google-auth acts for a subject by a key alone")
    kind = KINDS[name](google, tmp_path, monkeypatch)
    getattr(kind, "other", kind.bot).delegate([SHEETS])
    chosen = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": google.url}
    with (
        Server(**chosen, **UNLIMITED, **kind.options),
        pytest.raises(RefreshError) as caught,
    ):
        client.open("Orders")
    for told in (caplog.text, " ".join(caught.value.__notes__)):
        assert f"To act for {ANN}, an administrator of that domain has to delegate" in told
        assert f"these scopes: {SHEETS}," in told
        assert "--scopes" in told


def test_a_subject_who_is_nobody(google, caplog, redis_url, namespace, client):
    """A subject whom Google does not know is named to callers and in the log, with the option."""
    google.add_user(ANN)
    chosen = {"redis_url": redis_url, "namespace": namespace, "api_endpoint": google.url}
    info = google.service_account_info()
    with (
        Server(**chosen, **UNLIMITED, credentials=info, subject="nan@example.com"),
        pytest.raises(RefreshError) as caught,
    ):
        client.open("Orders")
    for told in (caplog.text, " ".join(caught.value.__notes__)):
        assert "Google knows no user nan@example.com" in told


SOURCES = (None, {}, "text", {"file": "a", "url": "https://b"}, {"executable": "text"})


@pytest.mark.parametrize("source", SOURCES)
def test_a_workloads_source_that_cannot_be_used(source):
    """Where a workload's file does not say where its token is, the error names the field."""
    info = WORKLOAD | {"token_url": "https://x", "credential_source": source}
    with pytest.raises(ConfigurationError, match="its 'credential_source' is missing, or cannot"):
        make_client(credentials=info)


@pytest.mark.parametrize("within", [None, {"type": "service_account"}, {"type": []}])
def test_impersonating_credentials_that_cannot_be_used(google, within):
    """An impersonated account's file with wrong credentials inside is told by their field."""
    info = google.accounts[0].impersonated_info(within)
    with pytest.raises(ConfigurationError, match="its 'source_credentials' or"):
        make_client(credentials=info)


@pytest.mark.parametrize("option", ["credentials", "service_account", "oauth"])
def test_an_oauth_clients_file_is_told_what_makes_a_users_of_it(option, tmp_path):
    """Who has only downloaded the program's secrets is told how they become a user's file."""
    path = tmp_path / "client_secret.json"
    write(path, {"installed": {"client_id": "i", "client_secret": "hunter2"}})
    with pytest.raises(ConfigurationError, match="OAuth client's file") as told:
        make_client(**{option: path})
    assert "gspread.oauth(credentials_filename=FILE)" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_command_for_a_new_consent_can_be_pasted(google, tmp_path):
    """The name of a file with spaces is quoted in the command that gives consent anew."""
    path = tmp_path / "a user's.json"
    write(path, google.add_user(ANN).authorized_user_info())
    source = source_of(Named(path))
    source.load()
    assert f"`rm {shlex.quote(str(path))}`" in source.remedy("invalid_grant")
