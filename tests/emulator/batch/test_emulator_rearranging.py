import pytest
from batch_requests import cells, lines, refused, send, sheet_json

from queued_gspread.emulator.batch.moves import Move, Push
from queued_gspread.emulator.batch.shift import Shift
from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.values.references import moved_formula


def test_rows_move_as_in_googles_example(book, sheet):
    """The reference's example: 1 and 2 of 0..4 moved to index 4 end up before the 4."""
    sheet.update([[n] for n in range(5)], "A1")
    assert send(book, "moveDimension", source=lines("ROWS", 1, 3), destinationIndex=4) == {}
    assert sheet.col_values(1) == ["0", "3", "1", "2", "4"]
    send(book, "moveDimension", source=lines("ROWS", 2, 4), destinationIndex=1)
    assert sheet.col_values(1) == ["0", "1", "2", "3", "4"]


def test_columns_move_with_what_refers_to_them(book, sheet):
    """Formulas, named ranges, merges, widths and notes follow a column that moves."""
    sheet.update([[1, 2, 3, "=A1+B1"]], "A1", raw=False)
    sheet.define_named_range("A1:A2", "First")
    sheet.merge_cells("A2:A3")
    sheet.update_note("A1", "mine")
    sheet.hide_columns(0, 1)
    send(book, "moveDimension", source=lines("COLUMNS", 0, 1), destinationIndex=3)
    assert sheet.get("A1:D1", value_render_option="FORMULA") == [[2, 3, 1, "=C1+A1"]]
    assert book.values_get("First")["range"] == "Sheet1!C1:C2"
    assert sheet.get_note("C1") == "mine"
    found = book.fetch_sheet_metadata({"includeGridData": True, "ranges": "A1:C1"})["sheets"][0]
    assert found["merges"][0]["startColumnIndex"] == 2
    hidden = [line.get("hiddenByUser") for line in found["data"][0]["columnMetadata"]]
    assert hidden == [None, None, True]


def test_moves_that_tear_a_merge_are_refused(book, sheet):
    """A row moves neither out of a merge nor into one; nothing changes."""
    sheet.update([["a"], ["b"], ["c"]], "A1")
    sheet.merge_cells("B1:B2")
    for source, destination in (((0, 1), 3), ((2, 3), 1)):
        message = refused(
            book,
            "moveDimension",
            source=lines("ROWS", *source),
            destinationIndex=destination,
        )
        assert "crosses a merged cell" in message
    assert sheet.col_values(1) == ["a", "b", "c"]


@pytest.mark.parametrize(("end", "destination"), [(1001, 0), (1, 1001), (1, -1)])
def test_moves_beyond_the_grid_are_refused(book, end, destination):
    """Source and destination have to be in the grid, and the message names the number."""
    source = lines("ROWS", 0, end)
    message = refused(book, "moveDimension", source=source, destinationIndex=destination)
    assert "[1001]" in message or "[-1]" in message


@pytest.mark.parametrize(
    ("start", "end", "destination"), [(1, 3, 5), (3, 5, 1), (0, 1, 6), (2, 6, 0)]
)
def test_moved_indices_are_those_of_a_list(start, end, destination):
    """Every index goes where taking a slice out of a list and putting it back takes it."""
    rows = list(range(6))
    taken = rows[start:end]
    rest = rows[:start] + rows[end:]
    place = destination if destination <= start else destination - len(taken)
    expected = rest[:place] + taken + rest[place:]
    move = Move("ROWS", start, end, destination)
    assert [expected.index(row) for row in rows] == [move.index(row) for row in rows]


def test_a_push_moves_only_what_is_between_its_columns():
    """A range within the pushed columns moves, a wider one and one above it stay."""
    push = Push("ROWS", 2, 3, (1, 3))
    assert push.rect(Rect(2, 4, 1, 2)) == Rect(5, 7, 1, 2)
    assert push.rect(Rect(0, 4, 1, 3)) == Rect(0, 7, 1, 3)
    assert push.rect(Rect(2, 4, 0, 2)) == Rect(2, 4, 0, 2)
    assert Push("COLUMNS", 1, -1, (0, 1)).rect(Rect(0, 1, 1, 2)) is None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (Shift("ROWS", 0, 1), "=SUM(A:B)+SUM(B3:B)+SUM(2:3)"),
        (Shift("COLUMNS", 1, 2), "=SUM(A:D)+SUM(D2:D)+SUM(1:2)"),
        (Shift("ROWS", 0, -2), "=SUM(A:B)+SUM(B1:B)+SUM(#REF!)"),
        (Move("COLUMNS", 1, 2, 0), "=SUM(A:B)+SUM(A2:A)+SUM(1:2)"),
        (Push("ROWS", 0, 1, (1, 2)), "=SUM(A:B)+SUM(B3:B)+SUM(1:2)"),
    ],
)
def test_open_ranges_in_formulas_move(change, found):
    """Whole columns, whole rows and ranges without an end move along and stay open."""
    formula = "=SUM(A:B)+SUM(B2:B)+SUM(1:2)"
    assert moved_formula(formula, "Home", "Home", change) == found


@pytest.mark.parametrize(
    ("dimension", "found"),
    [
        ("ROWS", [["a", "", "c"], ["d", "", "f"], ["g", "b", "i"], ["", "e"], ["", "h", "=B4"]]),
        (
            "COLUMNS",
            [["a", "", "b", "c"], ["d", "", "e", "f"], ["g", "h", "i"], [], ["", "", "=C2"]],
        ),
    ],
)
def test_cells_are_inserted(book, sheet, dimension, found):
    """Inserted cells push others down or right; formulas follow, the rest of the grid stays."""
    sheet.update(
        [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"], [], ["", "", "=B2"]], "A1", raw=False
    )
    reply = send(book, "insertRange", range=cells((0, 2), (1, 2)), shiftDimension=dimension)
    assert reply == {}
    assert sheet.get("A1:D5", value_render_option="FORMULA") == found
    send(book, "deleteRange", range=cells((0, 2), (1, 2)), shiftDimension=dimension)
    assert sheet.get("A1:C5", value_render_option="FORMULA")[:2] == [
        ["a", "b", "c"],
        ["d", "e", "f"],
    ]
    assert sheet.acell("C5", value_render_option="FORMULA").value == "=B2"


def test_deleted_cells_take_references_with_them(book, sheet):
    """A formula no longer refers to a deleted cell, a named range of it is gone."""
    sheet.update([["x", "=A1"], ["y"]], "A1", raw=False)
    sheet.define_named_range("A1:A1", "Gone")
    send(book, "deleteRange", range=cells((0, 1), (0, 1)), shiftDimension="ROWS")
    assert sheet.get("A1:B1", value_render_option="FORMULA") == [["y", "=#REF!"]]
    assert book.list_named_ranges() == []


def test_cells_pushed_over_the_edge_are_not_lost(book, sheet):
    """The grid grows for cells that would fall over its edge."""
    sheet.resize(2, 2)
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    send(book, "insertRange", range=cells((0, 1), (0, 1)), shiftDimension="ROWS")
    assert book.sheet1.row_count == 3
    assert sheet.get_all_values() == [["", "b"], ["a", "d"], ["c", ""]]


def test_cells_of_a_torn_merge_are_not_shifted(book, sheet):
    """A merge of which only a part would move is an error; a whole one moves."""
    sheet.merge_cells("A3:B3")
    message = refused(book, "insertRange", range=cells((0, 1), (0, 1)), shiftDimension="ROWS")
    assert "merge" in message
    send(book, "insertRange", range=cells((0, 1), (0, 2)), shiftDimension="ROWS")
    assert sheet_json(book)["merges"][0]["startRowIndex"] == 3


def test_a_shift_needs_its_dimension(book):
    """Without a direction the request is refused and says which there are."""
    message = refused(book, "deleteRange", range=cells((0, 1), (0, 1)))
    assert "shiftDimension must be ROWS or COLUMNS" in message


def test_duplicates_are_removed(book, sheet):
    """The first of equal rows stays, whatever the case; below the range nothing moves."""
    sheet.update(
        [["a", 1], ["A", 1], ["b", 1], ["a", "=0+1"], ["", ""], ["end", 9]], "A1", raw=False
    )
    reply = send(book, "deleteDuplicates", range=cells((0, 5), (0, 2)))
    assert reply == {"deleteDuplicates": {"duplicatesRemovedCount": 2}}
    assert sheet.get_all_values() == [["a", "1"], ["b", "1"], *[["", ""]] * 3, ["end", "9"]]
    assert send(book, "deleteDuplicates", range=cells((0, 5), (0, 2))) == {"deleteDuplicates": {}}
    columns = [lines("COLUMNS", 1, 2)]
    reply = send(book, "deleteDuplicates", range=cells((0, 5), (0, 2)), comparisonColumns=columns)
    assert reply == {"deleteDuplicates": {"duplicatesRemovedCount": 1}}
    assert sheet.col_values(1) == ["a", "", "", "", "", "end"]


def test_comparison_columns_have_to_be_in_the_range(book):
    """A column outside of the range is an error."""
    columns = [lines("COLUMNS", 2, 3)]
    message = refused(
        book, "deleteDuplicates", range=cells((0, 5), (0, 2)), comparisonColumns=columns
    )
    assert "comparisonColumns" in message


def test_a_range_is_randomized(book, sheet):
    """Rows stay whole and all are there, in another order; other columns stay."""
    sheet.update([[n, n, n] for n in range(40)], "A1")
    assert send(book, "randomizeRange", range=cells((0, 40), (0, 2))) == {}
    first, second, third = sheet.get("A1:C40", major_dimension="COLUMNS")
    assert first == second
    assert first != third
    assert sorted(first, key=int) == third
