"""Rows that are changed by their keys, and appended if they are not there."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from enum import Enum

import gspread as plain_gspread
import pytest
from gspread.exceptions import APIError
from gspread.utils import ValueInputOption
from places import TOP
from processes import start_python
from waiting import GRACE, PATIENCE

import queued_gspread as gspread
from queued_gspread.emulator.faults import Status
from queued_gspread.errors import CallRefusedError, KeyExistsError, UpsertError

HEADER = ["id", "name", "total"]


@pytest.fixture
def sheet(ws):
    """Return a worksheet with a header and two rows."""
    ws.update([HEADER, [1, "one", 10], ["b", "two", 20]])
    return ws


def cells(sheet):
    """Return the cells as Google stores them."""
    return sheet.get(value_render_option="UNFORMATTED_VALUE")


# Rows -------------------------------------------------------------------------------------------


def test_rows_are_changed_by_their_keys_and_appended_if_they_are_not_there(sheet):
    """The result has the row numbers, in the order of the rows that were given."""
    rows = [{"id": "c", "name": "new"}, {"id": "b", "total": 21}, {"id": 1, "total": 11}]
    done = gspread.upsert_rows(sheet, rows, key="id")
    assert done == gspread.Upserted(updated=[3, 2], appended=[4], kept=[], ambiguous=[])
    assert cells(sheet) == [HEADER, [1, "one", 11], ["b", "two", 21], ["c", "new"]]


def test_rows_may_be_lists_in_the_order_of_the_header(sheet):
    """A shorter list leaves the rest of a row alone, as None leaves a cell."""
    done = gspread.upsert_rows(sheet, [[1, "uno"], ["b", None, 22], ("c", "x", 3)], key="id")
    assert (done.updated, done.appended) == ([2, 3], [4])
    assert cells(sheet) == [HEADER, [1, "uno", 10], ["b", "two", 22], ["c", "x", 3]]


class _Column(list):
    """What pandas has for columns."""


class _Frame:
    """The two attributes of a ``pandas.DataFrame`` that are used."""

    def __init__(self, columns, rows):
        self.columns, self._rows = _Column(columns), rows

    def itertuples(self, *, index, name):
        assert (index, name) == (False, None)
        return iter(self._rows)


class _Number:
    """A number as numpy has it."""

    dtype = "int64"

    def __init__(self, value):
        self._value = value

    def item(self):
        return self._value


class NAType:
    """pandas.NA, which cannot be compared."""

    def __eq__(self, other):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


def test_rows_may_be_a_data_frame(sheet):
    """Its columns are the headers; what is missing in it leaves a cell as it is."""
    rows = [(_Number(1), "uno", float("nan")), ("c", NAType(), _Number(3))]
    done = gspread.upsert_rows(sheet, _Frame(HEADER, rows), key="id")
    assert (done.updated, done.appended) == ([2], [4])
    assert cells(sheet) == [HEADER, [1, "uno", 10], ["b", "two", 20], ["c", "", 3]]


def test_rows_may_be_a_data_frame_of_pandas(sheet):
    """The real one is taken, if it is installed: its index is left out, and what is missing."""
    pandas = pytest.importorskip("pandas")
    columns = {
        "id": ["b", "c", "d"],
        "total": pandas.array([5, None, 7], dtype="Int64"),
        "name": [None, pandas.NaT, "x"],
    }
    done = gspread.upsert_rows(sheet, pandas.DataFrame(columns, index=[9, 8, 7]), key="id")
    assert (done.updated, done.appended) == ([3], [4, 5])
    assert cells(sheet)[2:] == [["b", "two", 5], ["c"], ["d", "x", 7]]
    frame = pandas.DataFrame({"id": [1], "total": [float("nan")], "name": ["uno"]})
    assert gspread.upsert_rows(sheet, frame.set_index("id").reset_index(), key="id").updated == [2]
    assert cells(sheet)[1] == [1, "uno", 10]


def test_a_moment_of_pandas_or_numpy_is_refused(sheet):
    """Numpy's would be a number of nanoseconds otherwise."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": [1], "name": pandas.to_datetime(["2024-01-31"])})
    moment, several = frame["name"].to_numpy()[0], frame.to_numpy()
    rows = [frame, [{"id": 1, "name": moment}], [[1, moment - moment]], [[1, several]]]
    for refused in rows:
        with pytest.raises(UpsertError, match=r"is a \w+, which no cell can have"):
            gspread.upsert_rows(sheet, refused, key="id")
    assert cells(sheet)[1] == [1, "one", 10]


def test_an_empty_list_of_rows_changes_nothing(sheet):
    """There is nothing to do, and nothing is refused."""
    assert gspread.upsert_rows(sheet, [], key="id") == gspread.Upserted([], [], [], [])


def test_a_text_of_a_class_of_its_own_is_its_value(sheet):
    """A member of an enum is the text that it is."""

    class Key(str, Enum):
        B = "b"

    assert gspread.upsert_rows(sheet, [{"id": Key.B, "total": 1}], key="id").updated == [3]


def test_columns_that_are_not_named_are_left_alone(sheet):
    """A formula in such a column, say, stays one."""
    sheet.update([["=10+1"]], "C2", value_input_option="USER_ENTERED")
    gspread.upsert_rows(sheet, [{"id": 1, "name": "x"}], key="id")
    assert sheet.acell("C2", value_render_option="FORMULA").value == "=10+1"


def test_an_empty_text_clears_a_cell(sheet):
    """Only None leaves it as it is."""
    gspread.upsert_rows(sheet, [{"id": 1, "name": "", "total": None}], key="id")
    assert cells(sheet)[1] == [1, "", 10]


def test_the_header_may_be_in_another_row_and_the_key_in_any_column(sh):
    """What is above the header is no row."""
    sheet = sh.add_worksheet("It's", 10, 3)
    sheet.update([["c", "Title"], ["name", "total", "id"], ["x", 1, "a"]])
    done = gspread.upsert_rows(
        sheet, [{"id": "a", "total": 2}, {"id": "c", "name": "z"}], key="id", head=2
    )
    assert (done.updated, done.appended) == ([3], [4])
    assert cells(sheet) == [["c", "Title"], ["name", "total", "id"], ["x", 2, "a"], ["z", "", "c"]]


def test_a_key_may_be_several_headers(sheet):
    """Rows are one if they are equal in all of them."""
    sheet.update([["day", "shop", "sum"], ["mo", 1, 5], ["mo", 2, 6]])
    rows = [{"day": "mo", "shop": 2, "sum": 7}, {"day": "tu", "shop": 1, "sum": 8}]
    done = gspread.upsert_rows(sheet, rows, key=["day", "shop"])
    assert (done.updated, done.appended) == ([3], [4])
    assert cells(sheet)[1:] == [["mo", 1, 5], ["mo", 2, 7], ["tu", 1, 8]]


def test_where_the_keys_were_is_remembered(sheet, emulator):
    """The first call reads twice if the key is not in the first column, and the next one once."""
    sheet.update([["name", "id"]])
    for number, reads in ((1, 2), (2, 1)):
        before = _reads(emulator)
        gspread.upsert_rows(sheet, [{"id": number}], key="id")
        assert _reads(emulator) - before == reads


def test_a_header_that_has_moved_is_found(sheet):
    """What the client remembers is looked at before it is used."""
    gspread.upsert_rows(sheet, [{"id": "x"}], key="id")
    sheet.update([["name", "id", "total"]])
    assert gspread.upsert_rows(sheet, [{"id": "two", "total": 1}], key="id").updated == [3]


def test_a_remembered_column_may_be_gone(sh):
    """A read beyond the edge of the sheet is made again, of the header alone."""
    sheet = sh.add_worksheet("Narrow", 5, 3)
    sheet.update([["a", "b", "id"], [1, 2, 3]])
    gspread.upsert_rows(sheet, [{"id": 3, "a": 5}], key="id")
    sheet.delete_columns(1, 2)
    done = gspread.upsert_rows(sheet, [{"id": 3}, {"id": 4}], key="id")
    assert (done.updated, done.appended) == ([2], [3])


def _reads(emulator):
    return sum(entry.path.endswith("/values:batchGet") for entry in emulator.ledger)


def test_rows_below_the_table_are_pushed_down_and_counted(sheet):
    """Nothing is overwritten, and the numbers are those of the rows afterwards."""
    sheet.update([["z", "below", 1]], "A5")
    done = gspread.upsert_rows(sheet, [{"id": "c"}, {"id": "z", "total": 2}], key="id")
    assert (done.appended, done.updated) == ([4], [6])
    assert cells(sheet)[3:] == [["c"], [], ["z", "below", 2]]


def test_the_count_of_rows_grows_by_those_that_were_appended(sheet):
    """It is what Google says it is."""
    gspread.upsert_rows(sheet, [{"id": "c"}, {"id": "d"}, {"id": 1}], key="id")
    assert sheet.row_count == sheet.spreadsheet.worksheet(sheet.title).row_count


# Upserts ten keys one after the other, each process from another one on; prints what was appended.
UPSERTS = """
import json, sys
import queued_gspread as gspread
where = json.loads(sys.stdin.readline())
sheet = gspread.authorize().open_by_key(where["key"]).sheet1
keys = [f"k{(where['number'] + turn) % 10}" for turn in range(10)]
print("ready", flush=True)
sys.stdin.readline()
done = [gspread.upsert_rows(sheet, [{"id": key, "total": 1}], key="id") for key in keys]
print(json.dumps([(one.appended, one.updated) for one in done]))
"""


def test_ten_processes_with_the_same_ten_keys_leave_ten_rows(sheet, redis_url, namespace):
    """Each key is appended by one of them, and changed by the others."""
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(GRACE)}
    processes = [start_python(UPSERTS, **where) for _ in range(10)]
    try:
        for number, process in enumerate(processes):
            process.stdin.write(json.dumps({"key": sheet.spreadsheet_id, "number": number}) + "\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 10
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    done = [one for line in told for one in json.loads(line)]
    assert sorted(number for appended, _ in done for number in appended) == [*range(4, 14)]
    assert sum(len(updated) for _, updated in done) == 90
    assert sorted(row[0] for row in cells(sheet)[3:]) == [f"k{number}" for number in range(10)]


def test_a_row_far_to_the_right_of_many_is_refused(sh, monkeypatch):
    """What the server would fill with blanks has the bound of any rectangle."""
    monkeypatch.setattr("queued_gspread.server.policy.rectangles.MOST_CELLS", 5)
    sheet = sh.add_worksheet("Wide", 5, 3)
    sheet.update([["id", "x", "y"]])
    with pytest.raises(CallRefusedError, match="2 rows and 3 columns"):
        gspread.upsert_rows(sheet, [{"id": 1}, {"id": 2}], key="id")


# What is there ----------------------------------------------------------------------------------


def test_rows_that_are_there_may_be_kept(sheet):
    """They are not changed, and named."""
    rows = [{"id": 1, "total": 0}, {"id": "c"}, {"id": "c", "total": 9}]
    done = gspread.upsert_rows(sheet, rows, key="id", existing="keep")
    assert (done.updated, done.kept, done.appended) == ([], [2], [4])
    assert cells(sheet)[1:] == [[1, "one", 10], ["b", "two", 20], ["c"]]


def test_rows_that_are_there_may_be_an_error(sheet):
    """It names the keys and their rows, and nothing was written."""
    rows = [{"id": "c"}, {"id": "b"}]
    with pytest.raises(KeyExistsError, match="'b' in row 3: nothing was written"):
        gspread.upsert_rows(sheet, rows, key="id", existing="fail")
    assert len(cells(sheet)) == 3
    assert gspread.upsert_rows(sheet, rows[:1], key="id", existing="fail").appended == [4]


def test_of_a_row_that_is_given_twice_the_last_one_counts(sheet):
    """It counts whole, and at its own place."""
    rows = [{"id": "c", "name": "x"}, {"id": 1, "total": 1}, {"id": "c", "total": 3}]
    done = gspread.upsert_rows(sheet, rows, key="id")
    assert (done.updated, done.appended) == ([2], [4])
    assert cells(sheet)[3] == ["c", "", 3]


def test_a_row_that_is_given_twice_is_an_error_if_what_is_there_is_one(sheet):
    """Which of them counts would be a guess."""
    with pytest.raises(UpsertError, match=r"rows\[1\] has the key 'c' as an earlier one"):
        gspread.upsert_rows(sheet, [{"id": "c"}, {"id": "c"}], key="id", existing="fail")


def test_of_a_key_that_the_sheet_has_twice_the_first_row_is_changed(sheet):
    """The result names the key."""
    sheet.update([["b", "again", 30]], "A4")
    done = gspread.upsert_rows(sheet, [{"id": "b", "total": 1}, {"id": "c"}], key="id")
    assert (done.updated, done.ambiguous) == ([3], ["b"])
    assert cells(sheet)[2:4] == [["b", "two", 1], ["b", "again", 30]]


def test_an_ambiguous_key_of_several_headers_is_a_tuple(sheet):
    """Whether rows were appended or not."""
    sheet.update([["a", "b"], [1, 2], [1, 2]], "A1:B3")
    for more in ([], [{"a": 5, "b": 5}]):
        done = gspread.upsert_rows(sheet, [{"a": 1, "b": 2}, *more], key=["a", "b"])
        assert done.ambiguous == [(1, 2)]


# How keys compare -------------------------------------------------------------------------------


def _entered(sheet, value):
    """Enter a key as a person would."""
    sheet.update([[value]], "A2", value_input_option="USER_ENTERED")


# What a person has entered, what a key is, and whether they are the same. docs/upserts.md has each.
SAME = [
    ("7", 7, True),
    ("7", 7.0, True),
    ("7", "7", False),
    ("'7", "7", True),
    ("'7", 7, False),
    ("007", 7, True),
    ("007", "007", False),
    ("'007", "007", True),
    ("1.5", 1.5, True),
    ("50%", 0.5, True),
    ("50%", "50%", False),
    ("2024-01-31", "2024-01-31", True),
    ("'2024-01-31", "2024-01-31", True),
    ("2024-01-31", 45322, False),
    ("TRUE", True, True),
    ("TRUE", "TRUE", False),
    ("'TRUE", "TRUE", True),
    ("1", True, False),
    ("Abc", "Abc", True),
    ("Abc", "abc", False),
    ("' Abc", "Abc", False),
    ('="a"&"b"', "ab", True),
    ("=3+4", 7, True),
    ("=NA()", "#N/A", True),
    ("'=1+1", "=1+1", True),
    ("''x", "'x", True),
    ("'Abc ", "Abc", False),
    ("$5", 5, True),
    ("1,234.5", 1234.5, True),
    ("1e3", 1000, True),
    ("1/31/2024", "2024-01-31", False),
    ("2024-01-31 12:30:00", "2024-01-31 12:30:00", True),
    ("12:30:00", "12:30:00", True),
    ("12:30:00", 0.5208333333333334, False),
]


def test_the_table_of_keys_is_that_of_the_docs():
    """Every row of the page is tried, and every row that is tried is on the page."""
    page = (TOP / "docs" / "upserts.md").read_text()
    rows = re.findall(r"^\| `(.+)` \| `(.+)` \| (yes|no) \|$", page, re.MULTILINE)
    told = [(typed, ast.literal_eval(key), same == "yes") for typed, key, same in rows]
    assert [repr(row) for row in told] == [repr(row) for row in SAME]


@pytest.mark.parametrize("option", ["RAW", ValueInputOption.user_entered])
@pytest.mark.parametrize(("entered", "key", "same"), SAME)
def test_keys_compare_as_google_stores_them(sheet, entered, key, same, option):
    """Numbers with numbers, text with text, dates as what is shown, whatever the option."""
    _entered(sheet, entered)
    row = {"id": key, "name": "x"}
    done = gspread.upsert_rows(sheet, [row], key="id", value_input_option=option)
    assert (done.updated, done.appended) == (([2], []) if same else ([], [4]))


@pytest.mark.parametrize("option", ["RAW", "USER_ENTERED"])
@pytest.mark.parametrize(
    "key", [7, -1.5, 10**15, "7", "007", "'x", "=1+1", "2024-01-31", "TRUE", True, False, " ", "+1"]
)
def test_a_key_that_was_appended_is_found_again(sheet, key, option):
    """A key is stored as it was given, also where Google is to interpret the other values."""
    for done in ([4], []):
        found = gspread.upsert_rows(sheet, [{"id": key}], key="id", value_input_option=option)
        assert found.appended == done
    assert cells(sheet)[3] == [key]


def test_google_interprets_values_but_no_keys_where_it_is_asked_to(sheet):
    """As with gspread's own methods, RAW is the default."""
    row = {"id": "007", "name": "=1+1", "total": "5"}
    gspread.upsert_rows(sheet, [row], key="id", value_input_option="USER_ENTERED")
    gspread.upsert_rows(sheet, [{**row, "id": "008"}], key="id")
    assert cells(sheet)[3:] == [["007", 2, 5], ["008", "=1+1", "5"]]


def test_rows_without_a_key_are_never_meant(sheet):
    """Nor are those where a part of the key is blank."""
    sheet.update([["a", "b"], ["", 2], [1, ""]], "A1:B3")
    done = gspread.upsert_rows(sheet, [{"a": 1, "b": 2}], key=["a", "b"])
    assert done.appended == [4]


# Mistakes ---------------------------------------------------------------------------------------

MISTAKES = [
    ([{"id": 1, "nome": 2}], {}, r"rows\[0\] names 'nome'.*: 'id', 'name', 'total'"),
    ([[1, 2, 3, 4]], {}, r"rows\[0\] has 4 values for the 3 headers in row 1 .*'id', 'name'"),
    ([{"name": "x"}], {}, r"rows\[0\] has no value for the key 'id': a key cannot be blank"),
    ([{"id": ""}], {}, "a key cannot be blank"),
    (None, {}, "rows is a NoneType"),
    (7, {}, "rows is a int"),
    ([{"id": "b", "total": 10**400}], {}, "a value that no cell can have: 1000"),
    ([{"id": 10**400}], {}, "for the key 'id': a cell does not keep all digits"),
    ([{"id": 2**53 + 1}], {}, "so large a number; have them as text"),
    ([{"id": 1}], {"key": 7}, "key=7 cannot be used: give a header"),
    ([{"id": 1}], {"key": None}, "key=None cannot be used: give a header"),
    ([{"id": 1}], {"key": "ID"}, r"key='ID' is not among the headers in row 1 .*: 'id', 'name'"),
    ([{"id": 1}], {"head": 9}, "row 9 of 'Sheet1' must be the header row"),
    ([{"id": 1}], {"key": []}, "give a header"),
    ([{"id": 1}], {"key": ["id", "id"]}, "names a header twice"),
    ([{"id": 1}], {"existing": "replace"}, "existing='replace' cannot be used"),
    ([{"id": 1}], {"head": 0}, "head=0 cannot be used"),
    ([{"id": 1}], {"value_input_option": "raw"}, "value_input_option='raw' cannot be used"),
    ([{"id": 1, "name": float("nan")}], {}, "a value that no cell can have: nan"),
    ([{"id": 1, "name": dt.date(2024, 1, 31)}], {}, r"rows\[0\]\['name'\] is a date, .*isoformat"),
    ([[1, b"x"]], {}, r"rows\[0\]\[1\] is a bytes, which no cell can have"),
    ([{"id": [1]}], {}, r"rows\[0\]\['id'\] is a list, which no cell can have"),
    (_Frame(HEADER, [(1, dt.date(2024, 1, 31), 2)]), {}, r"frame.iloc\[0\]\['name'\] is a date"),
    ([{"id": 1, 2: 3}], {}, r"rows\[0\] has 2 for a header"),
    ({"id": 1}, {}, "rows is a dict"),
    (["id"], {}, r"rows\[0\] is a str"),
    (_Frame(["id", "id"], []), {}, "has a column twice"),
]


@pytest.mark.parametrize(("rows", "options", "text"), MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(sheet, rows, options, text):
    """The error names what is wrong, and what there is instead."""
    with pytest.raises(UpsertError, match=text):
        gspread.upsert_rows(sheet, rows, **{"key": "id", **options})
    assert len(cells(sheet)) == 3


def test_a_header_that_is_there_twice_can_be_no_key_and_not_be_named(sheet):
    """Rows as lists may still have values for it."""
    sheet.update([["id", "x", "x"]])
    with pytest.raises(UpsertError, match="names 'x'"):
        gspread.upsert_rows(sheet, [{"id": 1, "x": 2}], key="id")
    with pytest.raises(UpsertError, match="key='x' is there more than once"):
        gspread.upsert_rows(sheet, [[1, 2, 3]], key="x")
    assert gspread.upsert_rows(sheet, [[1, 2, 3]], key="id").updated == [2]


def test_headers_are_compared_as_they_are_shown(sheet):
    """A header may be a number."""
    sheet.update([["id", 2024, 1.5]])
    gspread.upsert_rows(sheet, [{"id": 1, "2024": "x", "1.5": "y"}], key="id")
    assert cells(sheet)[1] == [1, "x", "y"]


def test_a_header_must_be_there_and_begin_in_column_a(sh):
    """Google finds the table to append to by its first cell."""
    sheet = sh.add_worksheet("Empty", 2, 3)
    for header in ([], ["", "id"]):
        if header:
            sheet.update([header])
        with pytest.raises(UpsertError, match="row 1 of 'Empty' must be the header row"):
            gspread.upsert_rows(sheet, [{"id": 1}], key="id")
    with pytest.raises(APIError, match="exceeds grid limits"):
        gspread.upsert_rows(sheet, [{"id": 1}], key="id", head=9)


def test_a_gap_in_the_header_does_not_move_what_is_appended(sheet):
    """Merged cells leave one: values stand below their headers, whatever table Google sees."""
    sheet.update([["id", "", "total"], [1, "", 10], ["b", "", ""]], "A1:C3")
    sheet.merge_cells("A1:B1")
    sheet.update([["below"]], "C5")
    for key in ("c", "d"):
        gspread.upsert_rows(sheet, [{"id": key, "total": 5}], key="id")
    gspread.upsert_rows(sheet, [{"total": 6}], key="total")
    found = [row for row in cells(sheet) if row]
    assert [row for row in found if row[-1] in (5, 6)] == [["c", "", 5], ["d", "", 5], ["", "", 6]]
    assert ["", "", "below"] in found


def test_the_grid_grows_where_it_is_full(sh):
    """As with gspread's append_rows."""
    sheet = sh.add_worksheet("Full", 2, 2)
    sheet.update([["id", "x"], ["a", 1]])
    rows = [{"id": key, "x": 2} for key in "abc"]
    assert gspread.upsert_rows(sheet, rows, key="id").appended == [3, 4]
    assert (sheet.row_count, cells(sheet)[1:]) == (4, [[key, 2] for key in "abc"])


def test_hidden_and_filtered_rows_are_there(sheet):
    """They are changed like any other."""
    sheet.hide_rows(1, 2)
    sheet.set_basic_filter("A1:C3")
    done = gspread.upsert_rows(sheet, [{"id": 1, "total": 5}, {"id": "c"}], key="id")
    assert (done.updated, done.appended) == ([2], [4])


@pytest.mark.parametrize(("refused", "left"), [("values:batchUpdate", 20), (":append", 21)])
def test_what_google_refuses_is_the_callers_error(sheet, emulator, refused, left):
    """If it is the append, as on a protected sheet, the rows that were there have been changed."""
    emulator.faults.add(Status(403), path=f"{refused}$", count=1)
    with pytest.raises(APIError):
        gspread.upsert_rows(sheet, [{"id": "b", "total": 21}, {"id": "c"}], key="id")
    assert cells(sheet)[2:] == [["b", "two", left]]


def test_the_error_for_keys_that_are_there_names_some_of_many(sheet):
    """Five, and how many more there are."""
    keys = [f"k{number}" for number in range(7)]
    gspread.upsert_rows(sheet, [{"id": key} for key in keys], key="id")
    text = "already has 'k0' in row 4, .*'k4' in row 8 and 2 more: nothing was written"
    with pytest.raises(KeyExistsError, match=text):
        gspread.upsert_rows(sheet, [{"id": key} for key in keys], key="id", existing="fail")


def test_only_worksheets_of_a_queued_client_are_taken(emulator):
    """Plain gspread's would write past the queue."""
    sheet = emulator.gspread_client().create("Plain").sheet1
    assert isinstance(sheet, plain_gspread.Worksheet)
    with pytest.raises(TypeError, match="takes a worksheet of a queued_gspread client"):
        gspread.upsert_rows(sheet, [], key="id")


def test_a_worksheet_that_is_gone_is_googles_error(sheet, sh):
    """As with any method."""
    other = sh.add_worksheet("Other", 2, 2)
    sh.del_worksheet(other)
    with pytest.raises(APIError, match="Unable to parse range"):
        gspread.upsert_rows(other, [{"id": 1}], key="id")


# Pipelines --------------------------------------------------------------------------------------


def test_in_a_pipeline_the_result_comes_later(sheet, emulator):
    """Upserts of a loop share their requests, and what touches a result waits for it."""
    gspread.upsert_rows(sheet, [{"id": 1}], key="id")
    with gspread.pipeline():
        made = [
            gspread.upsert_rows(sheet, [{"id": number % 10, "total": number}], key="id")
            for number in range(40)
        ]
        assert all(isinstance(one, gspread.Upserted) for one in made)
        after = sheet.col_values(1)
    assert after == ["id", "1", "b", "0", *map(str, range(2, 10))]
    assert made[0].appended == [4]
    assert made[30].updated == [4]
    assert cells(sheet)[3] == [0, "", 30]


def test_in_a_pipeline_an_upsert_may_be_for_a_worksheet_that_is_not_there_yet(sh):
    """It waits for it."""
    with gspread.pipeline():
        sheet = sh.add_worksheet("New", 5, 2)
        sheet.append_row(["id", "x"])
        done = gspread.upsert_rows(sheet, [{"id": "a", "x": 1}], key="id")
    assert done.appended == [2]


def test_in_a_pipeline_an_error_is_raised_at_the_end(sheet):
    """As with any call."""
    with pytest.raises(UpsertError), gspread.pipeline():
        gspread.upsert_rows(sheet, [{"nome": 1}], key="id")


def test_in_a_pipeline_the_count_of_rows_is_there_when_it_is_read(sheet):
    """Whoever reads it waits for the upserts."""
    before = sheet.row_count
    with gspread.pipeline():
        gspread.upsert_rows(sheet, [{"id": "c"}], key="id")
        assert sheet.row_count == before + 1
