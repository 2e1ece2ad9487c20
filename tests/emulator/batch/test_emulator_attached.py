import pytest
from batch_requests import cells, refused, send, sheet_json
from gspread.exceptions import APIError

RED, BLUE = {"red": 1}, {"blue": 1}
WHERE = cells((0, 5), (0, 2))
STORED = {name: side for name, side in WHERE.items() if name != "sheetId"}


def rule(value, **where):
    condition = {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": value}]}
    boolean = {"condition": condition, "format": {"backgroundColor": RED}}
    return {"ranges": [where or WHERE], "booleanRule": boolean}


def thresholds(book):
    rules = sheet_json(book).get("conditionalFormats", [])
    return [r["booleanRule"]["condition"]["values"][0]["userEnteredValue"] for r in rules]


def test_a_named_range_is_updated(book, sheet):
    """Name and range change as the mask says, and the range keeps its id."""
    sheet.update([[1], [2]], "A1")
    reply = sheet.define_named_range("A1:A1", "Old")["replies"][0]
    found = reply["addNamedRange"]["namedRange"]
    new = {"namedRangeId": found["namedRangeId"], "name": "New", "range": cells((1, 2), (0, 1))}
    assert send(book, "updateNamedRange", namedRange=new, fields="name") == {}
    assert book.values_get("New")["values"] == [["1"]]
    send(book, "updateNamedRange", namedRange=new, fields="range")
    assert book.values_get("New")["values"] == [["2"]]
    assert [named["namedRangeId"] for named in book.list_named_ranges()] == [found["namedRangeId"]]


def test_mistaken_updates_of_named_ranges_are_refused(book, sheet):
    """An unknown id, a name that is taken and one that is none are errors."""
    reply = sheet.define_named_range("A1:A1", "One")["replies"][0]
    sheet.define_named_range("A1:A1", "Two")
    one = {"namedRangeId": reply["addNamedRange"]["namedRange"]["namedRangeId"]}
    taken, wrong, unknown = {**one, "name": "two"}, {**one, "name": "1"}, {"namedRangeId": "x"}
    said = refused(book, "updateNamedRange", namedRange=taken, fields="name")
    assert said == "A named range with name two already exists"
    said = refused(book, "updateNamedRange", namedRange=wrong, fields="name")
    assert said == "Invalid name: 1"
    said = refused(book, "updateNamedRange", namedRange=unknown, fields="name")
    assert said == "Cannot find named range with id: x"


@pytest.mark.parametrize(
    "name", ["A1", "zz9", "R1C1", "TRUE", "false", "first.quarter", "1st", "a b", "", "n" * 251]
)
def test_names_that_no_range_can_have(sheet, name):
    """What Google's help forbids as a range's name is refused: references, truth values, marks."""
    with pytest.raises(APIError, match="Invalid name"):
        sheet.define_named_range("B2", name)


@pytest.mark.parametrize("name", ["falsehood", "A1B", "_1", "ABCD12", "Ärger", "n" * 250])
def test_names_that_a_range_can_have(book, sheet, name):
    """What only begins like a reference or a truth value is a name."""
    sheet.define_named_range("B2", name)
    assert [named["name"] for named in book.list_named_ranges()] == [name]


def test_a_sheet_has_as_many_columns_as_have_names(book, sheet):
    """The last column is ZZZ: no sheet is added or made wider than that."""
    assert book.add_worksheet("wide", 1, 18_278).col_count == 18_278
    for widen in (lambda: book.add_worksheet("wider", 1, 18_279), lambda: sheet.resize(1, 18_279)):
        with pytest.raises(APIError, match="limit of 18278 columns"):
            widen()


def test_a_protected_range_is_updated(emulator, book, sheet):
    """The mask decides what changes; one that only warns has no editors."""
    reply = sheet.add_protected_range("A1:A2", description="old")["replies"][0]
    wanted = reply["addProtectedRange"]["protectedRange"]["protectedRangeId"]
    new = {"protectedRangeId": wanted, "description": "new", "warningOnly": True}
    assert send(book, "updateProtectedRange", protectedRange=new, fields="description") == {}
    (found,) = book.list_protected_ranges(sheet.id)
    email = emulator.service_account_info()["client_email"]
    assert (found["description"], found["editors"]["users"]) == ("new", [email])
    send(book, "updateProtectedRange", protectedRange=new, fields="warningOnly")
    (found,) = book.list_protected_ranges(sheet.id)
    assert found["warningOnly"]
    assert "editors" not in found
    back = {"protectedRangeId": wanted, "warningOnly": False}
    send(book, "updateProtectedRange", protectedRange=back, fields="warningOnly")
    (found,) = book.list_protected_ranges(sheet.id)
    assert found["editors"]["users"] == [email]
    assert "warningOnly" not in found
    unknown = {"protectedRangeId": 1}
    said = refused(book, "updateProtectedRange", protectedRange=unknown, fields="description")
    assert said == "No protected range with id: 1"


def test_conditional_formats_are_kept_in_order(book, sheet):
    """Rules are inserted, replaced, moved and deleted by their index."""
    assert send(book, "addConditionalFormatRule", rule=rule("1"), index=0) == {}
    send(book, "addConditionalFormatRule", rule=rule("2"))
    send(book, "addConditionalFormatRule", rule=rule("3"), index=2)
    assert thresholds(book) == ["2", "1", "3"]
    reply = send(book, "updateConditionalFormatRule", rule=rule("4"), index=1)
    told = reply["updateConditionalFormatRule"]
    assert set(told) == {"newRule", "oldRule", "newIndex"}
    assert told["oldRule"]["booleanRule"]["condition"]["values"] == [{"userEnteredValue": "1"}]
    reply = send(book, "updateConditionalFormatRule", sheetId=sheet.id, index=2, newIndex=0)
    told = reply["updateConditionalFormatRule"]
    assert (set(told), told["oldIndex"]) == ({"newRule", "oldIndex"}, 2)
    assert thresholds(book) == ["3", "2", "4"]
    reply = send(book, "deleteConditionalFormatRule", sheetId=sheet.id, index=1)
    assert reply["deleteConditionalFormatRule"]["rule"]["ranges"] == [STORED]
    assert thresholds(book) == ["3", "4"]


def test_conditional_formats_tell_their_colors_twice(book):
    """As everywhere, a colour comes back as a ColorStyle as well."""
    send(book, "addConditionalFormatRule", rule=rule("1"))
    look = sheet_json(book)["conditionalFormats"][0]["booleanRule"]["format"]
    assert look["backgroundColorStyle"] == {"rgbColor": RED}


@pytest.mark.parametrize(
    ("kind", "asked", "said"),
    [
        ("deleteConditionalFormatRule", {}, "No conditional format on sheet: 0 at index: 0"),
        ("addConditionalFormatRule", {"rule": rule("1"), "index": 1}, "index[1]"),
        ("addConditionalFormatRule", {"rule": {**rule("1"), "ranges": []}}, "must have ranges"),
        ("addConditionalFormatRule", {"rule": {"ranges": [WHERE]}}, "exactly one of booleanRule"),
        ("updateConditionalFormatRule", {"index": 0}, "Exactly one of rule, newIndex"),
        ("updateConditionalFormatRule", {"index": 0, "newIndex": 1}, "at index: 0"),
    ],
)
def test_mistaken_rules_are_refused(book, kind, asked, said):
    """The message names the place or what is missing."""
    assert said in refused(book, kind, **asked)


def test_bandings_are_kept(book):
    """A banding gets an id, changes by its mask and goes."""
    colors = {"firstBandColor": RED, "secondBandColor": BLUE}
    reply = send(book, "addBanding", bandedRange={"range": WHERE, "rowProperties": colors})
    band = reply["addBanding"]["bandedRange"]
    assert band["rowProperties"]["firstBandColorStyle"] == {"rgbColor": RED}
    assert sheet_json(book)["bandedRanges"] == [band]
    overlapping = {"range": cells((4, 6), (1, 3)), "rowProperties": colors}
    said = refused(book, "addBanding", bandedRange=overlapping)
    assert "already has alternating background colors" in said
    change = {"bandedRangeId": band["bandedRangeId"], "range": cells((2, 6), (0, 2))}
    assert send(book, "updateBanding", bandedRange=change, fields="range") == {}
    (found,) = sheet_json(book)["bandedRanges"]
    assert (found["range"]["startRowIndex"], found["rowProperties"]) == (2, band["rowProperties"])
    assert send(book, "deleteBanding", bandedRangeId=band["bandedRangeId"]) == {}
    assert "bandedRanges" not in sheet_json(book)


def test_mistaken_bandings_are_refused(book):
    """An unknown id, one that is taken and a banding without colours are errors."""
    colors = {"rowProperties": {"firstBandColor": RED}}
    send(book, "addBanding", bandedRange={"range": WHERE, "bandedRangeId": 7, **colors})
    again = {"range": cells((9, 10), (0, 1)), "bandedRangeId": 7, **colors}
    assert "id 7 already exists" in refused(book, "addBanding", bandedRange=again)
    bare = {"range": cells((9, 10), (0, 1))}
    assert "At least one of rowProperties" in refused(book, "addBanding", bandedRange=bare)
    assert refused(book, "deleteBanding", bandedRangeId=8) == "No banded range with id: 8"


def test_filter_views_are_kept(book):
    """A view gets an id and a title, tells its criteria in both ways, is copied and goes."""
    hidden = {"hiddenValues": ["x"]}
    reply = send(book, "addFilterView", filter={"range": WHERE, "criteria": {"1": hidden}})
    view = reply["addFilterView"]["filter"]
    assert view["title"] == "Filter 1"
    assert view["filterSpecs"] == [{"columnIndex": 1, "filterCriteria": hidden}]
    change = {"filterViewId": view["filterViewId"], "title": "Mine"}
    specs = [{"columnIndex": 0, "filterCriteria": hidden}]
    assert send(book, "updateFilterView", filter=change, fields="title") == {}
    send(book, "updateFilterView", filter={**change, "filterSpecs": specs}, fields="filterSpecs")
    reply = send(book, "duplicateFilterView", filterId=view["filterViewId"])
    copied = reply["duplicateFilterView"]["filter"]
    found = sheet_json(book)["filterViews"]
    assert [v["title"] for v in found] == ["Mine", "Copy of Mine"]
    assert found[0]["criteria"] == {"0": hidden}
    assert found[1] == copied
    for one in found:
        assert send(book, "deleteFilterView", filterId=one["filterViewId"]) == {}
    assert "filterViews" not in sheet_json(book)
    said = refused(book, "deleteFilterView", filterId=copied["filterViewId"])
    assert said == f"No filter view with id: {copied['filterViewId']}"


def test_a_filter_view_covers_its_named_range(book, sheet):
    """A view that is backed by a named range has its range."""
    named = sheet.define_named_range("A1:B5", "Data")["replies"][0]["addNamedRange"]["namedRange"]
    reply = send(book, "addFilterView", filter={"namedRangeId": named["namedRangeId"]})
    assert reply["addFilterView"]["filter"]["range"] == STORED
    assert "id: x" in refused(book, "addFilterView", filter={"namedRangeId": "x"})


def test_what_is_attached_moves_with_its_cells(book, sheet):
    """Inserted rows push down what belongs to ranges; a rule whose cells are gone goes."""
    band = {"range": WHERE, "rowProperties": {"firstBandColor": RED}}
    send(book, "addBanding", bandedRange=band)
    send(book, "addFilterView", filter={"range": WHERE})
    send(book, "addConditionalFormatRule", rule=rule("1"))
    send(book, "addConditionalFormatRule", rule=rule("2", **cells((0, 1), (0, 1))), index=1)
    sheet.insert_rows([[]], 1)
    found = sheet_json(book)
    starts = [found[name][0]["range"]["startRowIndex"] for name in ("bandedRanges", "filterViews")]
    assert starts == [1, 1]
    assert found["conditionalFormats"][0]["ranges"][0]["endRowIndex"] == 6
    sheet.delete_rows(2)
    assert thresholds(book) == ["1"]


def test_criteria_go_with_their_columns(book, sheet):
    """What a filter says of a column stays with it as columns come, go and move."""
    hidden = {"hiddenValues": ["a"]}
    asked = {"criteria": {"1": hidden}, "sortSpecs": [{"dimensionIndex": 1}, {"dimensionIndex": 0}]}
    view = {**asked, "range": WHERE}
    send(book, "addFilterView", filter=view)
    send(book, "setBasicFilter", filter=view)
    sheet.insert_cols([[]], 1)
    first = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}
    send(book, "deleteDimension", range=first)
    found = sheet_json(book)
    for kept in (found["filterViews"][0], found["basicFilter"]):
        assert kept["criteria"] == {"1": hidden}
        assert kept["filterSpecs"] == [{"columnIndex": 1, "filterCriteria": hidden}]
        assert kept["sortSpecs"] == [{"dimensionIndex": 1}]
    said = refused(book, "setBasicFilter", filter={"range": WHERE, "criteria": {"A": hidden}})
    assert said == "criteria must be by columns' indices, was ['A']"


def test_the_free_parts_of_a_protection_move_with_it(book, sheet):
    """Ranges that a protection leaves out are kept, moved, copied, and gone with their cells."""
    free = [cells((1, 2), (0, 1)), cells((3, 4), (0, 1))]
    send(book, "addProtectedRange", protectedRange={"range": WHERE, "unprotectedRanges": free})
    sheet.insert_rows([[]], 1)
    sheet.delete_rows(3)
    copied = sheet.duplicate(insert_sheet_index=1)
    moved = {"startRowIndex": 3, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 1}
    found = [sheet_json(book, place)["protectedRanges"][0] for place in (0, 1)]
    assert found[0]["unprotectedRanges"] == [moved]
    assert found[1]["unprotectedRanges"] == [{"sheetId": copied.id, **moved}]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("addProtectedRange", {"protectedRange": {"protectedRangeId": 5, "range": WHERE}}),
        (
            "addNamedRange",
            {"namedRange": {"namedRangeId": "5", "name": "a", "range": WHERE}},
        ),
        ("addFilterView", {"filter": {"filterViewId": 5, "range": WHERE}}),
    ],
)
def test_ids_are_given_once(book, kind, asked):
    """An id that is asked for must not be another's."""
    send(book, kind, **asked)
    if kind == "addNamedRange":
        asked["namedRange"]["name"] = "b"
    assert refused(book, kind, **asked).endswith("with id 5 already exists")


def test_a_copied_sheet_has_what_is_attached_to_it(book, sheet):
    """Ranges belong to the copy, ids are its own, and the original keeps what is deleted there."""
    band = {"range": WHERE, "rowProperties": {"firstBandColor": RED}}
    first = send(book, "addBanding", bandedRange=band)["addBanding"]["bandedRange"]
    send(book, "addConditionalFormatRule", rule=rule("1"))
    sheet.set_basic_filter("A1:B5")
    copied = sheet.duplicate(insert_sheet_index=1)
    found = sheet_json(book, 1)
    second = found["bandedRanges"][0]
    owners = [second["range"], found["conditionalFormats"][0]["ranges"][0]]
    owners.append(found["basicFilter"]["range"])
    assert [where["sheetId"] for where in owners] == [copied.id] * 3
    assert second["bandedRangeId"] != first["bandedRangeId"]
    send(book, "deleteBanding", bandedRangeId=second["bandedRangeId"])
    assert sheet_json(book, 0)["bandedRanges"] == [first]
    assert "bandedRanges" not in sheet_json(book, 1)


def test_kinds_that_the_emulator_lacks_are_named(book):
    """What Google knows and the emulator does not is 501, what nobody knows is 400."""
    with pytest.raises(APIError) as failed:
        send(book, "insertComment")
    assert failed.value.code == 501
    assert "requests[0].insertComment" in failed.value.error["message"]
    with pytest.raises(APIError) as failed:
        send(book, "addNonsense")
    assert failed.value.code == 400
