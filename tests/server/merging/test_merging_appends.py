"""Appends that leave as one: which may, what each caller is told, and what is known afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate import response
from gspread.utils import InsertDataOption
from parts import BOOK, RAW, append, joined, parts_of, split_bodies, update, values

from queued_gspread.server import merging
from queued_gspread.server.merging import Table
from queued_gspread.server.merging.ranges import Extent
from queued_gspread.server.policy.request import Request

INSERT = {"insertDataOption": "INSERT_ROWS"}
ROW = ["a", "b"]
SHEET = "'Rows'"


def table_of(rows=3, columns=2, *, left=0, sheet="Rows"):
    """Return what is known of a table from A1 on, whose last row was the latest append."""
    whole = Extent(sheet, 0, rows, left, left + columns)
    return Table(whole._replace(top=rows - 1), whole)


TABLE = table_of()


def test_rows_become_one_append():
    """The rows of all stand one under the other, in order; the options are those of each."""
    appends = [append(ROW), append(["c", 1], ["d", 2.5]), append([True, False])]
    assert joined(*appends, table=TABLE) == 3
    assert merging.merge(parts_of(*appends)) == Request(
        "post",
        f"{values(SHEET)}:append",
        RAW,
        json={"values": [ROW, ["c", 1], ["d", 2.5], [True, False]]},
    )


def test_nothing_joins_an_append_where_the_table_is_not_known():
    """As long as no answer has told of the table, or it is not certain, appends go alone."""
    assert joined(append(ROW), append(ROW)) == 1
    assert joined(append(ROW), append(ROW), table=Table(TABLE.rows)) == 1


@pytest.mark.parametrize(
    "cell",
    [
        "x",
        " x ",
        "0",
        0,
        0.0,
        -1.5,
        True,
        False,
        "-1",
        "+1.5",
        "-1e3",
        "12'",
        "a=b",
        "ünï ☃",
        "TRUE",
    ],
)
def test_a_cell_that_shows_something_may_join(cell):
    """Text, numbers and booleans are there to be found by the next append."""
    assert joined(append(["x", cell]), append([cell, "x"]), table=TABLE) == 2


@pytest.mark.parametrize(
    "cell", ["", None, " ", "\t\n", "=1+1", " =A1", "'", "'x", "+A1", "-A1", "@x", [1], {"x": 1}]
)
def test_a_cell_that_may_show_nothing_is_alone(cell):
    """A blank, a formula and an apostrophe may leave another table to the next append."""
    assert merging.part(append(["x", cell])) is None
    assert merging.part(append(ROW, [cell, "x"])) is None


@pytest.mark.parametrize("rows", [[], [[]], [ROW, ["a"]], [ROW, []], [ROW, "ab"], [["a"], ROW]])
def test_rows_that_are_not_equally_wide_are_alone(rows):
    """A missing cell is a blank one."""
    assert merging.part(replace(append(), json={"values": rows})) is None


@pytest.mark.parametrize(
    ("text", "options", "may_merge"),
    [
        ("'Rows'", {}, True),
        ("'Rows'", INSERT, True),
        ("'Rows'", {"insertDataOption": "OVERWRITE"}, True),
        ("'Rows'", {"insertDataOption": InsertDataOption.insert_rows}, True),
        ("'it''s'", {}, True),
        ("'Rows'!A1:B2", INSERT, True),
        ("Rows!A1", INSERT, True),
        ("Rows!A1", {}, False),
        ("'Rows'!A1:B2", {"insertDataOption": "OVERWRITE"}, False),
        ("Rows", {}, False),
        ("Rows", INSERT, False),
        ("A1", INSERT, False),
        ("Rows!A:B", INSERT, False),
        ("Rows!Named", INSERT, False),
        ("'Rows'", {"insertDataOption": "NONSENSE"}, False),
        ("'Rows'", {"includeValuesInResponse": "true"}, False),
        ("'Rows'", {"includeValuesInResponse": "false"}, True),
        ("'Rows'", {"valueInputOption": None}, False),
        ("'Rows'", {"fields": "updates"}, False),
    ],
)
def test_the_range_and_the_options_decide(text, options, may_merge):
    """An append may join with INSERT_ROWS, or where its range is a sheet and nothing but it."""
    assert (merging.part(append(ROW, text=text, **options)) is not None) == may_merge


@pytest.mark.parametrize(
    "body",
    [
        {"values": [ROW], "majorDimension": "COLUMNS"},
        {"values": [ROW], "range": "'Other'"},
        {"values": [ROW], "x": "y"},
        {"values": "ab"},
        {},
        None,
    ],
)
def test_a_body_of_another_form_is_alone(body):
    """Columns, another range and what is not known keep an append out of others'."""
    assert merging.part(replace(append(), json=body)) is None
    usual = {"values": [ROW], "majorDimension": "ROWS", "range": "'Rows'"}
    assert merging.part(replace(append(), json=usual)) is not None


@pytest.mark.parametrize(
    "other",
    [
        append(ROW, valueInputOption="USER_ENTERED"),
        append(ROW, **INSERT),
        append(ROW, text="'Other'"),
        append(ROW, text="'ROWS'"),
        append(ROW, responseValueRenderOption="FORMULA"),
        replace(append(ROW), endpoint=append(ROW).endpoint.replace("lane", "other")),
    ],
)
def test_appends_with_other_options_do_not_join(other):
    """Range and options are for the whole request, so they have to agree."""
    assert joined(append(ROW), other, table=TABLE) == 1


def test_an_option_that_goes_without_saying_keeps_none_apart():
    """What ``append_row`` and ``append_rows`` of gspread send is the same."""
    usual = {"includeValuesInResponse": False, "insertDataOption": None}
    assert joined(append(ROW), append(ROW, **usual), table=TABLE) == 2
    usual = {"insertDataOption": "OVERWRITE", "responseDateTimeRenderOption": "SERIAL_NUMBER"}
    assert joined(append(ROW), append(ROW, **usual), table=TABLE) == 2


def test_rows_wider_than_the_table_are_alone():
    """A wider row may touch what stands beside the table; a narrower one lies within it."""
    wide, narrow = append(["a", "b", "c"]), append(["a"])
    assert joined(append(ROW), wide, table=TABLE) == 1
    assert joined(wide, append(ROW), table=TABLE) == 1
    assert joined(append(ROW), narrow, append(ROW), table=TABLE) == 3
    assert joined(wide, narrow, append(ROW), table=table_of(columns=3)) == 3


def test_cells_have_a_limit():
    """No more than 100,000 cells are appended at a time."""
    block = append(*[["x"] * 100] * 400)
    assert joined(*[block] * 4, table=table_of(columns=100)) == 2


# Answers ---------------------------------------------------------------------------------------


def answer(cells, *, table=None, rows=1, columns=2):
    """Return what Google answers to an append."""
    updates = {
        "spreadsheetId": "lane",
        "updatedRange": cells,
        "updatedRows": rows,
        "updatedColumns": columns,
        "updatedCells": rows * columns,
    }
    found = {} if table is None else {"tableRange": table}
    return {"spreadsheetId": "lane", **found, "updates": updates}


def test_every_caller_is_told_its_own_place():
    """The place, and the table that was there before, are what single appends had been told."""
    appends = [append(ROW), append(ROW, ROW), append(["a"]), append(ROW)]
    common = answer("Rows!A4:B8", table="Rows!A1:B3", rows=5)
    assert split_bodies(appends, common) == [
        answer("Rows!A4:B4", table="Rows!A1:B3"),
        answer("Rows!A5:B6", table="Rows!A1:B4", rows=2),
        answer("Rows!A7", table="Rows!A1:B6", columns=1),
        answer("Rows!A8:B8", table="Rows!A1:B7"),
    ]


def test_the_first_row_of_an_empty_sheet_has_no_table():
    """Where Google found no table, the first caller is told of none, the second of the first's."""
    assert split_bodies([append(ROW), append(ROW)], answer("Rows!A1:B2", rows=2)) == [
        answer("Rows!A1:B1"),
        answer("Rows!A2:B2", table="Rows!A1:B1"),
    ]


def test_an_odd_title_is_told_as_google_writes_it():
    """Quotes of a title are Google's, not the caller's."""
    found = split_bodies(
        [append(ROW, text="'it''s'")] * 2, answer("'it''s'!A2:B3", table="'it''s'!A1:B1", rows=2)
    )
    assert [each["updates"]["updatedRange"] for each in found] == ["'it''s'!A2:B2", "'it''s'!A3:B3"]
    assert [each["tableRange"] for each in found] == ["'it''s'!A1:B1", "'it''s'!A1:B2"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"updates": None},
        {"updates": {}},
        answer("Rows!A4:B9", rows=6),
        answer("Rows!A4:C5", rows=2, columns=3),
        answer("nonsense"),
    ],
)
def test_an_answer_to_other_rows_is_not_split(body):
    """Where the place does not fit to the rows, nobody is told one."""
    assert split_bodies([append(ROW), append(ROW)], body) is None


# What is known afterwards ----------------------------------------------------------------------


def after(body, *rows, before=None, text="'Rows'", **options):
    return merging.table_after(
        parts_of(append(*(rows or [ROW]), text=text, **options)), response(body), before
    )


def test_the_table_is_known_after_an_append_as_wide_as_it():
    """A full row as wide as the table, below it, is found by the next append with the table."""
    found = after(answer("Rows!A4:B4", table="Rows!A1:B3"))
    assert found == Table(Extent("Rows", 3, 4, 0, 2), Extent("Rows", 0, 4, 0, 2))


def test_a_first_row_is_the_table_of_its_sheet():
    """In an empty sheet the row is the table; in an empty range something else may touch it."""
    alone = Extent("Rows", 0, 1, 0, 2)
    assert after(answer("Rows!A1:B1")) == Table(alone, alone)
    assert after(answer("Rows!A1:B1"), text="Rows!A1", **INSERT) == Table(alone, None)


@pytest.mark.parametrize(
    ("cells", "table", "rows"),
    [
        # Wider than the table, or narrower, where its last row is not known.
        ("Rows!A4:B4", "Rows!A1:A3", [ROW]),
        ("Rows!A4", "Rows!A1:B3", [["a"]]),
    ],
)
def test_a_row_that_may_have_changed_the_table_leaves_it_unknown(cells, table, rows):
    """Its rows are known, and the table as a whole is not."""
    found = after(answer(cells, table=table, columns=len(rows[0])), *rows)
    assert found.whole is None
    assert found.rows.height == 1


def test_a_narrow_row_below_known_rows_keeps_the_table():
    """Where the append before has left the table's last rows, a narrower one is found too."""
    found = after(answer("Rows!A4", table="Rows!A1:B3", columns=1), ["a"], before=TABLE)
    assert found == Table(Extent("Rows", 3, 4, 0, 1), Extent("Rows", 0, 4, 0, 2))


@pytest.mark.parametrize(
    "body",
    [
        answer("Rows!B4:C4", table="Rows!A1:B3"),
        answer("Rows!A5:B5", table="Rows!A1:B3"),
        answer("Rows!A4:C4", table="Rows!A1:B3", columns=3),
        answer("Rows!A4:B4", table="nonsense"),
        {},
    ],
)
def test_an_answer_that_does_not_fit_tells_nothing(body):
    """A row elsewhere than right below the table leaves nothing that is known."""
    assert after(body) is None


def test_other_writes_and_failures_tell_of_no_table():
    """Only the success of an append tells of a table."""
    assert merging.table_after(parts_of(update("S!A1")), response({}), None) is None
    refused = response(answer("Rows!A4:B4", table="Rows!A1:B3"), 400)
    assert merging.table_after(parts_of(append(ROW)), refused, None) is None
    assert merging.table_after(parts_of(append(ROW)), None, None) is None


def test_the_base_is_the_spreadsheets():
    """A part knows its spreadsheet, whatever host it is at."""
    (part,) = parts_of(append(ROW))
    assert part.base == BOOK
