"""What takes the place of the network in tests works around a server in the same process."""

from __future__ import annotations

import gc

import gspread
import pytest
import requests_mock
import responses
import vcr
from limits import UNLIMITED

from queued_gspread.emulator import Emulator
from queued_gspread.server import Server
from queued_gspread.server.google.credentials import make_client

HOST = "https://sheets.googleapis.com/v4/spreadsheets"
BOOK = {"properties": {"title": "Of a double"}, "sheets": []}


@pytest.fixture
def issuer():
    """Return an emulator that nobody else uses."""
    with Emulator(seed=1) as emulator:
        yield emulator


def close(client):
    """Close a client's connections, those to the token endpoint too."""
    session = client.http_client.session
    tokens = session._auth_request
    getattr(tokens, "_request", tokens).session.close()
    session.close()


@pytest.fixture
def plain(issuer, tmp_path):
    """Return what makes a plain client that works on it, as a user's test would."""
    path = tmp_path / "service_account.json"
    issuer.write_service_account(path)
    made = []

    def make():
        made.append(make_client(service_account=path, api_endpoint=issuer.url))
        return made[-1]

    yield make
    for client in made:
        close(client)


@pytest.fixture
def start(redis_url, namespace):
    """Return what starts a server in this process with a client."""
    servers = []

    def start(client):
        chosen = {"redis_url": redis_url, "namespace": namespace, **UNLIMITED}
        servers.append(Server(client, **chosen))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


def write_and_read(client):
    """Return what some calls return, the longest of which takes several requests."""
    sheet = client.create("Recorded").sheet1
    sheet.append_rows([["x", 1], ["y", 2]])
    with pytest.raises(gspread.exceptions.APIError, match="Unable to parse range"):
        sheet.get("no such range!")
    sheet.spreadsheet.add_worksheet("Second", 2, 2)
    return [sheet.get_all_values(), [s.title for s in sheet.spreadsheet], sheet.spreadsheet.id]


def test_a_cassette_records_and_replays(start, plain, client, issuer, tmp_path):
    """A cassette of vcrpy records the requests of a server, and later plays them to another one."""
    cassette = vcr.VCR(match_on=["method", "path", "query", "body"])
    with cassette.use_cassette(tmp_path / "calls.yaml", record_mode="once"):
        server = start(plain())
        recorded = write_and_read(client)
        server.stop()
    sent = len(issuer.ledger)
    assert recorded[:2] == [[["x", "1"], ["y", "2"]], ["Sheet1", "Second"]]
    played = cassette.use_cassette(
        tmp_path / "calls.yaml", record_mode="none", match_on=["method", "path", "query"]
    )
    with played as tape:
        server = start(plain())
        assert write_and_read(client) == recorded
        assert tape.all_played
        server.stop()
    assert len(issuer.ledger) == sent > 5


@pytest.fixture
def dropped():
    """Have connections from before a cassette go, which vcrpy drops unclosed on Python 3.10."""
    yield
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("dropped")
def test_a_cassette_in_the_middle_of_a_servers_life(start, plain, client, issuer, tmp_path):
    """Connections from before a cassette are not used in it, nor those of the cassette later."""
    start(plain())
    sheet = client.create("Book").sheet1
    sent = len(issuer.ledger)
    for mode in ("once", "none"):
        with vcr.use_cassette(tmp_path / "calls.yaml", record_mode=mode) as tape:
            assert sheet.get_all_values() == [[]]
        assert len(tape) == 1
    assert len(issuer.ledger) == sent + 1
    sheet.append_row(["x"])
    assert sheet.get_all_values() == [["x"]]
    assert len(issuer.ledger) == sent + 3


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("dropped")
def test_what_is_not_on_a_cassette_is_not_sent(start, plain, client, issuer, tmp_path):
    """With a cassette that may not grow, a request that it lacks is the caller's error."""
    start(plain())
    sheet = client.create("Book").sheet1
    sent = len(issuer.ledger)
    with (
        vcr.use_cassette(tmp_path / "none.yaml", record_mode="none"),
        pytest.raises(Exception, match="CannotOverwriteExistingCassette"),
    ):
        sheet.get_all_values()
    assert len(issuer.ledger) == sent


@pytest.fixture
def google_client(issuer):
    """Return a client for Google itself; its token comes from the emulator."""
    client = gspread.service_account_from_dict(issuer.service_account_info())
    yield client
    close(client)


@pytest.mark.parametrize("when", ["before", "after"])
def test_responses_answers_for_google(start, google_client, client, issuer, when):
    """The library ``responses`` answers a server's requests, whenever it is begun."""
    if when == "after":
        start(google_client)
    with responses.RequestsMock() as mock:
        mock.add_passthru(issuer.url)
        mock.get(f"{HOST}/key", json=BOOK)
        if when == "before":
            start(google_client)
        assert client.open_by_key("key").title == "Of a double"
        (call,) = mock.calls
        assert call.request.headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize("when", ["before", "after"])
def test_requests_mock_answers_for_google(start, google_client, client, when):
    """The library ``requests-mock`` answers a server's requests, whenever it is begun."""
    if when == "after":
        start(google_client)
    with requests_mock.Mocker(real_http=True) as mock:
        mock.get(f"{HOST}/key", json=BOOK)
        if when == "before":
            start(google_client)
        assert client.open_by_key("key").title == "Of a double"
        assert mock.request_history[-1].headers["Authorization"].startswith("Bearer ")


def test_an_adapter_on_the_clients_session_answers(start, google_client, client):
    """An adapter of ``requests-mock``, mounted on a client's session, answers its server."""
    mock = requests_mock.Adapter()
    google_client.http_client.session.mount("https://sheets.googleapis.com/", mock)
    mock.register_uri("GET", f"{HOST}/key", json=BOOK)
    start(google_client)
    assert client.open_by_key("key").title == "Of a double"
    assert mock.call_count == 1


def test_a_mocked_session_answers(start, google_client, client):
    """A client's session that ``requests-mock`` has taken over answers its server."""
    session = google_client.http_client.session
    with requests_mock.Mocker(session=session, real_http=True) as mock:
        mock.get(f"{HOST}/key", json=BOOK)
        start(google_client)
        assert client.open_by_key("key").title == "Of a double"
        assert mock.call_count == 1
