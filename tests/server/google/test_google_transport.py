"""The one way to Google: its time-outs, and where its credentials go."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import gspread
import pytest
from calls import read
from google.auth.exceptions import TransportError
from google.oauth2.service_account import Credentials
from waiting import PATIENCE

from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import ConfigurationError
from queued_gspread.server import Server
from queued_gspread.server.google import credentials, endpoint
from queued_gspread.server.google.endpoint import check_endpoint, session_without_lookups
from queued_gspread.server.google.token_state import NoTokens
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.request import Request


@pytest.mark.parametrize("given", [7, 2.5, (3, 4)])
def test_a_time_out_is_for_the_calls_of_its_client(given, serve, authorize, gate, background):
    """What set_timeout was given to is seen by the transport for that client's calls alone."""
    serve()
    patient, impatient = authorize(), authorize()
    impatient.set_timeout(given)
    seen = []
    for client in (patient, impatient, patient):
        reading = background(read, client)
        arrival = gate.next()
        seen.append(arrival.timeout)
        arrival.answer({})
        reading.result(PATIENCE)
    assert seen == [None, given, None]


def test_two_time_outs_at_once(serve, authorize, gate, background):
    """Calls under way at the same time keep their clients' time-outs apart."""
    serve()
    clients = {"one": authorize(), "two": authorize(), "three": authorize()}
    clients["one"].set_timeout(1)
    clients["two"].set_timeout(2)
    readings = [background(read, client, lane) for lane, client in clients.items()]
    arrivals = [gate.next() for _ in clients]
    assert {a.lane: a.timeout for a in arrivals} == {"one": 1, "two": 2, "three": None}
    for arrival in arrivals:
        arrival.answer({})
    for reading in readings:
        reading.result(PATIENCE)


class Noting(gspread.HTTPClient):
    """Sends nothing; notes the time-outs that its requests would have."""

    def __init__(self, timeout):
        self.timeout, self.seen = timeout, []

    def request(self, *_, **__):
        self.seen.append(self.timeout)


@pytest.mark.parametrize(
    ("given", "own", "used"),
    [
        ((None, None), 180.0, (180.0, 180.0)),
        ((3, None), 180.0, (3, 180.0)),
        ((None, 4), (5, 6), (5, 4)),
        (None, 180.0, 180.0),
    ],
)
def test_no_request_waits_for_ever(given, own, used):
    """Where a client's time-out leaves a part open, the server's own holds."""
    http = Noting(own)
    exchange = Transport(http, NoTokens(http)).send(
        Request("get", "https://sheets.googleapis.com/v4/spreadsheets/lane"), given
    )
    assert exchange.outcome.value is None
    assert http.seen == [used]


def test_iamcredentials_is_never_asked_at_another_endpoint(emulator, monkeypatch):
    """With an API endpoint, google-auth's look-up of allowed locations asks nobody."""
    given = Credentials.from_service_account_info(
        emulator.service_account_info(), scopes=["https://www.googleapis.com/auth/drive"]
    )
    session = session_without_lookups(given)
    asked = []
    real = session._auth_request._request
    monkeypatch.setattr(
        session._auth_request,
        "_request",
        lambda url, *a, **k: asked.append(url) or real(url, *a, **k),
    )
    with pytest.raises(TypeError):
        copy.deepcopy(session._auth_request)
    with pytest.raises(TransportError):
        session._auth_request("https://iamcredentials.googleapis.com/v1/x:allowedLocations")
    answer = session.get(f"{emulator.url}/drive/v3/files")
    session.close()
    real.session.close()
    assert answer.status_code == 200
    assert asked == [f"{emulator.url}/token"]


def test_the_api_endpoint_gets_what_is_meant_for_google(emulator, key_file, monkeypatch):
    """A client with an API endpoint sends Google's paths there, with a token of its account."""
    client = credentials.make_client(service_account=key_file, api_endpoint=emulator.url)
    client.http_client.request("get", "https://www.googleapis.com/drive/v3/files")
    client.http_client.session.close()
    assert emulator.ledger[-1].path == "/drive/v3/files"
    assert emulator.ledger[-1].status == 200


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://sheets.googleapis.com/v4/x?a=b#c", "http://here:1/v4/x?a=b#c"),
        ("https://drive.googleapis.com/a%2Fb", "http://here:1/a%2Fb"),
        (
            "https://docs.google.com/spreadsheets/d/x/export?a=b",
            "http://here:1/spreadsheets/d/x/export?a=b",
        ),
        ("https://evil.example/v4", "https://evil.example/v4"),
        (
            "https://sheets.googleapis.com.evil.example/",
            "https://sheets.googleapis.com.evil.example/",
        ),
    ],
)
def test_which_requests_are_redirected(given, sent):
    """Path and query of a request to Google are kept, and no other request is touched."""
    assert endpoint._at("http://here:1", given) == sent


@pytest.mark.parametrize("url", ["here", "ftp://here", "http://", "http://here?x=1", ""])
def test_an_endpoint_that_cannot_be_used(url):
    """An API endpoint that is no HTTP URL is refused, and named."""
    with pytest.raises(ConfigurationError, match="API endpoint"):
        check_endpoint(url)


@pytest.mark.parametrize(
    "options",
    [
        {"interval": -1},
        {"interval": float("nan")},
        {"shutdown_timeout": -1},
        {"lease": 0},
        {"reads_per_minute": -1},
        {"writes_per_minute": 1.5},
        {"project_reads_per_minute": "many"},
        {"project_writes_per_minute": True},
        {"quota_window": 0},
        {"retry_for": float("inf")},
        {"request_timeout": 0},
        {"late_write_guard": -1},
        {"refresh_every": None},
    ],
)
def test_options_of_a_server_that_cannot_be_used(options):
    """A number that makes no sense is refused, and named, when the server is made."""
    client = gspread.Client(None, http_client=lambda *_: object())
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Server(client, **options)


@pytest.mark.parametrize(
    ("api_endpoint", "shown"),
    [
        (None, "https://sheets.googleapis.com"),
        ("http://here:8099", "http://here:8099"),
        ("http://me:secret@here:8099/base", "http://here:8099"),
    ],
)
def test_where_a_request_goes_is_told_without_secrets(api_endpoint, shown):
    """Of the place that a request goes to, scheme, host and port are told, and no password."""
    http = SimpleNamespace(api_endpoint=api_endpoint)
    transport = Transport(http, NoTokens(http))
    asked = Request("get", "https://sheets.googleapis.com/v4/spreadsheets/x?key=secret")
    assert transport.place_of(asked) == shown


def test_a_request_that_is_not_confirmed_is_not_sent():
    """What keeps a request from being sent is raised, and its HTTP client is not asked."""
    http = SimpleNamespace(request=pytest.fail)

    def refuse():
        raise StaleEpochError

    transport = Transport(http, NoTokens(http), confirm=refuse)
    with pytest.raises(StaleEpochError):
        transport.send(Request("get", "https://sheets.googleapis.com/v4/spreadsheets/x"), None)


def test_an_error_holds_nothing_of_what_was_sent():
    """Once a large request has failed, neither the error nor its causes keep it in memory."""

    def fail(*_, **__):
        try:
            try:
                {}["first"]
            except KeyError as error:
                raise ValueError("second") from error
        except ValueError:
            raise OSError("third")  # noqa: B904 - a cause that nobody has named

    http = SimpleNamespace(request=fail)
    asked = Request("get", "https://sheets.googleapis.com/v4/spreadsheets/x")
    error = Transport(http, NoTokens(http)).send(asked, None).outcome.error
    told = [error, error.__context__, error.__context__.__cause__]
    assert [str(each) for each in told] == ["third", "second", "'first'"]
    assert [each.__traceback__ for each in told] == [None] * 3
