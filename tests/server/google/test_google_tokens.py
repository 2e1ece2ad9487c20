"""The access token: fetched ahead, once for all, and what happens when there is none."""

from __future__ import annotations

import json
import math
import os
import threading
from datetime import datetime, timezone

import pytest
from google.auth import _helpers
from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from hand_clock import HandClock
from requests import Session
from waiting import PATIENCE, eventually, threads

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Html, Latency, OAuthRefusal, Reset, Status
from queued_gspread.errors import ConfigurationError
from queued_gspread.server.google.sources import Named, source_of
from queued_gspread.server.google.token_state import STOP_WITHIN, NoTokens, stop_all
from queued_gspread.server.google.tokens import Tokens

SCOPES = ["https://www.googleapis.com/auth/drive"]
DAY = 86_400
BEGIN = 1_800_000_000.0


@pytest.fixture
def wall(monkeypatch):
    """Return the time of day, which a test moves; google-auth's is the same."""
    wall = HandClock(BEGIN)
    monkeypatch.setattr(
        _helpers,
        "utcnow",
        lambda: datetime.fromtimestamp(wall.now, timezone.utc).replace(tzinfo=None),
    )
    return wall


@pytest.fixture
def issuer(wall):
    """Return an emulator whose tokens expire by the tests' time of day."""
    with Emulator(seed=1, monotonic=wall) as emulator:
        yield emulator


@pytest.fixture
def way():
    """Return google-auth's way to a token endpoint."""
    with Session() as session:
        yield Request(session)


@pytest.fixture
def tokens(issuer, way, wall):
    """Return tokens that a test drives step by step."""
    return Tokens(credentials_of(issuer), way, clock=wall, wall=wall)


@pytest.fixture
def unhurried(monkeypatch):
    """Let google-auth's own pauses between token requests take no time."""
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)


def credentials_of(issuer):
    return Credentials.from_service_account_info(issuer.service_account_info(), scopes=SCOPES)


def status_of_a_call(tokens, issuer, way):
    """Make a call with the current token; return the status of the answer."""
    headers = {}
    tokens.credentials.apply(headers)
    return way(f"{issuer.url}/drive/v3/files", headers=headers).status


def is_usable(tokens):
    return tokens.state().is_usable


def test_the_first_token_is_fetched_at_the_start(issuer, way, wall):
    """A token is there before the first call needs it."""
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall)
    ready = threading.Event()
    tokens.on_change(ready.set)
    assert not is_usable(tokens)
    tokens.start()
    assert ready.wait(PATIENCE)
    assert is_usable(tokens)
    tokens.stop()
    assert not threads("tokens")


def test_accounts_whose_token_endpoints_hang_are_stopped_together(wall):
    """However many threads wait for a token endpoint, a server waits for all as long as for one."""
    began, stops = wall.now, []

    class Hangs(NoTokens):
        def stop(self, within=STOP_WITHIN):
            stops.append(self)
            wall.now += within

    several = [Hangs(None) for _ in range(3)]
    stop_all(several, clock=wall)
    assert stops[:3] == several
    assert wall.now - began == STOP_WITHIN


def test_a_day_of_one_call_a_second(issuer, way, wall, tell):
    """In a simulated day no call waits for a token, though every refresh takes half a minute."""
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall)
    tokens.step()
    due = wall.now + tokens.step()
    waited = 0
    for second in range(DAY):
        wall.now += 1
        if wall.now >= due + 30:
            due = wall.now + tokens.step()
        waited += not is_usable(tokens) or tokens.credentials.expired
        if second % 600 == 0:
            assert status_of_a_call(tokens, issuer, way) == 200
    requests = len(issuer.token_requests)
    tell(f"a day of {DAY} calls: {requests} token requests, {waited} calls waited")
    assert waited == 0
    assert requests == DAY // 3330 + 1


def test_a_token_is_renewed_every_so_often(issuer, way, wall):
    """With refresh_every a token is renewed whenever that long has passed."""
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall, refresh_every=60.0)
    tokens.step()
    for _ in range(5):
        delay = tokens.step()
        assert delay == pytest.approx(60.0)
        wall.now += delay
    assert len(issuer.token_requests) == 5


def test_many_requests_that_met_a_401_renew_the_token_once(tokens, issuer):
    """Of eight requests whose token was refused the first has it renewed, the others wait."""
    tokens.step()
    version = tokens.version
    threads = [threading.Thread(target=tokens.refused, args=(version,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not is_usable(tokens)
    tokens.step()
    tokens.refused(version)
    assert is_usable(tokens)
    tokens.step()
    assert len(issuer.token_requests) == 2


def test_new_tokens_that_are_refused_come_in_growing_pauses(tokens, issuer, wall):
    """Where not even new tokens are taken, the token endpoint is not asked all the time."""
    tokens.step()
    pauses = []
    for _ in range(5):
        tokens.refused(tokens.version)
        pauses.append(tokens.step())
        wall.now += pauses[-1]
        tokens.step()
        assert is_usable(tokens)
    assert pauses[0] > 1000
    assert all(2 ** (n - 1) <= pause <= 2**n for n, pause in enumerate(pauses[1:]))


def test_a_token_that_was_taken_before_is_renewed_at_once(tokens, issuer, wall):
    """A token that worked and is refused one day is replaced without a pause, however often."""
    tokens.step()
    for _ in range(5):
        tokens.accepted(tokens.version)
        tokens.refused(tokens.version)
        tokens.step()
        assert is_usable(tokens)
    assert len(issuer.token_requests) == 6


@pytest.mark.parametrize(
    "fault",
    [Status(503), Status(500), Status(429), Html(502), Html(503), Reset()],
    ids=["503", "500", "429", "HTML 502", "HTML 503", "reset"],
)
def test_failures_of_the_token_endpoint_that_pass(tokens, issuer, wall, fault, unhurried, caplog):
    """While the token endpoint fails calls wait; the log tells of it once, and of its end."""
    rule = issuer.faults.add(fault, to="token")
    changes = []
    tokens.on_change(lambda: changes.append(is_usable(tokens)))
    for _ in range(3):
        wall.now += tokens.step()
    state = tokens.state()
    assert not state.is_usable
    assert isinstance(state.error, (RefreshError, TransportError))
    assert 1 < state.waited < 10
    assert changes == [False] * 3
    issuer.faults.remove(rule)
    tokens.step()
    assert is_usable(tokens)
    assert changes == [False] * 3 + [True]
    caplog.set_level("INFO")
    texts = [record.getMessage() for record in caplog.records if record.name.startswith("queued")]
    assert len([text for text in texts if "the token endpoint fails" in text]) == 1


def test_no_way_to_the_token_endpoint(issuer, way, wall):
    """A token endpoint that cannot be reached is a failure that passes."""
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall)
    issuer.stop()
    tokens.step()
    assert isinstance(tokens.state().error, TransportError)
    assert tokens.state().waited < math.inf


def test_a_token_is_used_as_long_as_it_is_good(tokens, issuer, wall):
    """A refresh ahead that fails costs nobody anything before the token really expires."""
    tokens.step()
    issuer.faults.add(Html(502), to="token")
    wall.now += tokens.step()
    tokens.step()
    assert is_usable(tokens)
    wall.now = tokens.credentials.expiry.replace(tzinfo=timezone.utc).timestamp()
    assert not is_usable(tokens)
    assert tokens.state().waited == 0


@pytest.mark.parametrize("error", ["invalid_grant", "unauthorized_client", "invalid_client"])
def test_credentials_that_are_refused(tokens, issuer, wall, error, caplog):
    """An OAuth error is told at once, with google-auth's own error, and loudly, once."""
    issuer.faults.add(OAuthRefusal(error, "Account disabled"), to="token", count=2)
    changes = []
    tokens.on_change(lambda: changes.append(tokens.state().waited))
    delay = tokens.step()
    state = tokens.state()
    assert isinstance(state.error, RefreshError)
    assert error in str(state.error)
    assert state.waited == math.inf
    assert changes == [math.inf]
    wall.now += delay
    tokens.step()
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "disabled or deleted" in errors[0]
    assert issuer.service_account_info()["client_email"] in errors[0]
    assert "PRIVATE KEY" not in caplog.text
    wall.now += 60
    tokens.step()
    assert is_usable(tokens)


def test_a_good_token_outlives_the_refusal_of_its_credentials(tokens, issuer, wall, caplog):
    """A refresh ahead that is refused for good is told at once; the token is used to its end."""
    tokens.step()
    issuer.faults.add(OAuthRefusal("invalid_grant"), to="token")
    wall.now += tokens.step()
    tokens.step()
    assert "Google refuses the credentials" in caplog.text
    assert is_usable(tokens)
    tokens.refused(tokens.version)
    assert tokens.state().waited == math.inf


def test_a_refresh_that_is_asked_for(issuer, way, wall):
    """Whoever asks for a new token gets it, or the reason why there is none."""
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall)
    tokens.start()
    tokens.refresh(PATIENCE)
    before = tokens.version
    tokens.refresh(PATIENCE)
    assert tokens.version == before + 1
    issuer.faults.add(OAuthRefusal("invalid_grant"), to="token")
    with pytest.raises(RefreshError, match="invalid_grant"):
        tokens.refresh(PATIENCE)
    tokens.stop()


def test_a_refresh_that_takes_too_long(tokens):
    """A refresh that nobody makes ends with the time that it was given."""
    with pytest.raises(TransportError, match="no access token after"):
        tokens.refresh(0.01)


def test_a_stop_does_not_wait_for_the_token_endpoint(issuer, way, wall):
    """A token request in the air holds up no stop."""
    rule = issuer.faults.add(Latency(3600.0), to="token")
    tokens = Tokens(credentials_of(issuer), way, clock=wall, wall=wall)
    tokens.start()
    eventually(lambda: rule.hits)
    tokens.stop()
    issuer.stop()
    eventually(lambda: not threads("tokens"), "the thread has ended")


def test_an_api_key_needs_no_token(way, wall):
    """What never expires is usable for ever, and nothing is fetched."""
    tokens = Tokens(APIKeyCredentials("a key"), way, clock=wall, wall=wall)
    assert is_usable(tokens)
    assert tokens.step() == math.inf
    assert tokens.version == 0


def test_clients_that_look_after_their_own_token():
    """Where nothing is known of a token requests are sent, and a refresh is the client's."""
    calls = []
    tokens = NoTokens(type("HTTP", (), {"login": lambda self: calls.append("login")})())
    tokens.start()
    tokens.refused(0)
    tokens.accepted(0)
    tokens.refresh(1.0)
    tokens.stop()
    assert is_usable(tokens)
    assert calls == ["login"]


@pytest.fixture
def path(issuer, tmp_path):
    path = tmp_path / "service_account.json"
    issuer.write_service_account(path)
    return path


@pytest.fixture
def watched(path, issuer, way, wall):
    """Return tokens whose credentials are from a file that is watched."""
    source = source_of(Named(path))
    reload = source.file.reload
    tokens = Tokens(source.load(), way, reload=reload, clock=wall, wall=wall)
    tokens.step()
    return tokens


def test_a_key_is_rotated(watched, issuer, path):
    """A key file that changes is read again, and a token is fetched with its key at once."""
    before, version = watched.credentials.token, watched.version
    assert watched.step() <= 5.0
    assert watched.version == version
    issuer.rotate_key()
    issuer.write_service_account(path)
    watched.step()
    assert watched.version == version + 1
    assert watched.credentials.token != before


def test_a_key_that_does_not_work(watched, issuer, path, wall, caplog):
    """The old token stays in use while a new key is refused; the file after it puts it right."""
    token = watched.credentials.token
    issuer.rotate_key()
    rule = issuer.faults.add(OAuthRefusal("invalid_grant"), to="token")
    issuer.write_service_account(path)
    watched.step()
    assert is_usable(watched)
    assert watched.credentials.token == token
    issuer.faults.remove(rule)
    wall.now += 60
    watched.step()
    assert is_usable(watched)
    assert watched.credentials.token != token


def test_a_new_keys_token_that_has_expired_already(watched, issuer, path):
    """The old token stays in use where the token of a new key is no good."""
    token = watched.credentials.token
    issuer.rotate_key()
    issuer.token_lifetime = 0
    issuer.write_service_account(path)
    watched.step()
    assert len(issuer.token_requests) == 2
    assert is_usable(watched)
    assert watched.credentials.token == token


@pytest.mark.parametrize("content", [None, "{", "{}", "[]", '{"type": "authorized_user"}'])
def test_a_key_file_that_is_no_key_file(watched, issuer, path, content, caplog):
    """While the file is missing, half-written or something else, the old key stays in use."""
    whole = path.read_text()
    path.unlink() if content is None else path.write_text(content)
    version = watched.version
    for _ in range(3):
        watched.step()
    assert watched.version == version
    assert is_usable(watched)
    assert (
        len([r for r in caplog.records if "the old credentials stay in use" in r.getMessage()]) == 1
    )
    assert str(path) in caplog.text
    path.write_text(whole)
    watched.step()
    assert watched.version == version + 1


def test_a_key_file_of_another_account(watched, path, caplog):
    """A key of another account is not taken: the server has been started for one account."""
    other = {**json.loads(path.read_text()), "client_email": "other@example.iam"}
    path.write_text(json.dumps(other))
    version = watched.version
    watched.step()
    assert watched.version == version
    assert "other@example.iam" in caplog.text
    assert "restart the server" in caplog.text


def test_what_is_no_file_is_not_watched(tmp_path, monkeypatch):
    """An API key and the content of a file come from no file that could be read again."""
    assert source_of(Named(api_key="a key")).file is None
    assert source_of(Named({"type": "service_account"})).file is None
    file = source_of(Named(tmp_path / "missing.json")).file
    assert file.reload() is None
    with pytest.raises(ConfigurationError, match="is not there"):
        file.load()


def test_a_file_that_looks_unchanged_is_read_again_once_refused(watched, issuer, path, wall):
    """Where a new key came with the old file's time and size, its refusal has the file read."""
    issuer.rotate_key()
    seen = path.stat()
    rule = issuer.faults.add(OAuthRefusal("invalid_grant"), to="token")
    wall.now += 3500
    watched.step()
    issuer.faults.remove(rule)
    # Keys differ in length by some signs.
    while len(content := json.dumps(issuer.service_account_info(), indent=2)) > seen.st_size:
        issuer.rotate_key()
    content = content.ljust(seen.st_size)
    with path.open("r+") as file:
        file.write(content)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert path.stat().st_size == seen.st_size
    version = watched.version
    wall.now += 60
    watched.step()
    assert watched.version == version + 1
