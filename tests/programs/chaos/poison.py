"""Faults that depend on what a request holds, and answers with bodies that are none of Google's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from queued_gspread.emulator.faults import Latency, Status

from .places import CELLS, cell_of

ROW, NUMBER, PLACE = "row", "number", "place"
"""What is bad: some of a client's rows and titles, some of its numbers, or to read its counter."""

BROKEN, FORBIDDEN, SILENT = "broken", "forbidden", "silent"
"""What comes of it: always a 5xx, always a 403, or never an answer before the server gives up."""

MARK = "what this request holds is bad"
"""The message of Google's that tells that a request has met such a fault."""

_SILENCE = 5.0
_JSON = {"Content-Type": "application/json"}

# Each tells nothing of the request that Google's own error would, or is no answer at all.
ODD = (
    Status(503, body={"error": "upstream timeout"}),
    Status(500, body={"error": None}),
    Status(502, body={"error": ["bad gateway"]}, applied=True),
    Status(429, body={"error": "slow down"}),
    Status(401, body={"error": "token"}),
    Status(503, body={"error": {"code": 503, "errors": [{"reason": ["odd"]}]}}),
    Status(200, body="<html><title>Sorry</title></html>"),
    Status(200, body='{"spreadsheetId": "cut', headers=_JSON),
    Status(200, body='{"updates": {"cut', headers=_JSON, applied=True),
    Status(200, body=b"\xff\xfe", applied=True),
)


@dataclass(frozen=True)
class Poison:
    """What is bad in a run.

    Attributes:
        what: ``row``, ``number`` or ``place``.
        how: ``broken``, ``forbidden`` or ``silent``.
        client: Whose.

    """

    what: str
    how: str
    client: str

    def faults(self):
        """Return the faults that a request meets which holds it; nothing of it is applied."""
        status = Status(403 if self.how == FORBIDDEN else 500, message=MARK)
        return (Latency(_SILENCE), status) if self.how == SILENT else (status,)

    def is_in(self, request):
        """Tell whether a request at the emulator holds it."""
        if self.what == ROW:
            return self._is_bad_row(unquote_plus(request.target) + request.content.decode())
        if self.what == PLACE:
            return request.method == "GET" and self._is_place(unquote_plus(request.target))
        return request.method in ("PUT", "POST") and any(
            self._is_place(place) and values == [[number]]
            for place, values in _written(request)
            for number in range(2, 100, 3)
        )

    def befalls(self, call):
        """Tell whether a call of a history is to meet it."""
        if self.what == ROW:
            return self._is_bad_row(json.dumps([call.book, call.value]))
        if self.what == PLACE:
            return call.what == "cell" and call.value == self.client
        return call.what == "update" and call.client == self.client and call.value % 3 == 2

    def _is_bad_row(self, text):
        return re.search(rf"\b{self.client}-\d*7\b", text) is not None

    def _is_place(self, text):
        return re.search(rf"\b{CELLS}'?!{cell_of(self.client)}\b", text) is not None


def _written(request):
    """Return the ranges that a request writes values to, with the values."""
    body = json.loads(request.content or b"{}")
    if "values" in body:
        return [(unquote_plus(request.target), body["values"])]
    data = body.get("data", [])
    return [(one["range"], one["values"]) for one in data if isinstance(one.get("values"), list)]
