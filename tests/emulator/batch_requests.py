import pytest
from gspread.exceptions import APIError


def send(book, kind, **request):
    """Send one request of `batchUpdate` and return its reply."""
    return book.batch_update({"requests": [{kind: request}]})["replies"][0]


def refused(book, kind, **request):
    """Send one request that has to be refused and return what is said of it."""
    with pytest.raises(APIError) as failed:
        send(book, kind, **request)
    assert failed.value.code == 400
    message = failed.value.error["message"]
    assert message.startswith(f"Invalid requests[0].{kind}: ")
    return message.split(": ", 1)[1]


def misread(book, kind, **request):
    """Send one request with a field of another type and return what is said of it."""
    with pytest.raises(APIError, match=r"Invalid value at 'requests\[0\]\.") as failed:
        send(book, kind, **request)
    return failed.value.error["message"].partition(".")[2]


def cells(rows, columns, sheet_id=0):
    """Return a GridRange."""
    sides = ("startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex")
    return {"sheetId": sheet_id, **dict(zip(sides, (*rows, *columns), strict=True))}


def lines(dimension, start, end):
    """Return a DimensionRange of sheet 0."""
    return {"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end}


def sheet_json(book, index=0):
    """Return the Sheet resource."""
    return book.fetch_sheet_metadata()["sheets"][index]
