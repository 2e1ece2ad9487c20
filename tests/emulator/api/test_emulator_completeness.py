import gspread_source
import pytest

from queued_gspread.emulator.api.routes import ROUTES
from queued_gspread.emulator.batch import HANDLERS

KINDS = sorted(gspread_source.request_kinds())
CALLS = sorted(gspread_source.api_calls())


def test_the_source_was_understood():
    """The kinds and paths that gspread has sent for years are among those found."""
    assert {"addSheet", "deleteDimension", "mergeCells", "repeatCell", "updateCells"} <= set(KINDS)
    known = {("POST", "/v4/spreadsheets/7:batchUpdate"), ("POST", "/drive/v3/files/7/copy")}
    assert known <= set(CALLS)
    assert len(KINDS) >= 23
    assert len(CALLS) >= 22


@pytest.mark.parametrize("kind", KINDS)
def test_gspreads_kinds_are_known(kind):
    """Every kind of batchUpdate request that the installed gspread can send has a handler."""
    assert kind in HANDLERS


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_gspreads_urls_are_known(method, path):
    """Every method and path that the installed gspread can send leads to one of the API's."""
    found = [pattern for known, pattern, _ in ROUTES if known == method]
    assert any(pattern.fullmatch(path) for pattern in found)
