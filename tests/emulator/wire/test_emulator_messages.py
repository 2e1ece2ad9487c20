"""Messages are read as Google reads them, for every field of Google's own description."""

import describe
import pytest
from discovery import document

from queued_gspread.emulator.wire import messages
from queued_gspread.emulator.wire.description import fields_of, snake, values_of
from queued_gspread.emulator.wire.errors import ApiError
from queued_gspread.emulator.wire.messages import read_message

SAMPLES = {
    "int": 7,
    "double": 0.5,
    "float": 0.5,
    "bool": True,
    "string": "x",
    "mask": "a.bC(*)",
    "any": [["x"]],
}
KEPT = [
    (message, field)
    for message in document("sheets.v4")["schemas"]
    for field in set(fields_of(message).values())
    if field.name not in messages._NOT_KEPT or message in messages._OF_TABLES
]


def sample(field):
    """Return a value for a field, without the list or the object that holds it."""
    if field.is_message:
        return {}
    return SAMPLES[field.kind] if field.kind in SAMPLES else values_of(field.kind)[-1]


def held(field):
    """Return a value for a field as answers have it."""
    one = sample(field)
    return {"k": one} if field.by_name else [one] if field.repeated and one != [["x"]] else one


def of(kind):
    """Return the fields that a condition holds for, with their messages."""
    found = [(message, field) for message, field in KEPT if kind(field)]
    assert len(found) > 3
    return found


def told(message, body):
    """Return what Google says to a message."""
    with pytest.raises(ApiError) as caught:
        read_message(message, body, "requests[0].aB")
    return str(caught.value)


def test_the_description_is_google_s():
    """The module is what its command writes of the installed discovery document."""
    # Where this fails after an update: python tests/support/describe.py
    assert describe.MODULE.read_text() == describe.described()


def test_every_field_of_google_s_is_taken():
    """Each field of each message is taken as it is, by either name; a null for it is nothing."""
    assert len(KEPT) > 900
    for message, field in KEPT:
        value = held(field)
        assert read_message(message, {field.name: value}) == {field.name: value}
        assert read_message(message, {snake(field.name): value}) == {field.name: value}
        assert read_message(message, {field.name: None}) == {}


def test_one_value_stands_for_a_list():
    """Where a list belongs, one value, nested lists and nulls among values are taken for it."""
    for message, field in of(lambda field: field.repeated and field.kind != "any"):
        one = sample(field)
        for given in (one, [one], [[one]], [None, one, None], [[None], [[one]]]):
            assert read_message(message, {field.name: given}) == {field.name: [one]}
        for nothing in ([], [None], [[]]):
            assert read_message(message, {field.name: nothing}) == {}


def test_numbers_may_be_texts():
    """A number is taken as a text too, and a whole one with a fraction of zero."""
    for message, field in of(lambda field: field.kind in {"int", "double", "float"}):
        value = held(field)
        text = [str(one) for one in value] if field.repeated else str(value)
        assert read_message(message, {field.name: text}) == {field.name: value}
        for wrong in ("", "x", "1_0", "NaN", "1e999", True):
            assert f".{snake(field.name)}" in told(message, {field.name: wrong})
    for message, field in of(lambda field: field.kind == "int"):
        whole = read_message(message, {field.name: 7.0})
        assert whole == {field.name: held(field)}
        for wrong in (7.5, "7.5", 2**31, -(2**31) - 1):
            assert "(TYPE_INT32), " in told(message, {field.name: wrong})


def test_truths_may_be_texts():
    """A truth is taken as a text too, and nothing else for it."""
    for message, field in of(lambda field: field.kind == "bool"):
        for text, truth in (("true", True), ("FALSE", False)):
            assert read_message(message, {field.name: text}) == {field.name: truth}
        assert "(TYPE_BOOL), 3" in told(message, {field.name: 3})


def test_enums_have_the_values_of_google_s():
    """A value of an enum is taken by its name or its number; any other is refused by its type."""
    for message, field in of(lambda field: values_of(field.kind)):
        last = values_of(field.kind)[-1]
        number = len(values_of(field.kind)) - 1
        assert read_message(message, {field.name: number}) == {field.name: held(field)}
        for wrong in ("GAUDY", last.lower(), number + 1):
            assert f"google.apps.sheets.v4.{field.kind})" in told(message, {field.name: wrong})


def test_what_cannot_be_of_its_type_is_told_with_its_place():
    """A list for one value, an object for a scalar and a scalar for a message are refused."""
    for message, field in of(lambda field: field.kind != "any" and not field.by_name):
        if not field.repeated:
            said = told(message, {field.name: [sample(field)]})
            assert f"Unknown name \"{field.name}\" at 'requests[0].a_b': Proto field is" in said
        if field.is_message:
            said = told(message, {field.name: "x"})
            assert f"'requests[0].a_b.{snake(field.name)}' (type.googleapis.com/" in said
        else:
            said = told(message, {field.name: {}})
            assert f"'requests[0].a_b' ({snake(field.name)}), Starting an object on a" in said


def test_all_that_is_wrong_is_told_at_once():
    """A body with two mistakes gets both of them, each with its place."""
    said = told("GridRange", {"sheetId": "one", "endRow": 5})
    assert said == (
        "Invalid value at 'requests[0].a_b.sheet_id' (TYPE_INT32), \"one\"\n"
        "Invalid JSON payload received. Unknown name \"endRow\" at 'requests[0].a_b': "
        "Cannot find field."
    )


def test_a_request_may_stand_alone(client):
    """A batch's `requests` may be one request, with a number as a text and null for a list."""
    book = client.create("Book")
    # As gspread-pandas sends it.
    sizes = {"frozen_row_count": "2", "frozen_column_count": 1}
    freeze = {
        "properties": {"sheet_id": 0, "grid_properties": sizes},
        "fields": "grid_properties(frozen_row_count, frozen_column_count)",
    }
    book.batch_update({"requests": {"update_sheet_properties": freeze}})
    sheet = book.get_worksheet(0)
    assert (sheet.frozen_row_count, sheet.frozen_col_count) == (2, 1)
    book.batch_update({"requests": [None, [{"clearBasicFilter": {"sheetId": 0}}], None]})


def test_empty_lists_are_not_sent_back(client):
    """A filter that was set with empty lists is answered without them."""
    book = client.create("Book")
    asked = {"range": {"sheetId": 0, "endRowIndex": 3}, "sortSpecs": [], "filterSpecs": []}
    book.batch_update({"requests": [{"setBasicFilter": {"filter": asked}}]})
    assert book.fetch_sheet_metadata()["sheets"][0]["basicFilter"].keys() == {"range"}
