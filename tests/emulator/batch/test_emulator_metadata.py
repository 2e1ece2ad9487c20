import pytest
from batch_requests import lines, refused, send
from gspread.exceptions import APIError
from gspread.urls import SPREADSHEET_URL

WHOLE = {"spreadsheet": True}


def create(book, key, location, **more):
    entry = {"metadataKey": key, "visibility": "DOCUMENT", "location": location, **more}
    reply = send(book, "createDeveloperMetadata", developerMetadata=entry)
    return reply["createDeveloperMetadata"]["developerMetadata"]


def post(book, method, **body):
    url = SPREADSHEET_URL % book.id + method
    return book.client.request("post", url, json=body).json()


def found_keys(book, **lookup):
    filters = [{"developerMetadataLookup": lookup}]
    found = post(book, "/developerMetadata:search", dataFilters=filters)
    entries = found.get("matchedDeveloperMetadata", [])
    return [entry["developerMetadata"]["metadataKey"] for entry in entries]


def test_metadata_is_told_where_it_belongs(book, sheet):
    """The spreadsheet, a sheet, a row and a column each tell of their metadata."""
    entries = [
        create(book, "book", WHOLE, metadataValue="v"),
        create(book, "sheet", {"sheetId": sheet.id}),
        create(book, "row", {"dimensionRange": lines("ROWS", 2, 3)}),
        create(book, "column", {"dimensionRange": lines("COLUMNS", 0, 1)}),
    ]
    kinds = [entry["location"]["locationType"] for entry in entries]
    assert kinds == ["SPREADSHEET", "SHEET", "ROW", "COLUMN"]
    found = book.fetch_sheet_metadata({"includeGridData": True, "ranges": "A1:A3"})
    assert found["developerMetadata"] == [entries[0]]
    assert found["sheets"][0]["developerMetadata"] == [entries[1]]
    data = found["sheets"][0]["data"][0]
    assert [line.get("developerMetadata") for line in data["rowMetadata"]] == [
        None,
        None,
        [entries[2]],
    ]
    assert data["columnMetadata"][0]["developerMetadata"] == [entries[3]]


def test_metadata_stays_with_its_row(book, sheet):
    """As in the reference: a row inserted above moves it down, and it goes with its row."""
    entry = create(book, "row", {"dimensionRange": lines("ROWS", 4, 5)})
    sheet.insert_rows([[]], 1)
    url = f"{SPREADSHEET_URL % book.id}/developerMetadata/{entry['metadataId']}"
    found = book.client.request("get", url).json()
    assert found["location"]["dimensionRange"]["startIndex"] == 5
    send(book, "moveDimension", source=lines("ROWS", 5, 6), destinationIndex=0)
    found = book.client.request("get", url).json()
    assert found["location"]["dimensionRange"]["startIndex"] == 0
    sheet.delete_rows(1)
    with pytest.raises(APIError) as failed:
        book.client.request("get", url)
    assert failed.value.code == 404


def test_metadata_goes_with_its_sheet(book):
    """A deleted sheet takes the metadata of it and of its rows along."""
    other = book.add_worksheet("other", 3, 3)
    create(book, "sheet", {"sheetId": other.id})
    create(book, "row", {"dimensionRange": {**lines("ROWS", 0, 1), "sheetId": other.id}})
    create(book, "stays", WHOLE)
    book.del_worksheet(other)
    assert found_keys(book, visibility="DOCUMENT") == ["stays"]


def test_metadata_is_looked_up(book, sheet):
    """A lookup finds what has all that it names; places match exactly or by a common cell."""
    row, column = lines("ROWS", 0, 1), lines("COLUMNS", 0, 1)
    create(book, "a", WHOLE, metadataValue="1")
    create(book, "b", {"sheetId": sheet.id}, metadataValue="1")
    create(book, "c", {"dimensionRange": row}, metadataId=42)
    create(book, "d", {"dimensionRange": lines("ROWS", 1, 2)}, visibility="PROJECT")
    assert found_keys(book, metadataKey="a") == ["a"]
    assert found_keys(book, metadataValue="1", locationType="SHEET") == ["b"]
    assert found_keys(book, metadataId=42) == ["c"]
    assert found_keys(book, visibility="PROJECT") == ["d"]
    place = {"metadataLocation": {"dimensionRange": row}}
    assert found_keys(book, **place) == ["b", "c"]
    assert found_keys(book, **place, locationMatchingStrategy="EXACT_LOCATION") == ["c"]
    assert found_keys(book, metadataLocation={"dimensionRange": column}) == ["b", "c", "d"]
    assert found_keys(book, metadataLocation={"spreadsheet": True}) == ["a"]
    assert found_keys(book, metadataKey="none") == []


def test_a_search_tells_which_filters_found_what(book, sheet):
    """Every entry comes once, with all filters that found it; a range is one as well."""
    create(book, "row", {"dimensionRange": lines("ROWS", 3, 4)})
    by_key, by_range = {"developerMetadataLookup": {"metadataKey": "row"}}, {"a1Range": "A4:B4"}
    elsewhere = {"gridRange": {"sheetId": sheet.id, "endRowIndex": 3}}
    found = post(book, "/developerMetadata:search", dataFilters=[by_key, by_range, elsewhere])
    (entry,) = found["matchedDeveloperMetadata"]
    assert entry["dataFilters"] == [by_key, by_range]


def test_metadata_is_updated_and_deleted(book):
    """All that a filter finds changes by the mask, or goes, and is told."""
    first, second = create(book, "k", WHOLE), create(book, "k", WHOLE, metadataValue="old")
    filters = [{"developerMetadataLookup": {"metadataKey": "k"}}]
    reply = send(
        book,
        "updateDeveloperMetadata",
        dataFilters=filters,
        developerMetadata={"metadataValue": "new"},
        fields="metadataValue",
    )
    changed = [{**entry, "metadataValue": "new"} for entry in (first, second)]
    assert reply == {"updateDeveloperMetadata": {"developerMetadata": changed}}
    reply = send(book, "deleteDeveloperMetadata", dataFilter=filters[0])
    assert reply == {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": changed}}
    assert "developerMetadata" not in book.fetch_sheet_metadata()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"metadataKey": None}, "metadataKey must be set"),
        ({"visibility": None}, "visibility must be DOCUMENT or PROJECT"),
        ({"location": {}}, "location must be one of"),
        ({"location": {"dimensionRange": lines("ROWS", 0, 2)}}, "must be a single row or column"),
        ({"location": {"dimensionRange": lines("ROWS", 1000, 1001)}}, "startIndex[1000]"),
        ({"location": {"sheetId": 5}}, "No sheet with id: 5"),
        ({"metadataId": 1}, "Cannot add developer metadata with ID [1]"),
    ],
)
def test_mistaken_metadata_is_refused(book, entry, said):
    """The message names what is missing, unknown or taken."""
    create(book, "k", WHOLE, metadataId=1)
    whole = {"metadataKey": "k", "visibility": "DOCUMENT", "location": WHOLE, **entry}
    assert said in refused(book, "createDeveloperMetadata", developerMetadata=whole)


@pytest.mark.parametrize("filters", [[], [{}], [{"a1Range": "A1", "gridRange": {}}]])
def test_a_search_needs_whole_filters(book, filters):
    """No filter, an empty one and one of two kinds are errors."""
    with pytest.raises(APIError) as failed:
        post(book, "/developerMetadata:search", dataFilters=filters)
    assert failed.value.code == 400


def test_values_are_read_by_data_filters(book, sheet):
    """Every range comes once, with all filters that select it."""
    sheet.update([["a", 1], ["b", 0.5]], "A1")
    create(book, "second", {"dimensionRange": lines("ROWS", 1, 2)})
    by_key, by_range = {"developerMetadataLookup": {"metadataKey": "second"}}, {"a1Range": "A2:Z2"}
    found = post(
        book,
        "/values:batchGetByDataFilter",
        dataFilters=[by_key, by_range, {"gridRange": {"endRowIndex": 1, "endColumnIndex": 2}}],
        valueRenderOption="UNFORMATTED_VALUE",
        majorDimension="COLUMNS",
    )
    row, first = found["valueRanges"]
    assert row["dataFilters"] == [by_key, by_range]
    assert row["valueRange"] == {
        "range": "Sheet1!A2:Z2",
        "majorDimension": "COLUMNS",
        "values": [["b"], [0.5]],
    }
    assert first["valueRange"]["values"] == [["a"], [1]]


def test_values_are_written_and_cleared_by_data_filters(book, sheet):
    """Values go to every range that a filter selects, and clearing empties them."""
    create(book, "here", {"dimensionRange": lines("ROWS", 1, 2)})
    create(book, "here", {"dimensionRange": lines("ROWS", 3, 4)})
    asked = {"developerMetadataLookup": {"metadataKey": "here"}}
    found = post(
        book,
        "/values:batchUpdateByDataFilter",
        valueInputOption="USER_ENTERED",
        data=[{"dataFilter": asked, "values": [["x", "=1+1"]]}],
        includeValuesInResponse=True,
    )
    assert [told["updatedRange"] for told in found["responses"]] == ["Sheet1!A2:B2", "Sheet1!A4:B4"]
    assert found["totalUpdatedCells"] == 4
    assert found["responses"][0]["dataFilter"] == asked
    assert found["responses"][0]["updatedData"]["values"] == [["x", "2"]]
    assert sheet.get_all_values() == [["", ""], ["x", "2"], ["", ""], ["x", "2"]]
    found = post(book, "/values:batchClearByDataFilter", dataFilters=[asked])
    assert found["clearedRanges"] == ["Sheet1!A2:Z2", "Sheet1!A4:Z4"]
    assert sheet.get_all_values() == [[]]


def test_values_that_do_not_fit_a_filters_range_change_nothing(book, sheet):
    """All ranges are checked before anything is written."""
    data = [
        {"dataFilter": {"a1Range": "A1"}, "values": [["x"]]},
        {"dataFilter": {"a1Range": "A1:B1"}, "values": [["x"], ["y"]]},
    ]
    with pytest.raises(APIError, match=r"Invalid data\[1\]"):
        post(book, "/values:batchUpdateByDataFilter", valueInputOption="RAW", data=data)
    assert sheet.get_all_values() == [[]]


def test_a_spreadsheet_is_got_by_data_filters(book, sheet):
    """Only the sheets of the selected ranges come, with their cells where asked for."""
    other = book.add_worksheet("other", 2, 2)
    other.update([["a", "b"]], "A1")
    filters = [{"a1Range": "other!B1:B1"}]
    found = post(book, ":getByDataFilter", dataFilters=filters, includeGridData=True)
    (only,) = found["sheets"]
    assert only["properties"]["title"] == "other"
    assert only["data"][0]["rowData"][0]["values"][0]["formattedValue"] == "b"
    lookup = {"developerMetadataLookup": {"metadataKey": "none"}}
    assert post(book, ":getByDataFilter", dataFilters=[lookup])["sheets"] == []
    assert len(post(book, ":getByDataFilter")["sheets"]) == 2
    with pytest.raises(APIError, match="Unknown name"):
        post(book, ":getByDataFilter", nonsense=1)
