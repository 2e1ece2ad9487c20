"""Exports of one sheet by the page that people's scripts use, beside plain gspread."""

from __future__ import annotations

import pytest
from gspread.exceptions import APIError


@pytest.fixture
def plain(emulator):
    return emulator.gspread_client()


@pytest.mark.parametrize("kind", ["csv", "tsv", "pdf"])
def test_one_sheet_is_exported_as_with_gspread(kind, sh, gc, plain):
    """The sheet that the parameter gid names is exported, the same bytes as with gspread."""
    sh.sheet1.update([["first", 1]])
    other = sh.add_worksheet("Other", 3, 3)
    other.update([["second", "=2*3"]], raw=False)
    params = {"format": kind, "gid": other.id}
    queued, own = (
        client.http_client.request("get", f"{sh.url}/export", params=params)
        for client in (gc, plain)
    )
    assert queued.content == own.content
    assert queued.headers["Content-Type"] == own.headers["Content-Type"]
    assert b"second" in queued.content
    assert b"first" not in queued.content


def test_a_whole_spreadsheet_is_exported_as_with_gspread(sh, gc, plain):
    """Without parameters the page exports an Excel file, and as CSV the first sheet."""
    sh.sheet1.update([["first", 1]])
    for params in (None, {"format": "csv"}, {"format": "ods"}):
        queued, own = (
            client.http_client.request("get", f"{sh.url}/export", params).content
            for client in (gc, plain)
        )
        assert queued == own
    assert gc.http_client.request("get", f"{sh.url}/export?format=csv").content == b"first,1"


@pytest.mark.parametrize("params", [{"gid": 999}, {"format": "doc"}])
def test_an_export_that_cannot_be_is_an_error_as_with_gspread(params, sh, gc, plain):
    """A sheet or a format that there is not is the same APIError both ways."""
    told = []
    for client in (gc, plain):
        with pytest.raises(APIError) as caught:
            client.http_client.request("get", f"{sh.url}/export", params)
        told.append((str(caught.value), caught.value.code))
    assert told[0] == told[1]
