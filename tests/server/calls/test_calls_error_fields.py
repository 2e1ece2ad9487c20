"""What the log says of an error of Google's, and that none of it is a cell's value."""

from __future__ import annotations

import io
import json

import pytest
import requests
from calls import WORKSHEET, send
from gate import google_error, response
from google.auth.exceptions import RefreshError, TransportError
from gspread.exceptions import APIError
from waiting import eventually

from queued_gspread.emulator.wire.proto_text import proto_text
from queued_gspread.errors import BrokerUnavailableError, CallRefusedError, OutcomeUnknownError
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls.error_fields import fields_of, without_values
from queued_gspread.server.calls.outcome import unknown
from queued_gspread.server.log import configure

SECRET = "4711 is 'never' \"shown\""
# As Google words them, with a value where it puts one.
WITH_VALUES = {
    f"Invalid value at 'data.values[0]' (type.googleapis.com/x.Value), \"{SECRET}\"": (
        "Invalid value at … …, …"
    ),
    "Invalid value at 'requests[0].title' (TYPE_STRING), 4711": "Invalid value at … …, …",
    f"Invalid values[1][0]: struct_value {{ fields {{ {SECRET} }} }}": (
        "Invalid values[1][0]: struct_value …"
    ),
    f"Invalid values[1][0]: {proto_text({SECRET: [4711, SECRET]})}": (
        "Invalid values[1][0]: struct_value …"
    ),
    f"Unable to parse range: {SECRET}!A1": "Unable to parse range: …",
    f"Invalid data[3]: Unable to parse range: {SECRET}": (
        "Invalid data[3]: Unable to parse range: …"
    ),
    f"Range ('{SECRET}'!A1000) exceeds grid limits. Max rows: 4711": (
        "Range … exceeds grid limits. Max rows: …"
    ),
    f'Invalid requests[0].addSheet: A sheet with the name "{SECRET}" already exists.': (
        "Invalid requests[0].addSheet: A sheet with the name … already exists."
    ),
    f"Invalid requests[2].setDataValidation: Invalid ConditionValue.userEnteredValue: {SECRET}": (
        "Invalid requests[2].setDataValidation: Invalid ConditionValue.userEnteredValue: …"
    ),
    f'Invalid JSON payload received. Unexpected token.\nlues": [[NaN, "{SECRET}"\n  ^': (
        "Invalid JSON payload received. Unexpected token."
    ),
    f"Invalid JSON payload. Unknown name \"{SECRET}\" at 'requests[0]': Cannot find field.": (
        "Invalid JSON payload. Unknown name … at …: Cannot find field."
    ),
    f'cut off in the middle of "{SECRET}': "cut off in the middle of …",
    f"[[1, {SECRET}]] is no list": "…",
    f"A sheet with the name \u2018{SECRET}\u2019 already exists": (
        "A sheet with the name … already exists"
    ),
    "Invalid value at 'data.values' (type.googleapis.com/x.Value), never": (
        "Invalid value at … …, …"
    ),
    "Invalid requests[0].updateBorders: style must be one of DASHED, DOTTED, was never": (
        "Invalid requests[0].updateBorders: style must be one of DASHED, DOTTED, was …"
    ),
    "Invalid requests[0].addNamedRange: A named range with id never already exists": (
        "Invalid requests[0].addNamedRange: A named range with id …"
    ),
    "You are trying to invite never@shown.example. Try again.": (
        "You are trying to invite … Try again."
    ),
    "Invalid requests[0].x: there is no function in =never(shown) here": (
        "Invalid requests[0].x: there is no function in …"
    ),
}
WITHOUT = [
    "The caller does not have permission",
    "Requested entity was not found.",
    "You can't remove all the sheets in a document.",
    "Internal error encountered.",
    "Please visit https://console.developers.google.com/apis?project=123 then retry.",
]


@pytest.mark.parametrize(("message", "told"), WITH_VALUES.items(), ids=range(len(WITH_VALUES)))
def test_values_are_cut_out(message, told):
    """Wherever Google's messages quote a value, there is an ellipsis in its place."""
    found = without_values(message)
    assert found == told
    assert not any(word in found for word in ("4711", "never", "shown"))


@pytest.mark.parametrize("message", WITHOUT)
def test_prose_stays(message):
    """A message that quotes nothing is told as it is."""
    assert without_values(message) == message


@pytest.mark.parametrize("mark", ["\n", "\r", "\u2028", "\x1b[2J", "\x85", "\x00"])
def test_a_message_is_one_line_of_usual_length(mark):
    """Whatever stands in a message, what is told of it is short, printable and one line."""
    told = without_values(f"a{mark}b" + "c" * 3_000_000)
    assert told.isprintable()
    assert len(told) <= 300


def test_what_is_told_of_an_answer():
    """HTTP status, Google's status and reason, and the message, as far as the body has them."""
    error = {
        "code": 403,
        "message": "The caller does not have permission",
        "status": "PERMISSION_DENIED",
        "details": ["odd", {"@type": "x"}, {"reason": "SERVICE_DISABLED"}],
    }
    assert fields_of(APIError(response({"error": error}, 403))) == {
        "http_status": 403,
        "error_status": "PERMISSION_DENIED",
        "error_reason": "SERVICE_DISABLED",
        "error_message": "The caller does not have permission",
    }
    assert fields_of(google_error(502, page=True)) == {"http_status": 502}
    assert fields_of(google_error(403, "domainPolicy"))["error_reason"] == "domainPolicy"
    assert fields_of(ValueError("no answer of Google's")) == {}


def test_what_is_told_of_an_unknown_outcome():
    """Where no answer came, there is the word for that, and what happened instead."""
    error = unknown(None, "connection reset")
    assert isinstance(error, OutcomeUnknownError)
    told = {"error_status": "OUTCOME_UNKNOWN", "error_message": "connection reset"}
    assert fields_of(error) == told


URL = f"/v4/spreadsheets/x/values/{SECRET}"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (requests.ReadTimeout(f"HTTPSConnectionPool: {URL}"), "no answer in time"),
        (requests.ConnectionError(f"Max retries exceeded with url: {URL}"), "connection broken"),
        (requests.exceptions.InvalidURL(URL), "InvalidURL"),
        (
            RefreshError("invalid_grant: Invalid JWT Signature.", {"error": SECRET}),
            "invalid_grant: Invalid JWT Signature.",
        ),
        (RefreshError(f"assertion=eyJhbGciOi{'x' * 3000}\nmore"), "assertion=*** more"),
        (TransportError(URL), "no token: TransportError"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_is_told_where_there_is_no_answer(error, told):
    """What happened instead of an answer is told, and nothing of what was asked or is secret."""
    assert fields_of(error) == {"error_message": told}


@pytest.mark.parametrize(
    "error", [CallRefusedError(URL), BrokerUnavailableError(URL), OSError(URL)]
)
def test_an_error_that_may_hold_an_argument_is_not_told(error):
    """Of an error whose text may have an argument in it there is the class alone."""
    assert fields_of(error) == {}


@pytest.mark.parametrize("odd", [{"status": SECRET}, {"details": [{"reason": SECRET}]}])
def test_only_names_are_told_as_such(odd):
    """What stands in the place of a status or a reason and is no name is not told."""
    body = {"error": {"code": 400, "message": "m", **odd}}
    assert fields_of(APIError(response(body, 400))) == {"http_status": 400, "error_message": "m"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_line_of_a_failed_call(serve, callers, gate, background, restored_log, form):
    """It has the status, the message without its values, and the spreadsheet's id."""
    stream = io.StringIO()
    configure("debug", form, stream)
    serve()
    job = Job("worksheet", "update", WORKSHEET, ([[SECRET]], "A1"))
    background(send, callers, job.encode())
    message = f'Invalid data[0]: Invalid value "{SECRET}"'
    body = {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}
    gate.next().fail(APIError(response(body, 400)))
    line = eventually(lambda: next((x for x in stream.getvalue().splitlines() if "APIE" in x), ""))
    assert not any(word in stream.getvalue() for word in ("4711", "never", "shown"))
    if form == "text":
        told = "Invalid data[0]: Invalid value …  spreadsheet lane"
        assert line.endswith(f"1 write  APIError  HTTP 400  INVALID_ARGUMENT  {told}")
        return
    told = json.loads(line)
    assert told["outcome"] == "APIError"
    assert told["http_status"] == 400
    assert told["error_message"] == "Invalid data[0]: Invalid value …"
    assert told["spreadsheet"] == "lane"
