"""The session that the server sends through: a client's own, but for what it would retry."""

from __future__ import annotations

import copy
import threading

import gspread
import pytest
from gate import GatedHTTPClient, client_over
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession
from hand_clock import HandClock
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Latency, OAuthRefusal
from queued_gspread.protocol.identity import identity_of
from queued_gspread.server import Server
from queued_gspread.server.google.credentials import make_client, retries_by_itself
from queued_gspread.server.google.session import Shared, adopt
from queued_gspread.server.google.token_state import NoTokens
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.request import Failure, Request

FILES = "https://www.googleapis.com/drive/v3/files"


@pytest.fixture
def issuer(clock):
    """Return an emulator that nobody else uses; its latency goes by the clock."""
    with Emulator(seed=1, monotonic=clock) as emulator:
        yield emulator


@pytest.fixture
def plain(issuer, tmp_path):
    """Return a plain gspread client that works on it."""
    path = tmp_path / "service_account.json"
    issuer.write_service_account(path)
    client = make_client(service_account=path, api_endpoint=issuer.url)
    yield client
    client.http_client.session.close()
    client.http_client.session._auth_request._request.session.close()


@pytest.fixture
def adopted(plain):
    """Return it as a server takes it, with a first token."""
    http, tokens = adopt(plain, request_timeout=7.0)
    tokens.step()
    yield http, tokens
    http.session.close()


def statuses(issuer):
    return [served.status for served in issuer.ledger]


def test_a_401_is_an_answer(adopted, issuer):
    """A request whose token is refused is on the wire once, and its answer is the caller's."""
    http, _ = adopted
    issuer.revoke_tokens()
    with pytest.raises(gspread.exceptions.APIError):
        http.request("get", FILES)
    assert statuses(issuer) == [401]
    assert len(issuer.token_requests) == 1


def test_requests_fetch_no_token(plain, issuer):
    """A request applies the token that there is; without one it is not sent."""
    http, _ = adopt(plain, request_timeout=7.0)
    with pytest.raises(TransportError, match="no access token yet"):
        http.request("get", FILES)
    assert issuer.token_requests == issuer.ledger == []


def test_the_clients_own_session_stays_as_it_is(plain, issuer):
    """The given client still refreshes by itself; its settings are the adopted session's, too."""
    session = plain.http_client.session
    session.headers["x-mine"] = "mine"
    http, _ = adopt(plain, request_timeout=7.0)
    assert session.credentials is not http.session.credentials
    assert plain.http_client.timeout is None
    assert http.timeout == 7.0
    assert http.session.headers["x-mine"] == "mine"
    assert list(http.session.adapters) == list(session.adapters)
    issuer.revoke_tokens()
    plain.http_client.request("get", FILES)
    assert statuses(issuer)[-1] == 200


def test_a_session_keeps_what_its_user_set(plain):
    """Headers, proxies, certificates, hooks and adapters are the user's, and stay as they are."""

    class Own(AuthorizedSession):
        pass

    adapter = HTTPAdapter(pool_maxsize=3, max_retries=Retry(2))
    own = Own(plain.http_client.session.credentials)
    own.headers["X-Own"] = "yes"
    own.proxies = {"ftp": "http://proxy"}
    own.verify, own.cert, own.remark = "bundle.pem", "cert.pem", "mine"
    own.hooks["response"].append(print)
    own.mount("https://sheets.googleapis.com/", adapter)
    before = copy.copy(vars(own))
    http, _ = adopt(gspread.Client(None, session=own), request_timeout=7.0)
    made = http.session
    assert isinstance(made, Own)
    assert made.headers == own.headers
    assert (made.proxies, made.verify, made.cert, made.remark) == (
        {"ftp": "http://proxy"},
        "bundle.pem",
        "cert.pem",
        "mine",
    )
    assert made.hooks == own.hooks
    assert list(made.adapters) == list(own.adapters)
    assert made.adapters["https://sheets.googleapis.com/"].max_retries.total == 2
    made.headers["X-Own"] = "no"
    made.hooks["response"].clear()
    made.mount("https://other/", HTTPAdapter())
    assert vars(own) == before
    assert own.headers["X-Own"] == "yes"
    assert own.hooks == {"response": [print]}
    assert "https://other/" not in own.adapters
    own.close()


def test_the_users_connections_are_not_the_servers(plain):
    """The server's session can be closed at any time: no pool of the user's is touched."""
    session = plain.http_client.session
    pools = [adapter.poolmanager for adapter in session.adapters.values()]
    http, _ = adopt(plain, request_timeout=7.0)
    assert not {id(a.poolmanager) for a in http.session.adapters.values()} & set(map(id, pools))


def test_a_time_out_of_the_clients_own_is_kept(plain):
    """A client that has chosen how long Google may be silent keeps that."""
    plain.set_timeout(3.0)
    assert adopt(plain, request_timeout=7.0)[0].timeout == 3.0


def test_shared_credentials_tell_whose_they_are(plain, adopted):
    """What tells an account is asked of the real credentials; the token is the current one."""
    http, tokens = adopted
    real = plain.http_client.auth
    assert isinstance(http.auth, Shared)
    assert identity_of(http.auth) == identity_of(real)
    assert (http.auth.token, http.auth.expiry) == (real.token, real.expiry)
    assert http.auth.valid
    assert http.auth.refresh(None) is None
    assert tokens.version == 1
    assert copy.copy(http).auth is http.auth


@pytest.mark.parametrize("make", ["double", "patched"])
def test_clients_with_a_way_of_their_own(plain, gate, auth, make):
    """A double, or a client whose request was replaced, is taken as it is."""
    client = plain
    if make == "double":
        client = client_over(GatedHTTPClient(gate, auth))
    else:
        client.http_client.request = lambda *_, **__: "mine"
    http, tokens = adopt(client, request_timeout=7.0)
    assert isinstance(tokens, NoTokens)
    assert http.auth is client.http_client.auth
    if make == "patched":
        assert http.request("get", FILES) == "mine"


def test_clients_that_retry_by_themselves_are_known(plain):
    """An adapter with retries, and gspread's client with back-off, retry below the server."""
    assert not retries_by_itself(plain)
    plain.http_client.session.mount("https://", HTTPAdapter(max_retries=Retry(3)))
    assert retries_by_itself(plain)
    credentials = plain.http_client.auth
    assert retries_by_itself(gspread.Client(credentials, http_client=gspread.BackOffHTTPClient))


@pytest.fixture
def serve_emulated(issuer, tmp_path, redis_url, namespace):
    """Return a server that works on the emulator with credentials of its own."""
    path = tmp_path / "service_account.json"
    issuer.write_service_account(path)
    with Server(
        service_account=path,
        api_endpoint=issuer.url,
        redis_url=redis_url,
        namespace=namespace,
        quota_window=1.0,
        reads_per_minute=0,
        project_reads_per_minute=0,
    ) as server:
        yield server


def test_eight_calls_that_meet_a_401(serve_emulated, client, issuer, clock, background):
    """Calls whose token was revoked in the air all succeed, after one token request for all."""
    books = [client.create(f"Book {number}") for number in range(8)]
    issuer.clear_ledger()
    issuer.latency = 10.0
    issuer.revoke_tokens()
    titles = [background(book.fetch_sheet_metadata) for book in books]
    issuer.wait_until_under_way(8)
    issuer.latency = 0.0
    clock.now = 10.0
    assert len([title.result(PATIENCE) for title in titles]) == 8
    assert len(issuer.token_requests) == 1
    assert statuses(issuer).count(401) == 8
    assert statuses(issuer).count(200) == 8


def test_calls_wait_while_the_token_endpoint_fails(serve_emulated, client, issuer, background):
    """Calls without a token wait for the token endpoint, and are made when it works again."""
    book = client.create("Book")
    rule = issuer.faults.add(OAuthRefusal("temporarily_unavailable", status=502), to="token")
    issuer.revoke_tokens()
    waiting = background(book.fetch_sheet_metadata)
    eventually(lambda: rule.hits)
    assert not waiting.done()
    issuer.faults.remove(rule)
    assert waiting.result(PATIENCE)["properties"]["title"] == "Book"


def test_callers_get_a_refusal_for_good_at_once(serve_emulated, client, issuer):
    """When Google no longer accepts the account's key, every caller gets google-auth's error."""
    book = client.create("Book")
    issuer.faults.add(OAuthRefusal("invalid_grant", "Account disabled"), to="token")
    issuer.revoke_tokens()
    for _ in range(2):
        with pytest.raises(RefreshError, match="invalid_grant"):
            book.fetch_sheet_metadata()
    assert len(issuer.token_requests) == 2


def test_a_client_may_ask_for_a_new_token(serve_emulated, client, issuer):
    """A login of gspread's has the server fetch a new token."""
    client.create("Book")
    before = len(issuer.token_requests)
    client.http_client.login()
    assert len(issuer.token_requests) == before + 1


def append(book):
    return Request(
        "post",
        f"https://sheets.googleapis.com/v4/spreadsheets/{book}/values/A1:append",
        params={"valueInputOption": "RAW"},
        json={"values": [["x"]]},
    )


def test_an_append_goes_out_on_no_idle_connection(adopted, clock, monkeypatch):
    """The first append, and one after half a minute, takes a new connection; reads never do."""
    http, tokens = adopted
    transport = Transport(http, tokens, clock)
    book = gspread.Client(http.auth, session=http.session, http_client=type(http)).create("B").id
    closings = []
    real = http.session.close
    monkeypatch.setattr(http.session, "close", lambda: closings.append(clock.now) or real())
    for now, request in [
        (1.0, append(book)),
        (29.0, append(book)),
        (31.0, Request("get", FILES)),
        (32.0, append(book)),
        (33.0, append(book)),
        (61.0, append(book)),
        (62.0, append(book)),
    ]:
        clock.now = now
        assert not isinstance(transport.send(request, None).outcome, Failure)
    assert closings == [1.0, 32.0, 62.0]


def test_a_request_in_the_air_outlives_the_closing_of_idle_connections(adopted, issuer, clock):
    """A request under way is answered although others let go of idle connections meanwhile."""
    http, tokens = adopted
    # A clock of its own: by the other one, the request in the air is not answered yet.
    idle = HandClock()
    transport = Transport(http, tokens, idle)
    book = gspread.Client(http.auth, session=http.session, http_client=type(http)).create("B").id
    issuer.faults.add(Latency(10.0), method="GET")
    found = []
    reading = threading.Thread(
        target=lambda: found.append(transport.send(Request("get", FILES), None))
    )
    reading.start()
    issuer.wait_until_under_way(1)
    idle.now = 100.0
    assert not isinstance(transport.send(append(book), None).outcome, Failure)
    clock.now = 10.0
    reading.join()
    assert not isinstance(found[0].outcome, Failure)
