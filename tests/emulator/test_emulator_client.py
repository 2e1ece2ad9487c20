"""The plain gspread clients that an emulator hands out."""

import copy

import gspread
import pytest
import requests
from emulator_traffic import KEY
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.redirect import EmulatorAdapter, NotEmulatedError, destination

AT = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://sheets.googleapis.com/v4/spreadsheets/a%2Fb?x=%20&y",
            "/v4/spreadsheets/a%2Fb?x=%20&y",
        ),
        ("https://www.googleapis.com/drive/v3/files", "/drive/v3/files"),
        ("https://drive.googleapis.com:443/drive/v3/files", "/drive/v3/files"),
        ("https://SHEETS.googleapis.com/v4", "/v4"),
    ],
)
def test_where_requests_to_google_go(url, expected):
    """Requests to the hosts of the Sheets and Drive APIs go to the emulator, path kept."""
    assert destination(url, AT) == AT + expected


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v4", "https://example.com/", "https://notgoogle.com/", "http://a/"]
)
def test_other_requests_go_where_they_went(url):
    """Requests to anybody but Google are left alone."""
    assert destination(url, AT) is None


@pytest.mark.parametrize(
    "host",
    [
        "oauth2.googleapis.com",
        "iamcredentials.googleapis.com",
        "accounts.google.com",
        "google.com",
        "doc-0.googleusercontent.com",
        "metadata.google.internal",
    ],
)
def test_other_hosts_of_google_are_refused(host):
    """A request to another host of Google's is an error that names it, without its query."""
    with pytest.raises(NotEmulatedError, match=rf"{host}/x is not asked") as caught:
        destination(f"https://{host}/x?key=secret", AT)
    assert "secret" not in str(caught.value)


def test_a_client_is_ready(own):
    """A client has a token and is nothing but gspread's own."""
    client = own.gspread_client()
    assert (type(client), type(client.http_client)) == (gspread.Client, gspread.HTTPClient)
    assert client.http_client.auth.valid
    client.create("Orders").sheet1.append_row([1])
    assert client.open("Orders").sheet1.get_all_values() == [["1"]]
    assert len(own.token_requests) == 1


def test_a_client_of_another_account(own):
    """A client can be another account's; the ledger tells them apart."""
    other = own.add_account()
    own.gspread_client(other).list_spreadsheet_files()
    own.gspread_client().list_spreadsheet_files()
    first = own.service_account_info()["client_email"]
    assert [served.account for served in own.ledger] == [other.email, first]


def test_a_client_has_the_scopes_that_it_is_given(own):
    """A client with read-only scopes may not write."""
    client = own.gspread_client(scopes=gspread.auth.READONLY_SCOPES)
    assert client.list_spreadsheet_files() == []
    with pytest.raises(APIError, match="insufficient"):
        client.create("x")


def test_a_client_has_the_http_client_that_it_is_given(own):
    """The class of HTTP client can be chosen."""
    client = own.gspread_client(http_client=gspread.BackOffHTTPClient)
    assert type(client.http_client) is gspread.BackOffHTTPClient
    assert client.create("x").title == "x"


def test_a_client_sees_googles_url(own):
    """What a client gets does not show that it was not Google's."""
    with pytest.raises(gspread.SpreadsheetNotFound) as caught:
        own.gspread_client().open_by_key("nowhere")
    response = caught.value.args[0]
    assert response.url.startswith("https://sheets.googleapis.com/v4/spreadsheets/nowhere")
    assert response.request.url == response.url


def test_a_client_asks_nobody_else(own):
    """Neither a client nor its way to tokens reaches another host of Google's."""
    client = own.gspread_client()
    url = "https://iamcredentials.googleapis.com/v1/x"
    with pytest.raises(NotEmulatedError):
        client.http_client.request("get", url)
    session = client.http_client.session._auth_request.session
    with pytest.raises(NotEmulatedError):
        copy.deepcopy(session).get(url, timeout=PATIENCE)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "http_proxy"])
def test_no_proxy_is_asked(own, monkeypatch, name):
    """The environment's proxies are not used on the way to the emulator, not for a token either."""
    for spared in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(spared, raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = own.gspread_client()
    assert client.list_spreadsheet_files() == []


def test_the_adapter_serves_any_session(own):
    """A session of one's own reaches the emulator once the adapter is mounted."""
    with requests.Session() as session:
        session.mount("https://", EmulatorAdapter(own.url))
        url = "https://drive.googleapis.com/drive/v3/files"
        assert session.get(url, headers=KEY, timeout=PATIENCE).json()["files"] == []


@pytest.mark.parametrize("end", ["stop", "reset"])
def test_connections_are_closed(own, end):
    """A stop and a reset close the connections of the clients so far."""
    client = own.gspread_client()
    client.list_spreadsheet_files()
    session = client.http_client.session
    pools = session.adapters["https://"].poolmanager.pools
    assert len(pools) == 1
    getattr(own, end)()
    assert len(pools) == 0


def test_no_client_before_the_start():
    """Before the emulator was started there is no client to be had."""
    with pytest.raises(RuntimeError, match="before start"):
        Emulator().gspread_client()
