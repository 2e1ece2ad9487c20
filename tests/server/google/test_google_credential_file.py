"""Credentials that cannot be used: the error says what is wrong, and shows nothing secret."""

from __future__ import annotations

import json
import traceback

import pytest

from queued_gspread.errors import ConfigurationError
from queued_gspread.server import Server
from queued_gspread.server.google import sources
from queued_gspread.server.google.credentials import make_client

SERVICE_ACCOUNT = "a service account's key file"


@pytest.fixture
def info(key_file):
    """Return what is in a service account's key file."""
    return json.loads(key_file.read_text())


@pytest.fixture
def refused(tmp_path):
    """Return what tells of a file with some content, as it is refused."""

    def refuse(content):
        path = tmp_path / "account.json"
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return told_by(path, service_account=path)

    return refuse


def told_by(named, **chosen):
    """Return the error for credentials that are refused, which names them and has no cause."""
    with pytest.raises(ConfigurationError) as caught:
        make_client(**chosen)
    shown = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    assert str(named) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("field", ["client_email", "private_key", "token_uri"])
def test_a_field_that_is_missing_is_named(field, info, refused):
    """A service account's file without a field is told to lack that field, and no other."""
    del info[field]
    told = refused(info)
    assert f"it has no '{field}'" in told
    assert "another option" not in told
    assert SERVICE_ACCOUNT in told


def test_all_fields_that_are_missing_are_named(info, refused):
    """Where several fields are missing, all of them are named at once."""
    told = refused({"type": "service_account", "token_uri": info["token_uri"]})
    assert "it has no 'client_email' and no 'private_key'" in told


ODD_VALUES = {
    "an address that is a number": ({"client_email": 5}, "its 'client_email' is empty or no text"),
    "an empty address": ({"client_email": " "}, "its 'client_email' is empty or no text"),
    "no key": ({"private_key": None}, "its 'private_key' is empty or no text"),
    "no URL": ({"token_uri": "nowhere"}, "its 'token_uri' is no URL"),
    "a key that is none": ({"private_key": "hunter2"}, "its 'private_key' is none"),
    "a public key": (
        {"private_key": "-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----\n"},
        "its 'private_key' is none",
    ),
    "a damaged key": (
        {"private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"},
        "its 'private_key' is damaged",
    ),
    "another kind of account": (
        {"type": "authorized_user"},
        "which is for --oauth or --adc, or for --credentials",
    ),
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_a_value_that_cannot_be_used_is_named(name, info, refused):
    """A field with a value that no service account has is named, without the value."""
    changed, told = ODD_VALUES[name]
    assert told in refused(info | changed)


def test_a_key_that_was_escaped_twice(info, refused):
    """A key with backslashes where its line breaks were is told to have been escaped twice."""
    info["private_key"] = info["private_key"].replace("\n", "\\n")
    assert r"has \n spelt out where its lines end" in refused(info)


OTHER_FILES = {
    "empty": ("", "it is empty"),
    "not JSON": ('{"hunter2": \n 5', "it is not JSON (line 2)"),
    "a PEM": ("-----BEGIN PRIVATE KEY-----\nhunter2", "it is a private key alone"),
    "a list": (["hunter2"], "JSON of another kind"),
    "no credentials": ({"name": "hunter2"}, "JSON of another kind"),
    "secrets of a client": ({"installed": {"client_secret": "hunter2"}}, "an OAuth client's file"),
    "secrets of a web client": ({"web": {"client_secret": "hunter2"}}, "an OAuth client's file"),
    "UTF-16": ('{"type": "service_account"}'.encode("utf-16"), "it is not UTF-8"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_of_another_kind_is_told_from_others(name, refused):
    """What is found in the place of a key file is told, and what is expected."""
    content, told = OTHER_FILES[name]
    shown = refused(content)
    assert told in shown
    assert SERVICE_ACCOUNT in shown


def test_a_mark_at_the_beginning_is_left_aside(info, tmp_path):
    """A file that a Windows editor saved, with a byte order mark, is read as it is meant."""
    path = tmp_path / "account.json"
    path.write_text(json.dumps(info), encoding="utf-8-sig")
    client = make_client(service_account=path)
    assert client.http_client.auth.service_account_email == info["client_email"]


def test_a_file_in_the_home_directory(info, tmp_path, monkeypatch):
    """A ~ that no shell has replaced means the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "account.json").write_text(json.dumps(info))
    client = make_client(service_account="~/account.json")
    assert client.http_client.auth.service_account_email == info["client_email"]


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    """A file that the process may not read is told as that, with the user whose process it is."""

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    told = told_by("account.json", service_account=tmp_path / "account.json")
    assert "may not be read by user" in told


@pytest.mark.parametrize("content", ['{"private_key": "hunter2/x"}', "-----BEGIN hunter2"])
@pytest.mark.parametrize("place", ["argument", "variable"])
def test_a_key_in_the_place_of_its_file_is_not_shown(content, place, monkeypatch, tmp_path):
    """Whoever gives a key file's content, and not its name, is told so and does not see it."""
    nowhere = tmp_path / "nothing.json"
    monkeypatch.setattr(sources, "DEFAULT_SERVICE_ACCOUNT_FILENAME", nowhere)
    if place == "argument":
        told = told_by("content", service_account=content)
    else:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", content)
        told = told_by("content")
        assert "content" in told_by("GOOGLE_APPLICATION_CREDENTIALS", adc=True)
    assert "give that file's name" in told


def test_an_authorised_users_file_without_a_field(tmp_path, monkeypatch):
    """The file for --oauth is told which field it lacks, too."""
    path = tmp_path / "authorized_user.json"
    path.write_text(json.dumps({"client_id": "a", "client_secret": "hunter2"}))
    monkeypatch.setattr(sources, "DEFAULT_AUTHORIZED_USER_FILENAME", path)
    told = told_by(path, oauth=True)
    assert "it has no 'refresh_token'" in told
    assert "gspread.oauth()" in told


def test_application_default_credentials_that_cannot_be_used(info, tmp_path, monkeypatch):
    """The file that the variable names, and what it lacks, are told where --adc cannot use it."""
    path = tmp_path / "account.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert "is not there" in told_by(path, adc=True)
    del info["client_email"]
    path.write_text(json.dumps(info))
    told = told_by(path, adc=True)
    assert "it has no 'client_email'" in told
    assert "found none" not in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"client": "key.json"}, "client is of type str: take a gspread.Client"),
        ({"service_account": {"key": "hunter2"}}, "is of type dict: take the name of a key file"),
    ],
)
def test_a_server_that_is_made_of_something_else(given, told):
    """What is no client and no file's name is told by its type, without what it holds."""
    with pytest.raises(ConfigurationError, match=told) as caught:
        Server(**given)
    assert "hunter2" not in str(caught.value)
