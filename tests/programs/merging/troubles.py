"""Faults that depend on what a request has in it: a range or a value that Google never takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from hypothesis import strategies as st

from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Request

OF_ALL = {403: "The caller does not have permission", 404: "Requested entity was not found."}
# What a refusal may say, with a caller's text in it that looks like Google's.
_TEXTS = (
    "no",
    "",
    "Invalid data[0]: no",
    "Invalid data[1]: no",
    "Invalid data[99999]: Unable to parse range: data[0]",
    "Invalid requests[0].addSheet: data[1]",
    "Invalid requests[2].x: requests[0]",
    "Unable to parse range: A1",
    "Unable to parse range: data[0]",
    "Invalid value at 'data[1].values[0]' (x), data[0]",
    'A sheet with the name "requests[0]" already exists.',
    "data[" + "9" * 5000 + "]",
    "Invalid data[" + "9" * 5000 + "]: no",
    "You are trying to edit a protected cell or object.",
    *(f"{text}!" for text in OF_ALL.values()),
)


@dataclass(frozen=True)
class Trouble:
    """What every request meets that has a text in it, as a range or a value.

    Attributes:
        text: The text; None for any.
        status: Of the answer; 0 for none.
        message: Of its error.
        is_page: Whether the answer is a page of HTML.
        is_applied: Whether the request is applied all the same, where nobody knows that.

    """

    text: str | None
    status: int
    message: str = ""
    is_page: bool = False
    is_applied: bool = False

    @property
    def is_unknown(self):
        """Whether nobody knows whether the request was applied."""
        return self.status == 0 or self.status >= 500

    def meets(self, given):
        """Tell whether a request meets it, which is given as to a session of requests.

        Of what is not idempotent and is in doubt, all who left with it are told so: that is
        no history to compare.
        """
        if self.is_unknown and not is_idempotent(_request(given)):
            return False
        return self.text is None or self.text in texts_of(
            [given.get("json"), _path(given), _query(given)]
        )

    @property
    def body(self):
        """The answer's body, with its content type."""
        if self.is_page:
            return b"<html><title>Error</title></html>", "text/html"
        error = {"code": self.status, "message": self.message, "status": "X"}
        return json.dumps({"error": error}).encode(), "application/json"


def silence():
    """Return what requests raises where no answer comes."""
    return requests.exceptions.ReadTimeout("no answer")


def texts_of(value):
    """Return all texts in data, and of ranges with a sheet what stands behind it."""
    if isinstance(value, dict):
        return texts_of([*value.values()])
    if isinstance(value, list | tuple):
        return set().union(*map(texts_of, value))
    text = str(value)
    return {text, text.rpartition("!")[2]}


def _request(given):
    names = ("params", "data", "json", "files", "headers")
    return Request(given["method"], given["url"], *(given.get(name) for name in names))


def _path(given):
    last = urlsplit(given["url"]).path.rpartition("/")[2]
    return unquote(last.rpartition(":")[0] or last if last.endswith(_VERBS) else last)


_VERBS = (":append", ":clear")
# Options: one that says what goes without saying is not sent where calls are merged.
_OPTIONS = {
    *("true", "false", "none", "raw", "user_entered", "rows", "columns", "overwrite"),
    *("insert_rows", "formatted_value", "unformatted_value", "formula", "serial_number"),
    *("formatted_string", "book"),
}


def _is_content(text):
    return bool(text.strip()) and text.lower().rpartition(".")[2] not in _OPTIONS


def _query(given):
    params = given.get("params") or {}
    return [*params.values(), *(value for _, value in parse_qsl(urlsplit(given["url"]).query))]


@st.composite
def troubles(draw, calls):
    """Draw trouble with something that a call has in it."""
    call = draw(st.sampled_from(calls))
    found = sorted(filter(_is_content, texts_of([call.args, call.kwargs])))
    if not found:
        return None
    text = draw(st.sampled_from(found))
    way = draw(st.integers(0, 9))
    if way < 5:
        status, is_applied = draw(st.sampled_from((500, 503, 504, 0))), draw(st.booleans())
        return Trouble(text, status, "x", status == 504, is_applied)
    # Said of one call, it is that call's; of some, it may be believed of all.
    others = [one for one in calls if text in texts_of([one.args, one.kwargs])]
    if way < 7 and len(others) == 1:
        status = draw(st.sampled_from((403, 404)))
        return Trouble(text, status, OF_ALL[status])
    is_page = draw(st.integers(0, 5)) == 0
    return Trouble(text, draw(st.sampled_from((400, 403))), draw(st.sampled_from(_TEXTS)), is_page)
