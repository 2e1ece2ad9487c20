"""Calls that tests make, and jobs that no client would send."""

from __future__ import annotations

import json

from gate import cell_of

from queued_gspread.protocol.messages import Job, Reply, new_id

WORKSHEET = {
    "spreadsheet": {"id": "lane", "title": "Book"},
    "properties": {
        "sheetId": 0,
        "title": "Sheet",
        "index": 0,
        "gridProperties": {"rowCount": 10, "columnCount": 5},
    },
}


def read(client, lane="lane"):
    """Read a cell of a spreadsheet; return what Google answered."""
    return client.http_client.request("get", cell_of(lane)).json()


def write(client, lane="lane", value="x"):
    """Write a cell of a spreadsheet; return what Google answered."""
    return client.http_client.request("put", cell_of(lane), json={"values": [[value]]}).json()


def append(client, lane="lane", value="x"):
    """Append a row to a spreadsheet; return what Google answered."""
    where = (lane, "A1", {"valueInputOption": "RAW"}, {"values": [[value]]})
    return client.http_client.values_append(*where)


def insert_rows():
    """Return a job of two requests that both write."""
    return Job("worksheet", "insert_rows", WORKSHEET, ([["a"], ["b"]],)).encode()


def message(**changes):
    """Return a job that reads a cell, with some fields of its message changed."""
    job = Job("http_client", "request", args=("get", cell_of("lane")))
    return json.dumps({**json.loads(job.encode()), **changes}).encode()


def send(callers, body, lane="lane"):
    """Enqueue a job and return its reply."""
    return Reply.decode(callers.call(new_id(), lane, body), None)
