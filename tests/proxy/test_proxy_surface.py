"""What a user finds under ``import queued_gspread as gspread``."""

from __future__ import annotations

import inspect
import subprocess
import sys
from types import FunctionType

import gspread
import gspread.auth
import pytest
import requests
from google.oauth2.service_account import Credentials

import queued_gspread
from queued_gspread.protocol.kinds import KINDS, Group, is_gspreads_own

FUNCTIONS = [
    *("authorize", "service_account", "service_account_from_dict"),
    *("oauth", "oauth_from_dict", "api_key"),
]
OURS = {"redis_url", "namespace", "timeout", "grace", "signing_key_file", "caller", "max_age"}


@pytest.mark.parametrize("name", gspread.__all__)
def test_everything_public_is_there(name):
    """Each name of gspread's ``__all__`` is one of ours too."""
    assert name in queued_gspread.__all__
    assert hasattr(queued_gspread, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_keep_gspreads_signatures(name):
    """Each function takes gspread's parameters in gspread's order, and our keywords."""
    theirs = list(inspect.signature(getattr(gspread, name)).parameters.values())
    ours = list(inspect.signature(getattr(queued_gspread, name)).parameters.values())
    assert [p.name for p in ours if p.name not in OURS] == [p.name for p in theirs]
    assert [p.kind for p in ours if p.name not in OURS] == [p.kind for p in theirs]
    assert {p.name for p in ours if p.kind is p.KEYWORD_ONLY} == OURS
    required = {p.name for p in ours if p.default is p.empty}
    assert required <= {p.name for p in theirs if p.default is p.empty}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_public_name_is_classified(kind, record_property):
    """No public name of the installed gspread's class is left unclassified."""
    names = {name for name in dir(kind.cls) if not name.startswith("_")}
    assert set(kind.groups) == names
    assert kind.local <= names
    assert kind.remote <= names
    counts = {group.value: sum(g is group for g in kind.groups.values()) for group in Group}
    record_property("counts", counts)
    print(f"{kind.cls.__name__}: {len(names)} public names, {counts}, unclassified 0")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_all_of_gspreads_methods_are_known_as_its_own(kind):
    """No method of an unpatched gspread is taken for a library's replacement."""
    assert set(kind.originals) == kind.calls | kind.remote
    assert not is_gspreads_own(test_all_of_gspreads_methods_are_known_as_its_own)
    assert not is_gspreads_own(print)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_gspread_has_methods_and_properties_alone(kind):
    """Every public name of gspread's class is a method or a property: none is guessed."""
    for name in kind.groups:
        assert isinstance(inspect.getattr_static(kind.cls, name), (FunctionType, property))
    assert {name for name, group in kind.groups.items() if group is Group.LOCAL} == kind.local


@pytest.fixture
def no_network(monkeypatch):
    """Make every request to anywhere fail."""

    def refuse(*args, **kwargs):
        raise AssertionError("something was sent")

    monkeypatch.setattr(requests.Session, "send", refuse)


def test_no_constructor_sends_anything(no_network, emulator, key_file):
    """Clients and HTTP clients of every kind are made without a request."""
    credentials = Credentials.from_service_account_file(key_file)
    info = emulator.service_account_info()
    queued_gspread.Client(credentials)
    queued_gspread.HTTPClient(credentials)
    queued_gspread.BackOffHTTPClient(credentials)
    queued_gspread.authorize(credentials)
    queued_gspread.authorize()
    queued_gspread.service_account(key_file)
    queued_gspread.service_account_from_dict(info)
    queued_gspread.client.Client(credentials, http_client=gspread.BackOffHTTPClient)
    assert type(queued_gspread.Client(credentials).http_client) is queued_gspread.HTTPClient


def test_a_consent_flow_is_never_run(no_network, tmp_path):
    """``oauth`` works without its files and without asking a user."""
    client = queued_gspread.oauth(authorized_user_filename=tmp_path / "none.json")
    assert isinstance(client, gspread.Client)
    with pytest.raises(queued_gspread.GSpreadException, match="--oauth"):
        queued_gspread.auth.local_server_flow({}, [])


def test_a_service_account_file_need_not_be_there(tmp_path):
    """``service_account`` without a file means the server's account."""
    client = queued_gspread.service_account(tmp_path / "none.json")
    assert client.http_client._self_caller.identity.email is None


def test_a_broken_service_account_file_fails_as_in_gspread(tmp_path):
    """A file that is there and wrong raises what gspread raises."""
    path = tmp_path / "broken.json"
    path.write_text("{}")
    with pytest.raises(ValueError) as theirs:
        gspread.service_account(path)
    with pytest.raises(ValueError) as ours:
        queued_gspread.service_account(path)
    assert (ours.type, str(ours.value)) == (theirs.type, str(theirs.value))


@pytest.mark.parametrize("make", [queued_gspread.authorize, queued_gspread.Client])
def test_a_session_is_refused_with_the_reason(make):
    """``session=`` is a TypeError that says why."""
    with pytest.raises(TypeError, match="sent by queued-gspread-server"):
        make(None, session=requests.Session())


def test_a_queued_http_client_has_no_session():
    """Nobody finds a session to send past the queue with."""
    http = queued_gspread.authorize().http_client
    assert not hasattr(http, "session")
    with pytest.raises(AttributeError, match="request"):
        _ = http.session


def test_a_foreign_http_client_is_refused(no_network):
    """Spreadsheets and worksheets are not built over an HTTP client that sends to Google."""
    foreign = gspread.HTTPClient.__new__(gspread.HTTPClient)
    with pytest.raises(TypeError, match="past the queue"):
        queued_gspread.Spreadsheet(foreign, {"id": "x"})
    with pytest.raises(TypeError, match="past the queue"):
        queued_gspread.Worksheet(None, {}, "x", foreign)


def test_unknown_credentials_warn_once(monkeypatch):
    """Credentials that do not tell whose they are warn, the first time in a process."""
    monkeypatch.setattr(queued_gspread.proxy.http_client, "_warned", False)
    with pytest.warns(UserWarning, match="server's account") as caught:
        queued_gspread.api_key("a-key")
    assert caught[0].filename == __file__
    queued_gspread.api_key("a-key")


def test_importing_us_leaves_gspread_alone():
    """Importing this package changes nothing in gspread: both can be used side by side."""
    code = (
        "import gspread; before = {k: vars(getattr(gspread, k)).copy() for k in "
        "('Client', 'Spreadsheet', 'Worksheet', 'HTTPClient')}; import queued_gspread; "
        "assert all(vars(getattr(gspread, k)).copy() == v for k, v in before.items())"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
