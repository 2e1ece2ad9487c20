"""Faults over HTTP: what the client sees, and what really happened."""

import threading

import pytest
import requests
from emulator_traffic import bearer, credentials_of
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from gspread.exceptions import APIError
from waiting import PATIENCE

from queued_gspread.emulator import Quotas
from queued_gspread.emulator.faults import (
    ExpiredToken,
    Html,
    Latency,
    OAuthRefusal,
    Reset,
    Status,
)


@pytest.mark.parametrize(
    ("status", "name", "message"),
    [
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests'"),
        (500, "INTERNAL", "Internal error encountered."),
        (503, "UNAVAILABLE", "The service is currently unavailable."),
        (403, "PERMISSION_DENIED", "The caller does not have permission"),
        (504, "DEADLINE_EXCEEDED", "Gateway Timeout"),
        (408, "UNKNOWN", "Request Timeout"),
    ],
)
@pytest.mark.parametrize("applied", [False, True])
def test_a_status(own, traffic, status, name, message, applied):
    """A status comes with Google's JSON, before the request was applied or after it."""
    own.faults.add(Status(status, applied=applied), count=1)
    response = traffic.write()
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["status"]) == (status, status, name)
    assert error["message"].startswith(message)
    assert traffic.rows() == (["x"] if applied else [])
    (served,) = own.ledger
    assert (served.status, served.applied) == (status, applied)
    assert served.fault == f"{status}{' after' if applied else ''}"
    assert traffic.write().status_code == 200


def test_a_status_of_drive(own, traffic):
    """To a Drive request a status comes in Drive's shape, with the reason that was given."""
    own.faults.add(Status(403, reason="userRateLimitExceeded", message="Slow down"), count=1)
    own.faults.add(Status(503))
    detail = {"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": "Slow down"}
    error = {"errors": [detail], "code": 403, "message": "Slow down"}
    assert traffic.list_files().json() == {"error": error}
    error = traffic.list_files().json()["error"]
    assert error["errors"][0]["domain"] == "global"
    assert (error["errors"][0]["reason"], error["code"]) == ("backendError", 503)


def test_a_reason_of_sheets(own, traffic):
    """To a Sheets request a reason is in the error's details."""
    own.faults.add(Status(403, reason="SERVICE_DISABLED"))
    assert traffic.read().json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"


def test_headers_come_along(own, traffic):
    """A fault's answer has the headers that it was given."""
    own.faults.add(Status(429, headers={"Retry-After": "7"}), count=1)
    own.faults.add(Html(503, headers={"Retry-After": "8"}))
    assert [traffic.read().headers["Retry-After"] for _ in range(2)] == ["7", "8"]


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"a": 1}, b'{"a": 1}', "application/json; charset=UTF-8"),
        ("<p>", b"<p>", "text/html; charset=UTF-8"),
        (b"\x00", b"\x00", "text/html; charset=UTF-8"),
    ],
)
def test_a_body_of_ones_own(own, traffic, body, sent, kind):
    """A given body takes the place of Google's."""
    own.faults.add(Status(418, body=body))
    response = traffic.read()
    assert (response.content, response.headers["Content-Type"]) == (sent, kind)


@pytest.mark.parametrize("status", [502, 503, 408])
@pytest.mark.parametrize("applied", [False, True])
def test_a_page_of_html(own, traffic, status, applied):
    """A page of HTML is no JSON; gspread has no code for it, and it may hide a success."""
    own.faults.add(Html(status, applied=applied))
    response = traffic.write()
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert APIError(response).code == -1
    assert traffic.rows() == (["x"] if applied else [])


@pytest.mark.parametrize("applied", [False, True])
def test_a_reset(own, traffic, applied):
    """A reset is a ConnectionResetError, before the request was applied or after it."""
    own.faults.add(Reset(applied=applied), count=1)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        traffic.write()
    assert traffic.rows() == (["x"] if applied else [])
    (served,) = own.ledger
    assert (served.status, served.applied) == (0, applied)
    assert traffic.read().status_code == 200


def test_a_late_application(own, traffic, clock):
    """A late request is reset at once and applied that many seconds later."""
    own.faults.add(Reset(late=30.0), count=1)
    clock.now = 1.0
    with pytest.raises(requests.ConnectionError):
        traffic.write(value="late")
    assert traffic.write(value="early").status_code == 200
    own.latency = 5.0
    reading = traffic.start(traffic.read)
    clock.now = 30.9
    reading.result(PATIENCE)
    assert traffic.rows() == ["early"]
    clock.now = 31.0
    (served,) = own.wait_for(lambda served: served.fault == "reset late")
    assert traffic.rows() == ["early", "late"]
    assert (served.arrived, served.answered, served.applied_at) == (1.0, 1.0, 31.0)
    assert (served.status, served.applied) == (0, True)


def test_a_late_application_ends_with_the_emulator(own, traffic):
    """A stop does not wait for what is to be applied later."""
    own.faults.add(Reset(late=1e6))
    with pytest.raises(requests.ConnectionError):
        traffic.write()
    own.stop()
    assert [(served.fault, served.applied) for served in own.ledger] == [("stopped", False)]
    assert traffic.rows() == []


def test_latency(own, traffic, clock):
    """Latency delays a request on top of that of all."""
    own.latency = 1.0
    own.faults.add(Latency(4.0), method="POST")
    writing = traffic.start(traffic.write)
    clock.now = 4.9
    own.latency = 0.0
    traffic.read()
    assert not writing.done()
    clock.now = 5.0
    assert writing.result(PATIENCE).status_code == 200
    assert own.ledger[-1].fault == "latency"


@pytest.mark.parametrize("for_good", [False, True])
def test_an_expired_token(own, traffic, for_good):
    """A token can expire for one request, or from then on."""
    own.faults.add(ExpiredToken(for_good), count=1)
    token, other = bearer(own), bearer(own)
    refused = traffic.write(token)
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert traffic.read(token).status_code == (401 if for_good else 200)
    assert traffic.read(other).status_code == 200
    assert traffic.rows() == []
    assert own.ledger[0].account == own.service_account_info()["client_email"]
    assert own.ledger[0].counted is None


def test_google_auth_survives_an_expired_token(own):
    """A real client renews its token at such a 401 and sends the request again."""
    client = own.gspread_client()
    own.faults.add(ExpiredToken(for_good=True), count=1)
    assert client.list_spreadsheet_files() == []
    assert [served.fault for served in own.ledger] == ["expired", ""]
    assert len(own.token_requests) == 2


def test_an_oauth_refusal(own):
    """A refused token is a RefreshError with Google's code, and it is in the ledger."""
    own.faults.add(OAuthRefusal("invalid_grant", "Account disabled"), to="token", count=1)
    credentials = credentials_of(own)
    with pytest.raises(RefreshError, match="Account disabled") as caught:
        credentials.refresh(Request())
    assert not caught.value.retryable
    assert [served.fault for served in own.token_requests] == ["invalid_grant"]
    assert not own.token_requests[0].applied
    credentials.refresh(Request())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_of_the_token_endpoint(own, status):
    """A passing failure of the token endpoint is one that google-auth would try again."""
    own.faults.add(Status(status), to="token")
    answer = requests.post(f"{own.url}/token", timeout=PATIENCE)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "error_description"}


def test_a_page_of_the_token_endpoint(own):
    """A 502 with HTML from the token endpoint is a RefreshError with the page in it."""
    own.faults.add(Html(502), to="token", count=1)
    with pytest.raises(RefreshError, match="Error 502"):
        credentials_of(own).refresh(Request())


def test_a_reset_of_the_token_endpoint(own):
    """A reset of a token request is a TransportError; the token may have been granted."""
    own.faults.add(Reset(applied=True), to="token", count=1)
    with pytest.raises(TransportError):
        credentials_of(own).refresh(Request())
    assert [(served.status, served.applied) for served in own.token_requests] == [(0, True)]


def test_latency_of_the_token_endpoint(own, clock, traffic):
    """The latency of all is for API requests; that of a fault delays a token request too."""
    own.latency = 1e6
    bearer(own)
    own.faults.add(Latency(5.0), to="token")
    granting = traffic.start(bearer, own)
    clock.now = 5.0
    assert granting.result(PATIENCE)["Authorization"]


@pytest.mark.parametrize("fault", [Status(503), Status(503, applied=True), Reset(), Html()])
def test_a_fault_uses_up_quota(own, traffic, fault):
    """A request that meets a fault is counted; over the quota it is not applied."""
    own.quotas = Quotas(writes=1)
    own.faults.add(fault, count=2)
    for _ in range(2):
        if isinstance(fault, Reset):
            with pytest.raises(requests.ConnectionError):
                traffic.write()
        else:
            assert traffic.write().status_code == fault.status
    assert traffic.write().status_code == 429
    assert [served.counted for served in own.ledger] == [0.0, None, None]
    assert own.refusals == 2
    assert len(traffic.rows()) == fault.applied


def test_a_429_of_a_fault_is_no_refusal(own, traffic):
    """A 429 that no quota gave is not counted as a refusal."""
    own.faults.add(Status(429))
    assert traffic.read().status_code == 429
    assert own.refusals == 0


def test_faults_may_change_at_any_time(own, traffic):
    """Other threads may add and remove faults while requests are served."""
    ended = threading.Event()

    def change():
        while not ended.wait(0.0005):
            own.faults.remove(own.faults.add(Status(503)))
            own.quotas = Quotas(reads=1000)

    changing = threading.Thread(target=change)
    changing.start()
    answers = {traffic.read().status_code for _ in range(50)}
    ended.set()
    changing.join()
    assert answers <= {200, 503}
    own.faults.clear()
    assert traffic.read().status_code == 200


def test_nothing_is_logged_about_a_fault(own, traffic, caplog):
    """A client that is gone and a connection that was reset are nothing to complain about."""
    own.faults.add(Reset(), count=1)
    own.faults.add(Reset(late=0.0), count=1)
    own.faults.add(Reset(applied=True), count=1)
    for _ in range(3):
        with pytest.raises(requests.ConnectionError):
            traffic.read()
    traffic.read()
    own.stop()
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []
    assert [record for record in caplog.records if record.name == "asyncio"] == []
