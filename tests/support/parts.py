"""Requests to one spreadsheet, as gspread makes them, as parts of a merged one."""

from __future__ import annotations

from urllib.parse import quote

from gate import SHEETS, response

from queued_gspread.server import merging
from queued_gspread.server.policy.request import Request

BOOK = f"{SHEETS}/lane"
RAW = {"valueInputOption": "RAW"}


def get(text, **params):
    return Request("get", values(text), params=params or None)


def batch_get(*ranges, **params):
    return Request("get", f"{BOOK}/values:batchGet", params={**params, "ranges": list(ranges)})


def metadata(**params):
    return Request("get", BOOK, params=params or {"includeGridData": "false"})


def update(text, lines=(("x",),), params=RAW, **body):
    given = {"values": [list(line) for line in lines], **body}
    return Request("put", values(text), params=params, json=given)


def batch_update(*data, **options):
    body = {"valueInputOption": "RAW", **options, "data": list(data)}
    return Request("post", f"{BOOK}/values:batchUpdate", json=body)


def item(text, lines=(("x",),), **more):
    return {"range": text, "values": [list(line) for line in lines], **more}


def clear(text):
    return Request("post", f"{values(text)}:clear")


def batch_clear(*ranges):
    return Request("post", f"{BOOK}/values:batchClear", json={"ranges": list(ranges)})


def append(*rows, text="'Rows'", **options):
    params = {**RAW, **options}
    given = {"values": [list(row) for row in rows]}
    return Request("post", f"{values(text)}:append", params=params, json=given)


def batch(*requests, **more):
    return Request("post", f"{BOOK}:batchUpdate", json={"requests": list(requests), **more})


def values(text):
    """Return the URL of a range, quoted as by gspread."""
    return f"{BOOK}/values/{quote(text)}"


def parts_of(*requests):
    """Return the parts of requests, each of which must be mergeable."""
    found = [merging.part(request) for request in requests]
    assert None not in found
    return found


def joined(*requests, table=None):
    """Return how many of the requests, from the first on, are merged into one."""
    first, *others = requests
    group, count = merging.Group(*parts_of(first), table), 1
    for request in others:
        part = merging.part(request)
        if part is None or not group.add(part):
            break
        count += 1
    return count


def split_bodies(requests, body):
    """Return the bodies of the callers' own answers, split from the common one."""
    answers = merging.split(parts_of(*requests), response(body))
    return None if answers is None else [answer.json() for answer in answers]
