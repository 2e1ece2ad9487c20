"""The access token in bad times: clocks that jump, silly answers, secrets in errors."""

from __future__ import annotations

import copy
import json
import logging
import re
import traceback
from types import SimpleNamespace

import gspread
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from requests import Session
from waiting import PATIENCE, eventually, threads

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Html, Latency, OAuthRefusal, Status
from queued_gspread.server.google.session import Shared, adopt
from queued_gspread.server.google.tokens import Tokens

SCOPES = ["https://www.googleapis.com/auth/drive"]


@pytest.fixture
def issuer():
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def way():
    with Session() as session:
        yield Request(session)


@pytest.fixture
def tokens(issuer, way, clock):
    tokens = Tokens(credentials_of(issuer), way, clock=clock)
    yield tokens
    tokens.stop()


def credentials_of(issuer):
    return Credentials.from_service_account_info(issuer.service_account_info(), scopes=SCOPES)


def answering(status, body):
    """Return a way to a token endpoint that answers always the same."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda *_, **__: SimpleNamespace(status=status, headers={}, data=data)


def test_waiting_begins_with_the_refusal_of_a_token(tokens, issuer, clock):
    """While a refresh ahead fails nobody waits; whoever meets a 401 then begins to."""
    tokens.step()
    clock.now = 3400.0
    issuer.faults.add(Html(502), to="token")
    tokens.step()
    clock.now += 100.0
    assert tokens.state().is_usable
    tokens.refused(tokens.version)
    assert tokens.state().waited < 60


def test_waiting_begins_when_the_first_token_is_asked_for(tokens, clock):
    """A token endpoint that says nothing has not failed yet, but seconds without a token count."""
    clock.now = 7000.0
    assert tokens.state().error is None
    assert tokens.state().waited == 7000


def test_waiting_for_a_renewal_begins_with_the_end_of_the_token(tokens, clock):
    """Where nothing is heard of a renewal, the seconds count from the end of the token on."""
    tokens.step()
    clock.now = 3600.0 + 7000.0
    assert tokens.state().error is None
    assert 6900 <= tokens.state().waited < 7000 + PATIENCE


def test_anonymous_credentials_need_no_token(way):
    """Credentials that have no token are usable for ever, and are never refreshed."""
    tokens = Tokens(AnonymousCredentials(), way)
    tokens.step()
    assert tokens.state().is_usable
    assert tokens.version == 0


def test_a_request_without_an_account_is_sent(issuer):
    """A client that has no account at all sends its requests, without a token."""
    with AuthorizedSession(AnonymousCredentials()) as session:
        http, tokens = adopt(gspread.Client(None, session=session), request_timeout=9.0)
        tokens.start()
        answer = http.session.get(f"{issuer.url}/drive/v3/files")
        assert answer.status_code in (401, 403)
        tokens.stop()


def test_shared_credentials_can_be_copied(tokens):
    """A copy of the credentials that requests go out with has the same token."""
    tokens.step()
    assert copy.copy(Shared(tokens)).token == tokens.credentials.token


def test_an_error_that_many_callers_get_does_not_grow(tokens, issuer):
    """However many callers are given the same error, its traceback stays as it was."""
    issuer.faults.add(OAuthRefusal(), to="token")
    tokens.step()
    lengths = []
    for _ in range(5):
        with pytest.raises(RefreshError) as caught:
            raise tokens.state().error
        lengths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(set(lengths)) == 1


SECRET = "eyJhbGciOi.SECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRET.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"id_token": SECRET}),
        (400, {"error": "invalid_grant", "error_description": "Bad", "access_token": SECRET}),
        (400, {"error": "invalid_grant", "error_description": f"assertion={SECRET}"}),
        (403, f"<html><title>Forbidden</title>{SECRET}</html>".encode()),
        (502, f"<html><title>Bad Gateway</title>{SECRET}</html>".encode()),
    ],
)
def test_no_secret_is_in_an_error(issuer, status, body, caplog):
    """What a token endpoint says amiss reaches log and callers without anything secret."""
    caplog.set_level(logging.DEBUG, "queued_gspread")
    tokens = Tokens(credentials_of(issuer), answering(status, body))
    tokens.step()
    error = tokens.state().error
    assert "SECRET" not in f"{error} {error.args!r} {error.__cause__} {error.__context__}"
    assert "SECRET" not in caplog.text
    assert "<html>" not in f"{error}{caplog.text}"


def test_a_failed_request_does_not_travel_with_its_error(tokens, issuer):
    """The error of a token request that could not be sent has nothing of that request in it."""
    issuer.stop()
    tokens.step()
    error = tokens.state().error
    assert isinstance(error, TransportError)
    assert all(isinstance(part, str) for part in error.args)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_page_where_a_token_should_be(issuer):
    """A 200 that is no JSON is not the token endpoint's word: calls wait."""
    tokens = Tokens(credentials_of(issuer), answering(200, b"<html>Please log in</html>"))
    tokens.step()
    assert tokens.state().waited < 60


ODD = [
    *(b"", b"null", b"[]", b"7", b"true", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"{}"),
    *({"access_token": token} for token in (5, None, ["t"], {}, "")),
    *({"access_token": "t", "expires_in": each} for each in ("soon", [], {}, -1, 1e300, "9" * 99)),
    *({"error": each} for each in (None, [], {}, "x", {"message": "m"}, ["rateLimitExceeded"])),
]


@pytest.mark.parametrize("body", ODD, ids=lambda body: repr(body)[:30])
@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_a_body_that_is_no_token_endpoints(status, body, issuer, caplog):
    """Whatever stands in an answer, its status says whether a token may be had later."""
    tokens = Tokens(credentials_of(issuer), answering(status, body))
    tokens.step()
    error = tokens.state().error
    is_missing = (isinstance(body, dict) and "access_token" not in body) or body == b"{}"
    passes = status not in (400, 403) and not (status == 200 and is_missing)
    assert type(error) is (TransportError if passes else RefreshError)
    assert (tokens.state().waited < 60) is passes
    assert not re.search("TypeError|ValueError|RecursionError|AttributeError", str(error))
    assert "report it" not in caplog.text


def test_a_token_that_has_expired_when_it_comes(tokens, issuer):
    """Tokens without a lifetime are not asked for without a pause."""
    issuer.token_lifetime = 0
    tokens.step()
    assert not tokens.state().is_usable
    assert tokens.step() > 0.1
    assert len(issuer.token_requests) == 1


def test_a_reload_that_fails_does_not_end_the_thread(issuer, way, caplog):
    """Whatever the reading of the file raises, tokens are refreshed all the same."""

    def reload(*, again):
        _ = again
        raise RuntimeError("unexpected")

    tokens = Tokens(credentials_of(issuer), way, reload=reload)
    tokens.start()
    tokens.refresh(PATIENCE)
    tokens.stop()
    assert "RuntimeError" in caplog.text


def test_an_error_of_this_program_does_not_end_the_refreshes(issuer, way, clock, caplog):
    """After whatever happened in the midst of a refresh, the token endpoint is asked again."""

    class Odd(Credentials):
        is_odd = False

        @property
        def expiry(self):
            if self.is_odd:
                raise RuntimeError("unexpected")
            return self.__dict__.get("end")

        @expiry.setter
        def expiry(self, end):
            self.__dict__["end"] = end

    odd = Odd.from_service_account_info(issuer.service_account_info(), scopes=SCOPES)
    tokens = Tokens(odd, way, clock=clock)
    odd.is_odd = True
    tokens._safe_step()
    assert "RuntimeError" in caplog.text
    odd.is_odd = False
    assert 0 < tokens.step() <= 1
    clock.now = 1.0
    tokens.step()
    assert tokens.state().is_usable


def test_a_second_start_while_the_first_thread_is_in_the_air(tokens, issuer):
    """A thread that was told to stop while it waited for an answer ends when that has come."""
    rule = issuer.faults.add(Latency(3600.0), to="token")
    tokens.start()
    eventually(lambda: rule.hits)
    (first,) = threads("tokens")
    tokens.stop()
    issuer.faults.clear()
    tokens.start()
    assert len(threads("tokens")) == 2
    tokens.refresh(PATIENCE)
    issuer.stop()
    first.join(PATIENCE)
    assert not first.is_alive()


def test_a_login_right_after_a_refusal_asks_nobody(tokens, issuer):
    """Callers that ask for a token again and again do not ask a token endpoint that said no."""
    issuer.faults.add(OAuthRefusal(), to="token")
    tokens.start()
    for _ in range(3):
        with pytest.raises(RefreshError, match="invalid_grant"):
            tokens.refresh(PATIENCE)
    assert len(issuer.token_requests) == 1


def test_a_retryable_status_is_judged_by_http(issuer):
    """A 503 whose body says invalid_grant is a failure that passes."""
    tokens = Tokens(credentials_of(issuer), answering(503, {"error": "invalid_grant"}))
    tokens.step()
    assert tokens.state().waited < 60


def test_a_request_time_out_of_the_token_endpoint(tokens, issuer):
    """A 408 of the token endpoint passes."""
    issuer.faults.add(Status(408), to="token")
    tokens.step()
    assert tokens.state().waited < 60
