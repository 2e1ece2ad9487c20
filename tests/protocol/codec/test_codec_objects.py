import gspread
import pytest
import wrapt
from codec_samples import value_range

from queued_gspread.errors import CodecError
from queued_gspread.protocol import codec


class Rebuilt:
    def spreadsheet(self, properties):
        return ("spreadsheet", properties)

    def worksheet(self, spreadsheet, properties):
        return ("worksheet", spreadsheet, properties)


def make_spreadsheet():
    spreadsheet = object.__new__(gspread.Spreadsheet)
    spreadsheet.client = object()
    spreadsheet._properties = {"id": "abc", "title": "Book", "sheets": ["x" * 10000]}
    return spreadsheet


def make_worksheet(number=0, spreadsheet=None):
    worksheet = object.__new__(gspread.Worksheet)
    worksheet.client = object()
    worksheet.spreadsheet_id = "abc"
    worksheet._spreadsheet = spreadsheet
    worksheet._properties = {"sheetId": number, "title": f"Sheet{number}"}
    return worksheet


@pytest.mark.parametrize("wrap", [lambda x: x, wrapt.ObjectProxy], ids=["own", "proxy"])
def test_a_spreadsheet_travels_as_its_properties(wrap):
    """A spreadsheet, or a proxy of one, is handed over as its properties."""
    spreadsheet = wrap(make_spreadsheet())
    arrived = codec.loads(codec.dumps([spreadsheet]), Rebuilt())
    assert arrived == [("spreadsheet", spreadsheet._properties)]


@pytest.mark.parametrize("wrap", [lambda x: x, wrapt.ObjectProxy], ids=["own", "proxy"])
def test_a_worksheet_travels_with_the_name_of_its_spreadsheet(wrap):
    """A worksheet, or a proxy of one, brings its properties and its spreadsheet's id and title."""
    worksheet = wrap(make_worksheet(7, wrap(make_spreadsheet())))
    kind, spreadsheet, properties = codec.loads(codec.dumps(worksheet), Rebuilt())
    assert (kind, spreadsheet) == ("worksheet", {"id": "abc", "title": "Book"})
    assert properties == {"sheetId": 7, "title": "Sheet7"}


def test_a_worksheet_without_a_known_spreadsheet_brings_the_id():
    """Where the worksheet holds no spreadsheet, the title is absent."""
    _, spreadsheet, _ = codec.loads(codec.dumps(make_worksheet()), Rebuilt())
    assert spreadsheet == {"id": "abc"}


def test_a_subclass_of_worksheet_travels_as_a_worksheet():
    """An instance of a user's own worksheet class is a worksheet on the other side."""

    class Mine(gspread.Worksheet):
        pass

    worksheet = make_worksheet()
    worksheet.__class__ = Mine
    assert codec.loads(codec.dumps(worksheet), Rebuilt())[0] == "worksheet"


def test_many_worksheets_of_one_spreadsheet_stay_small():
    """A list of worksheets does not repeat the properties of their spreadsheet."""
    spreadsheet = make_spreadsheet()
    data = codec.dumps([make_worksheet(n, spreadsheet) for n in range(100)])
    assert len(data) < 100 * 150


def test_the_properties_are_not_the_originals():
    """What arrives shares nothing with the object that was sent."""
    spreadsheet = make_spreadsheet()
    _, properties = codec.loads(codec.dumps(spreadsheet), Rebuilt())
    properties["sheets"].clear()
    assert spreadsheet._properties["sheets"]


@pytest.mark.parametrize("make", [make_spreadsheet, make_worksheet])
def test_objects_are_refused_where_nobody_wants_them(make):
    """Without Objects, a spreadsheet or a worksheet is a CodecError."""
    with pytest.raises(CodecError, match=r"not expected here.*\$\[1\]"):
        codec.loads(codec.dumps([0, make()]))


def test_a_failing_rebuild_is_a_codec_error():
    """Whatever the receiver's own code raises for odd properties comes out as CodecError."""

    class Failing(Rebuilt):
        def spreadsheet(self, properties):
            raise KeyError(properties["title"])

    with pytest.raises(CodecError, match="KeyError") as caught:
        codec.loads(codec.dumps(make_spreadsheet()), Failing())
    assert "Book" not in str(caught.value)


def test_unencodable_properties_name_the_place():
    """A property that cannot travel is refused like any other value."""
    spreadsheet = make_spreadsheet()
    spreadsheet._properties["odd"] = object()
    with pytest.raises(codec.Unencodable, match=r"\['_properties'\]\['odd'\]"):
        codec.dumps(spreadsheet)


def test_a_value_range_keeps_range_and_dimension():
    """A ValueRange answers range, major_dimension and first() as before."""
    about = {"range": "A1:B1", "majorDimension": "ROWS"}
    arrived = codec.loads(codec.dumps(value_range([["a", "b"]], about)))
    assert (arrived.range, arrived.major_dimension, arrived.first()) == ("A1:B1", "ROWS", "a")


def test_an_empty_value_range_does_not_touch_the_class():
    """A ValueRange without _json leaves the default that all instances share alone."""
    shared = gspread.worksheet.ValueRange._json
    arrived = codec.loads(codec.dumps(gspread.worksheet.ValueRange()))
    arrived._json["range"] = "A1"
    assert shared == {}
