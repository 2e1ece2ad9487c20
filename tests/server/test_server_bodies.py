"""Bodies that are not Google's change no verdict, and the errors made of them can be shown."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback

import gspread
import pytest
import requests
from gate import cell_of
from gspread.exceptions import APIError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from raw_http import listening
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from waiting import PATIENCE

from queued_gspread.emulator.faults import Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.protocol import codec
from queued_gspread.server.calls.outcome import unknown
from queued_gspread.server.google.endpoint import redirected
from queued_gspread.server.google.session import adopt
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.request import Failure, Request, Response, answer_of
from queued_gspread.server.policy.verdict import VerdictKind, judge

# A busy machine is no reason to fail.
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
READ = Request("get", cell_of("x"))
STATUSES = [400, 401, 403, 404, 408, 409, 429, 499, 500, 501, 502, 503, 504, 599]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**4000),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["rateLimitExceeded", "limit 'x'"]),
)
NAMES = st.sampled_from(
    ["error", "code", "message", "status", "errors", "details", "reason", "metadata", "quota_limit"]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=9
)
ERRORS = st.fixed_dictionaries({"error": st.dictionaries(NAMES, JSON) | JSON})
ODD = [
    b"[" * 100_000,
    b'{"error":' * 20_000,
    b'{"error": {"code": ' + b"9" * 5000 + b', "message": "x"}}',
    b'{"error": {"code": 1, "code": 2, "message": null, "message": "twice"}}',
    b'{"error": {"code": NaN, "message": "x"}}',
    b'{"error": {"code": 503, "message": "cut o',
    b'{"error": {"code": 503, "message": "\xff\xfe"}}',
    b'{"error": {"code": 503, "message": "\\ud800"}}',
    b'{"error": "upstream timeout"}',
    b'{"error": null}',
    b'{"error": {"message": "no code"}}',
    b'{"error": {"code": 403, "message": "m", "errors": [{"reason": ["rateLimitExceeded"]}]}}',
    b"\xff\xfe{\x00}\x00",
]
BODIES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(ODD),
    (JSON | ERRORS).map(lambda value: json.dumps(value).encode()),
)
TYPES = st.sampled_from(
    [
        "application/json; charset=UTF-8",
        "application/json",
        "text/html",
        "text/plain; charset=undefined",
        "text/plain; charset=idna",
        "text/plain; charset=no-such",
    ]
)


class Canned(HTTPAdapter):
    """Has every request answered alike, without a network."""

    status, body, kind = 200, b"", ""

    def send(self, request, **_):
        content, headers = io.BytesIO(self.body), {"Content-Type": self.kind}
        raw = HTTPResponse(content, headers, self.status, reason="x", preload_content=False)
        return self.build_response(request, raw)


def outcome_of(status, body, kind="application/json"):
    """Return what comes of a request of gspread's that is answered so."""
    canned = Canned()
    canned.status, canned.body, canned.kind = status, body, kind
    session = requests.Session()
    session.mount("https://", canned)
    http, tokens = adopt(gspread.Client(None, session), request_timeout=1.0)
    return Transport(http, tokens).send(READ, None).outcome


def is_limit(body):
    """Tell whether a body is Google's, and says that a limit passes."""
    try:
        errors = json.loads(body)["error"]["errors"]
        return any(each["reason"] == "rateLimitExceeded" for each in errors if "reason" in each)
    except Exception:  # noqa: BLE001 - anything at all
        return b"ateLimitExceeded" in body


@unhurried
@given(st.sampled_from(STATUSES), BODIES, TYPES)
@example(429, ODD[-2], "application/json")
@example(403, ODD[-2], "application/json")
def test_a_body_changes_no_verdict(status, body, kind):
    """Whatever an error's body is, its verdict is that of its status, but for a limit in a 403."""
    bare, found = outcome_of(status, b"", kind), outcome_of(status, body, kind)
    assert type(found) is Failure
    assert type(found.error) is APIError
    kind = judge(found, request=READ).kind
    assert judge(Response(found.error.response), request=READ).kind is kind
    expected = judge(bare, request=READ).kind
    is_quota = status == 403 and kind is VerdictKind.REFUSED_QUOTA
    assert kind is expected or (is_quota and is_limit(body))


def shown(error):
    """Show an error in all ways, and copy it; return the copies."""
    record = logging.LogRecord(
        "x", logging.ERROR, "x", 1, "%s", (error,), (type(error), error, None)
    )
    logging.Formatter().format(record)
    assert str(error)
    assert repr(error)
    assert "".join(traceback.format_exception(type(error), error, None))
    return [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]


@unhurried
@given(st.sampled_from(STATUSES), BODIES, TYPES)
@example(503, ODD[8], "application/json")
@example(503, b"x", "text/plain; charset=undefined")
def test_an_error_of_any_body_can_be_shown(status, body, kind):
    """Whatever was answered, the APIError that a caller gets can be shown, pickled and copied."""
    outcome = outcome_of(status, body, kind)
    for sent in (outcome.error, unknown(answer_of(outcome), "x")):
        arrived = codec.loads(codec.encode_exception(sent))
        assert type(arrived) is type(sent)
        assert isinstance(arrived, APIError)
        assert arrived.response.content == body
        for each in (arrived, *shown(arrived)):
            assert type(each) is type(sent)
            assert (each.response.status_code, each.code) == (status, sent.code)
            assert str(each) == str(sent)


@pytest.mark.parametrize("cls", [APIError, OutcomeUnknownError])
@pytest.mark.parametrize("state", [{}, {"response": 7}, {"error": [], "code": {}}])
def test_an_api_error_without_its_state_can_be_shown(cls, state):
    """An APIError that arrives with nothing in it, or with something else, can be shown, too."""
    sent = cls.__new__(cls)
    vars(sent).update(state)
    arrived = codec.loads(codec.encode_exception(sent))
    assert type(arrived) is cls
    assert all(isinstance(each, cls) for each in shown(arrived))


def test_the_error_of_a_hook_is_judged_by_its_status():
    """Where a session of the user's own raises for a status, that status decides all the same."""
    answer = requests.Response()
    answer.status_code = 503
    assert judge(Failure(requests.HTTPError("x", response=answer))).kind is VerdictKind.UNKNOWN
    assert judge(Failure(requests.HTTPError("x"))).kind is VerdictKind.FINAL


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, VerdictKind.FINAL),
        (401, VerdictKind.UNAUTHENTICATED),
        (429, VerdictKind.REFUSED_QUOTA),
        (503, VerdictKind.UNKNOWN),
        (200, VerdictKind.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 99\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Encoding: gzip\r\nContent-Length: 3\r\n",
    ],
)
def test_a_body_that_breaks_off_changes_no_verdict(head, status, expected):
    """Where an error's body is cut off or cannot be decoded, its status decides all the same."""
    answer = f"HTTP/1.1 {status} x\r\nConnection: close\r\n{head}\r\n9\r\n"
    with listening(answer.encode()) as url, requests.Session() as session:
        client = gspread.Client(None, session, redirected(gspread.HTTPClient, url))
        http, tokens = adopt(client, request_timeout=PATIENCE)
        exchange = Transport(http, tokens).send(READ, None)
    assert judge(exchange.outcome, request=READ).kind is expected
    assert isinstance(exchange.outcome.error, APIError) is (status >= 400)
    assert isinstance(codec.loads(codec.encode_exception(exchange.outcome.error)), Exception)


GATEWAY = ['{"error": "upstream timeout"}', '{"error": null}', '{"error": []}', '{"error": {}}']
JSON_TYPE = {"Content-Type": "application/json"}
QUICK = {"quota_window": 0.3}


@pytest.fixture
def sheet(serve, client, emulator):
    """Return a sheet of a new spreadsheet, through a server that sends real requests."""
    real = emulator.gspread_client()
    serve(real.http_client, **QUICK)
    yield client.open_by_key(real.create("Book").id).sheet1
    emulator.faults.clear()


@pytest.mark.parametrize(("status", "is_applied"), [(401, False), (429, False), (503, True)])
def test_a_gateways_error_is_met_like_googles(status, is_applied, sheet, emulator):
    """A 401, 429 or 503 with JSON of a gateway's is waited for, renewed for, or told as unknown."""
    for body in GATEWAY:
        fault = Status(status, body=body, headers=JSON_TYPE, applied=is_applied)
        where = f"/{sheet.spreadsheet_id}/"
        emulator.faults.add(fault, path=where, count=1)
        assert sheet.acell("Z9").value is None
        emulator.faults.add(fault, path=where, count=1)
        assert sheet.update([[1]], "C1")["updatedCells"] == 1
        emulator.faults.add(fault, path=where, count=1)
        if is_applied:
            with pytest.raises(OutcomeUnknownError) as caught:
                sheet.append_row(["row"])
            assert body in str(caught.value)
            assert caught.value.response.text == body
        else:
            assert sheet.append_row(["row"])["updates"]["updatedCells"] == 1
    appended = [row for row in sheet.get_all_values() if "row" in row]
    assert len(appended) == len(GATEWAY)


def test_a_gateways_403_is_what_gspread_makes_of_one(sheet, client, emulator):
    """A 403 whose body cannot be read is a PermissionError where gspread's method makes it one."""
    emulator.faults.add(Status(403, body=ODD[-2], headers=JSON_TYPE), path="/v4/", count=1)
    with pytest.raises(PermissionError):
        client.open_by_key(sheet.spreadsheet_id)
