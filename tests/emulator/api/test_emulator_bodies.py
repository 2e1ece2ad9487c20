import pytest
import requests
from gspread.exceptions import APIError

from queued_gspread.emulator.wire.errors import ApiError
from queued_gspread.emulator.wire.payload import parsed_payload
from queued_gspread.emulator.wire.proto_text import proto_text

RAW = {"valueInputOption": "RAW"}


def refusal(call, *args, **kwargs):
    """Return the error body that a call is answered with."""
    with pytest.raises(APIError) as caught:
        call(*args, **kwargs)
    return caught.value.response.json()["error"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            b'{"values": [["ae", 43344, "None", NaN], ["180901_millbrae"]]}',
            'ae", 43344, "None", NaN], ["180901_millb\n                    ^',
        ),
        (b'{"v": [["NaN", -Infinity]]}', '{"v": [["NaN", -Infinity]]}\n               ^'),
        (b'{"a": }', '{"a": }\n      ^'),
        (b'{"a": 1} x', '{"a": 1} x\n         ^'),
    ],
)
def test_what_is_no_json(content, complaint):
    """Google's complaint about a body that is no JSON shows what is around the place."""
    with pytest.raises(ApiError) as caught:
        parsed_payload(content)
    message = str(caught.value)
    assert message == f"Invalid JSON payload received. Unexpected token.\n{complaint}"


def test_nan_over_http(emulator, client, book):
    """A NaN, which Python writes and JSON does not know, gets 400."""
    headers = {"Authorization": f"Bearer {client.http_client.auth.token}"}
    url = f"{emulator.url}/v4/spreadsheets/{book.id}/values/A1?valueInputOption=RAW"
    answer = requests.put(url, headers=headers, data='{"values": [[NaN]]}', timeout=10)
    message = answer.json()["error"]["message"]
    assert answer.status_code == 400
    assert message.endswith('{"values": [[NaN]]}\n             ^')


def test_lists_and_objects_as_values(book):
    """A value that is no scalar is quoted in protocol buffers' text format."""
    nested = [["x"], {"key": 1.5}, None, True]
    error = refusal(book.values_update, "A1", RAW, {"values": [[nested]]})
    assert error["message"] == "Invalid values[0][0]: " + proto_text(nested)
    assert proto_text(["x"]) == 'list_value {\n  values {\n    string_value: "x"\n  }\n}\n'
    assert proto_text({"k": 1}) == (
        'struct_value {\n  fields {\n    key: "k"\n    value {\n      number_value: 1.0\n    }\n'
        "  }\n}\n"
    )


def test_all_rows_that_are_no_lists_are_named(book):
    """One answer names every row that is no list."""
    error = refusal(book.values_update, "A1", RAW, {"values": ["a", ["b"], 3]})
    kind = "type.googleapis.com/google.protobuf.ListValue"
    wanted = [
        f"Invalid value at 'data.values[0]' ({kind}), \"a\"",
        f"Invalid value at 'data.values[2]' ({kind}), 3",
    ]
    assert error["message"] == "\n".join(wanted)
    violations = error["details"][0]["fieldViolations"]
    assert [violation["field"] for violation in violations] == ["data.values[0]", "data.values[2]"]


@pytest.mark.parametrize("method", ["values_update", "values_append"])
def test_range_of_the_body(book, method):
    """A body that names a range has to name the URL's, by the same letters."""
    body = {"range": "Sheet1!A1", "values": [[1]]}
    getattr(book, method)("Sheet1!A1", RAW, body)
    error = refusal(getattr(book, method), "A1", RAW, body)
    assert error["message"] == "Request range[A1] does not match value's range[Sheet1!A1]"


def test_longest_text(book):
    """A cell holds 50,000 characters, and one more gets 400 and writes nothing."""
    book.values_update("A1", RAW, {"values": [["x" * 50_000]]})
    error = refusal(book.values_update, "A1", RAW, {"values": [["new", "x" * 50_001]]})
    assert error["message"] == (
        "Your input contains more than the maximum of 50000 characters in a single cell."
    )
    assert len(book.values_get("A1")["values"][0][0]) == 50_000


def test_large_numbers(book):
    """A number is a float, so a large one loses digits, and one beyond all floats gets 400."""
    unformatted = {"valueRenderOption": "UNFORMATTED_VALUE"}
    book.values_update("A1", RAW, {"values": [[2**53, 1234567890123456789]]})
    exact, rounded = book.values_get("A1:B1", unformatted)["values"][0]
    assert (exact, rounded) == (2**53, float(1234567890123456789))
    assert isinstance(rounded, float)
    error = refusal(book.values_update, "A1", RAW, {"values": [[10**400]]})
    assert error["message"] == "Invalid values[0][0]: number_value: inf\n"


def test_most_cells(book):
    """An append that would make the spreadsheet larger than ten million cells gets 400."""
    sheet = book.add_worksheet("large", 383_000, 26)
    sheet.update([["last"]], "A383000")
    error = refusal(sheet.append_rows, [[1]] * 1000)
    assert error["message"] == (
        "This action would increase the number of cells in the workbook above the limit of "
        "10000000 cells."
    )
    assert sheet.row_count == 383_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"data": "x"}, "Invalid value at 'data' ({v4}.ValueRange), \"x\""),
        ({"data": [5]}, "Invalid value at 'data[0]' ({v4}.ValueRange), 5"),
        ({"data": [{"range": 5}]}, "Invalid value at 'data[0].range' (TYPE_STRING), 5"),
        (
            {"data": [{"range": "A1", "majorDimension": ["ROWS"]}]},
            (
                "Invalid JSON payload received. Unknown name \"majorDimension\" at 'data[0]': "
                "Proto field is not repeating, cannot start list."
            ),
        ),
    ],
)
def test_types_in_a_batch(book, body, message):
    """What is of the wrong type in a batch is named with its place and the type it should have."""
    error = refusal(book.values_batch_update, {**RAW, **body})
    v4 = "type.googleapis.com/google.apps.sheets.v4"
    assert error["message"] == message.format(v4=v4)


def test_ranges_to_clear_may_be_one_text(book):
    """A batch that clears takes one text for a list of one, and nothing but texts."""
    assert book.values_batch_clear(body={"ranges": "A1"})["clearedRanges"] == ["Sheet1!A1"]
    error = refusal(book.values_batch_clear, body={"ranges": ["A1", 5]})
    assert error["message"] == "Invalid value at 'ranges[1]' (TYPE_STRING), 5"


def test_render_options_of_a_response(book):
    """An unknown render option of a response gets 400 before anything is written."""
    params = {**RAW, "responseValueRenderOption": "PRETTY"}
    error = refusal(book.values_update, "A1", params, {"values": [[1]]})
    assert error["message"].startswith("Invalid value at 'response_value_render_option'")
    assert "values" not in book.values_get("A1")


@pytest.mark.parametrize(
    ("mask", "path"),
    [
        ("sheets(properties(sheetId,titel))", "sheets.properties.titel"),
        ("sheets.data.rowData.values.effectiveFormat.type", None),
        ("properties, sheets.properties", " sheets.properties"),
        ("sheet", "sheet"),
    ],
)
def test_masks_that_name_nothing(book, mask, path):
    """A mask with a field that does not exist, or with a space, gets 400 that names the path."""
    error = refusal(book.fetch_sheet_metadata, {"fields": mask})
    assert error["message"] == "Request contains an invalid argument."
    assert error["details"][0]["fieldViolations"] == [
        {
            "field": mask,
            "description": "Error expanding 'fields' parameter. Cannot find matching fields for "
            f"path '{path or mask}'.",
        }
    ]


def test_masks_of_values(book):
    """A mask leaves of a values answer what it names."""
    book.values_update("A1", RAW, {"values": [[1]]})
    assert book.values_get("A1", {"fields": "values"}) == {"values": [["1"]]}
    assert book.values_get("A1", {"fields": "*"})["range"] == "Sheet1!A1"
    answer = book.values_append("A1", {**RAW, "fields": "updates(updatedRange)"}, {"values": [[2]]})
    assert answer == {"updates": {"updatedRange": "Sheet1!A2"}}
    error = refusal(book.values_get, "A1", {"fields": "value"})
    assert error["message"] == "Request contains an invalid argument."


def test_too_large(emulator, client, book):
    """A body of more than ten mebibytes gets 400."""
    headers = {"Authorization": f"Bearer {client.http_client.auth.token}"}
    url = f"{emulator.url}/v4/spreadsheets/{book.id}/values/A1?valueInputOption=RAW"
    answer = requests.put(url, headers=headers, data=b" " * 10_485_761, timeout=30)
    message = answer.json()["error"]["message"]
    assert (answer.status_code, message) == (
        400,
        "Request payload size exceeds the limit: 10485760 bytes.",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/values/A1"), ("GET", "/nothing"), ("POST", "/values/A1"), ("DELETE", "")],
)
def test_unknown_methods(emulator, client, book, method, path):
    """A path or a method that the API does not have gets 404 with a page of HTML."""
    headers = {"Authorization": f"Bearer {client.http_client.auth.token}"}
    url = f"{emulator.url}/v4/spreadsheets/{book.id}{path}"
    answer = requests.request(method, url, headers=headers, timeout=10)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("verb", ["", ":batchUpdate"])
def test_a_slash_after_an_id_is_overlooked(emulator, client, book, verb):
    """A path with a slash after the spreadsheet's or the file's id means the one without."""
    method, body = ("POST", {"requests": [{"addSheet": {}}]}) if verb else ("GET", None)
    url = f"{emulator.url}/v4/spreadsheets/{book.id}/{verb}"
    found = client.http_client.request(method, url, json=body)
    assert found.json()["spreadsheetId"] == book.id
    found = client.http_client.request("GET", f"{emulator.url}/drive/v3/files/{book.id}/")
    assert found.json()["id"] == book.id


def test_slashes_and_pluses_in_a_path(emulator, client, book):
    """In a range in a path a slash is none if it is not escaped, and a plus is a space."""
    book.add_worksheet("a/b c", 5, 5)
    url = f"{emulator.url}/v4/spreadsheets/{book.id}/values/"
    for method in ("GET", "PUT"):
        params = RAW if method == "PUT" else None
        with pytest.raises(APIError) as caught:
            client.http_client.request(method, f"{url}'a/b c'!A1", params=params, json={})
        assert caught.value.response.status_code == 404
        assert caught.value.response.headers["Content-Type"].startswith("text/html")
        found = client.http_client.request(method, f"{url}'a%2Fb+c'!A1", params=params, json={})
        assert "'a/b c'!A1" in found.json().values()


@pytest.mark.parametrize(
    "title", ["it's", "a!b", "R1C1", "D3", "Ünï", "a b", "2024", "x:y", "a/b", "100%"]
)
def test_titles(book, title):
    """Sheets of any title are written, read, appended to and referred to by formulas."""
    sheet = book.add_worksheet(title, 5, 5)
    sheet.update([[title]], "B2", raw=True)
    assert sheet.get("B2") == [[title]]
    assert sheet.append_row([1])["updates"]["updatedRange"].endswith("!B3")
    quoted = "'" + title.replace("'", "''") + "'"
    book.sheet1.update([[f"={quoted}!B2"]], "A1", raw=False)
    assert book.sheet1.acell("A1").value == title


@pytest.mark.parametrize(
    ("title", "quoted"),
    [("food.csv", False), ("_a.b", False), ("a-1.csv", True), ("7.csv", True), ("D3", True)],
)
def test_titles_that_need_no_quotation_marks(book, title, quoted):
    """An answered range quotes a title unless it is a word, dots in it or not."""
    sheet = book.add_worksheet("before", 5, 5)
    book.sheet1.update([["=before!A1"]], "A1", raw=False)
    sheet.update([["x"]], "A1")
    sheet.update_title(title)
    shown = f"'{title}'" if quoted else title
    assert book.values_get(f"'{title}'!A1")["range"] == f"{shown}!A1"
    assert book.sheet1.acell("A1", "FORMULA").value == f"={shown}!A1"
    assert book.sheet1.acell("A1").value == "x"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sheet1!a1:b2", "Sheet1!A1:B2"),
        ("R2C1:R1C3", "Sheet1!A1:C2"),
        ("C:B", "Sheet1!B1:C1000"),
        ("3:2", "Sheet1!A2:Z3"),
        ("B5:C", "Sheet1!B5:C1000"),
        ("'Sheet1'", "Sheet1!A1:Z1000"),
        ("Sheet1!$A$1", "Sheet1!A1"),
    ],
)
def test_notations(book, asked, found):
    """A range is understood in every notation and answered in one."""
    assert book.values_get(asked)["range"] == found


def test_names_of_ranges(book):
    """A named range is read, written and referred to by its name, whatever the case."""
    book.sheet1.define_named_range("B2:C3", "spot")
    book.values_update("SPOT", RAW, {"values": [[1, 2], [3, 4]]})
    assert book.values_get("spot")["range"] == "Sheet1!B2:C3"
    book.sheet1.update([["=SUM(Spot)"]], "A1", raw=False)
    assert book.sheet1.acell("A1").value == "10"


def test_values_of_whole_columns_and_rows(book):
    """Values written to whole columns or rows have to fit into them."""
    written = book.values_update("B:B", RAW, {"values": [[1], [2]]})
    assert written["updatedRange"] == "Sheet1!B1:B2"
    error = refusal(book.values_update, "A:A", RAW, {"values": [[1, 2]]})
    assert error["message"] == (
        "Requested writing within range [Sheet1!A1:A1000], but tried writing to column [B]"
    )
    error = refusal(book.values_update, "A1000", RAW, {"values": [[1], [2]]})
    assert error["message"] == (
        "Range (Sheet1!A1000:A1001) exceeds grid limits. Max rows: 1000, max columns: 26"
    )


@pytest.mark.parametrize("values", [[], [[]], None])
def test_nothing_to_write(book, values):
    """An update or an append without values counts nothing and names the place."""
    assert book.values_update("B2", RAW, {"values": values}) == {
        "spreadsheetId": book.id,
        "updatedRange": "Sheet1!B2",
    }
    assert book.values_append("B2", RAW, {"values": values})["updates"] == {
        "spreadsheetId": book.id,
        "updatedRange": "Sheet1!B2",
    }
