"""Redirects lead nowhere: neither a request nor the server's credentials follow one."""

from __future__ import annotations

import copy
from contextlib import contextmanager

import gspread
import pytest
import requests
from gate import cell_of
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.auth.transport.requests import Request as TokenRequest
from google.oauth2.service_account import Credentials
from raw_http import RawServer

from queued_gspread.server.google import credentials
from queued_gspread.server.google.endpoint import redirected
from queued_gspread.server.google.session import adopt
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.request import Request

STATUSES = [301, 302, 303, 307, 308]


@contextmanager
def two_servers(status):
    """Yield a server whose answers lead to another one, and that one."""
    with RawServer() as elsewhere:
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/stolen"
        with RawServer(answer) as google:
            yield google, elsewhere


def through(client, *given):
    """Send a request through a client as a server does; return its answer."""
    http, tokens = adopt(client, request_timeout=7.0)
    exchange = Transport(http, tokens).send(Request(*given), None)
    http.session.close()
    return exchange.outcome.value


def with_api_key(url):
    return credentials.make_client(api_key="the-key", api_endpoint=url)


def with_own_session(url):
    return gspread.Client(None, requests.Session(), redirected(gspread.HTTPClient, url))


def with_own_way(url):
    """Return a client that sends in a way of its own."""
    client = with_own_session(url)

    class Own(type(client.http_client)):
        def request(self, method, endpoint, **given):
            return self.session.get(f"{url}/own", allow_redirects=True)

    client.http_client = Own(None, client.http_client.session)
    return client


@pytest.mark.parametrize("make", [with_api_key, with_own_session, with_own_way])
@pytest.mark.parametrize("status", STATUSES)
def test_no_redirect_is_followed(status, make):
    """Whatever client a server has, a redirect is the answer, as Google gave it."""
    with two_servers(status) as (google, elsewhere):
        client = make(google.url)
        answer = through(client, "get", cell_of("lane"))
        assert (answer.status_code, answer.history) == (status, [])
        assert answer.headers["Location"] == f"{elsewhere.url}/stolen"
        assert len(google.received) == 1
        assert elsewhere.received == []
        client.http_client.session.close()


def test_the_caller_of_a_redirected_read(serve, client, auth):
    """The answer is the caller's: gspread finds no JSON in it, and a bare request shows it."""
    with two_servers(302) as (google, elsewhere):
        google.body = b""
        http = with_own_session(google.url).http_client
        http.auth = auth
        serve(http)
        answer = client.http_client.request("get", cell_of("lane"))
        assert (answer.status_code, answer.is_redirect) == (302, True)
        with pytest.raises(requests.exceptions.JSONDecodeError):
            client.http_client.values_get("lane", "A1")
        assert elsewhere.received == []
        http.session.close()


def test_the_clients_own_session_goes_on_following():
    """The client that a server was given is left as it is."""
    with two_servers(302) as (google, _):
        client = with_own_session(google.url)
        before = copy.copy(vars(client.http_client.session))
        through(client, "get", cell_of("lane"))
        assert vars(client.http_client.session) == before
        client.http_client.session.close()


@pytest.mark.parametrize("status", [307, 308, 302])
@pytest.mark.parametrize("with_endpoint", [True, False])
def test_an_assertion_goes_to_its_token_endpoint_alone(status, with_endpoint, emulator):
    """What a token is asked for with is not sent on to where the endpoint points."""
    with two_servers(status) as (google, elsewhere):
        info = {**emulator.service_account_info(), "token_uri": f"{google.url}/token"}
        signed = Credentials.from_service_account_info(info, scopes=["x"])
        session = AuthorizedSession(signed, auth_request=TokenRequest())
        client = gspread.Client(None, session)
        if with_endpoint:
            client = credentials._client(signed, google.url)
        _, tokens = adopt(client, request_timeout=7.0)
        with pytest.raises(RefreshError):
            tokens.credentials.refresh(tokens._request)
        assert [one.line for one in google.received] == ["POST /token HTTP/1.1"]
        assert elsewhere.received == []
        session.close()
        client.http_client.session.close()
