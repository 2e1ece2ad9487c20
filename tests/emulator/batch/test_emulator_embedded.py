"""Charts and slicers are kept and given back."""

import pytest
from batch_requests import cells, refused, send, sheet_json
from gspread.exceptions import APIError

SOURCES = {"sourceRange": {"sources": [cells((0, 5), (0, 2))]}}
PIE = {"title": "Pie", "pieChart": {"series": SOURCES}, "backgroundColor": {"red": 1}}
NAMES = {"dataRange": cells((0, 5), (0, 2)), "title": "Names", "columnIndex": 1}


def at(row, column, **more):
    """Return a position on the first sheet."""
    return {"overlayPosition": {"anchorCell": {"rowIndex": row, "columnIndex": column}, **more}}


@pytest.fixture
def chart(book):
    """Add a chart at B3."""
    asked = {"spec": PIE, "position": at(2, 1, widthPixels=300)}
    return send(book, "addChart", chart=asked)["addChart"]["chart"]


@pytest.fixture
def slicer(book):
    """Add a slicer at A1."""
    return send(book, "addSlicer", slicer={"spec": NAMES})["addSlicer"]["slicer"]


def test_objects_are_given_back(book, chart, slicer):
    """A chart and a slicer come back with ids, places of the default size, and both colours."""
    assert chart["spec"] == {**PIE, "backgroundColorStyle": {"rgbColor": {"red": 1}}}
    place = chart["position"]["overlayPosition"]
    assert place == at(2, 1, widthPixels=300, heightPixels=371)["overlayPosition"]
    assert slicer["position"]["overlayPosition"]["widthPixels"] == 600
    found = sheet_json(book)
    assert (found["charts"], found["slicers"]) == ([chart], [slicer])


def test_what_objects_show_is_changed(book, chart, slicer):
    """A chart gets another specification, a slicer the parts that the mask names."""
    other = {"title": "Bars", "basicChart": {"chartType": "BAR"}}
    send(book, "updateChartSpec", chartId=chart["chartId"], spec=other)
    changed = {"title": "Others", "columnIndex": 0}
    send(book, "updateSlicerSpec", slicerId=slicer["slicerId"], spec=changed, fields="title")
    border = {"color": {"blue": 1}}
    send(
        book, "updateEmbeddedObjectBorder", objectId=chart["chartId"], border=border, fields="color"
    )
    found = sheet_json(book)
    assert found["charts"][0]["spec"] == other
    assert found["charts"][0]["border"]["colorStyle"] == {"rgbColor": {"blue": 1}}
    assert found["slicers"][0]["spec"] == {**NAMES, "title": "Others"}


def test_objects_are_moved_and_deleted(book, chart, slicer):
    """An object is moved and resized, to another sheet too, and goes when it is deleted."""
    move = {"objectId": chart["chartId"], "fields": "widthPixels"}
    moved = send(book, "updateEmbeddedObjectPosition", **move, newPosition=at(9, 9, widthPixels=50))
    place = moved["updateEmbeddedObjectPosition"]["position"]
    assert place == at(2, 1, widthPixels=50, heightPixels=371)
    other = book.add_worksheet("other", 20, 20)
    there = {"overlayPosition": {"anchorCell": {"sheetId": other.id, "rowIndex": 4}}}
    move["fields"] = "anchorCell"
    send(book, "updateEmbeddedObjectPosition", **move, newPosition=there)
    assert "charts" not in sheet_json(book)
    (found,) = sheet_json(book, 1)["charts"]
    anchor = {"sheetId": other.id, "rowIndex": 4, "columnIndex": 0}
    assert found["position"]["overlayPosition"]["anchorCell"] == anchor
    send(book, "deleteEmbeddedObject", objectId=slicer["slicerId"])
    assert "slicers" not in sheet_json(book)
    assert "with id" in refused(book, "deleteEmbeddedObject", objectId=slicer["slicerId"])


def test_copies_have_objects_of_their_own(book, chart):
    """A copy of a sheet has the charts of the original, anchored in it, with other ids."""
    copied = send(book, "duplicateSheet", sourceSheetId=0)["duplicateSheet"]["properties"]
    (found,) = sheet_json(book)["charts"]
    assert found["chartId"] != chart["chartId"]
    assert found["position"]["overlayPosition"]["anchorCell"]["sheetId"] == copied["sheetId"]


def test_what_cannot_be_put_on_a_sheet(book, chart):
    """An object needs something to show and a new id; one with a sheet of its own is a 501."""
    assert "spec" in refused(book, "addChart", chart={})
    again = {"spec": NAMES, "slicerId": chart["chartId"]}
    assert "already exists" in refused(book, "addSlicer", slicer=again)
    with pytest.raises(APIError) as failed:
        send(book, "addChart", chart={"spec": PIE, "position": {"newSheet": True}})
    assert failed.value.code == 501
