"""Bursts of changes of structure and format, and calls that are never merged."""

from __future__ import annotations

from hypothesis import strategies as st

from .books import NAMES, TITLES, sheet_id
from .calls import CORNERS, Call, low_level, ranges

_INDEX = st.integers(0, 6)
_SPANS = st.tuples(_INDEX, st.integers(1, 7))
_FORMATS = st.sampled_from(
    (
        {"textFormat": {"bold": True}},
        {"numberFormat": {"type": "TEXT"}},
        {"backgroundColor": {"red": 1}},
        {"horizontalAlignment": "NOWHERE"},
        {},
    )
)
_BATCHES = (
    ("format", st.tuples(ranges(), _FORMATS)),
    ("format", st.tuples(ranges(), _FORMATS)),
    (
        "batch_format",
        st.tuples(
            st.lists(st.fixed_dictionaries({"range": ranges(), "format": _FORMATS}), max_size=2)
        ),
    ),
    ("insert_note", st.tuples(ranges(), st.sampled_from(("note", "")))),
    ("insert_notes", st.tuples(st.dictionaries(ranges(), st.just("n"), max_size=2))),
    ("clear_note", st.tuples(ranges())),
    ("freeze", st.tuples(st.sampled_from((0, 1, 99)), st.sampled_from((None, 1)))),
    ("add_rows", st.tuples(st.sampled_from((1, 3, -1)))),
    ("add_cols", st.tuples(st.sampled_from((1, 2)))),
    ("resize", st.tuples(st.integers(0, 9), st.integers(1, 9))),
    ("delete_rows", _SPANS),
    ("delete_columns", _SPANS),
    ("merge_cells", st.tuples(ranges())),
    ("unmerge_cells", st.tuples(ranges())),
    ("define_named_range", st.tuples(ranges(), st.sampled_from((*NAMES, "New", "bad name")))),
    ("delete_named_range", st.tuples(st.sampled_from(("100", "101", "x")))),
    ("update_title", st.tuples(st.sampled_from(TITLES))),
    ("update_index", st.tuples(_INDEX)),
    ("update_tab_color", st.tuples(st.sampled_from(("#ff0000", "#00ff00")))),
    ("hide", st.just(())),
    ("show", st.just(())),
    ("hide_rows", _SPANS),
    ("sort", st.tuples(st.sampled_from(((1, "asc"), (2, "des"))))),
    ("copy_range", st.tuples(ranges(), ranges())),
    ("cut_range", st.tuples(ranges(), ranges())),
    ("duplicate", st.tuples(st.sampled_from((None, 0)), st.sampled_from((None, 77)))),
    ("set_basic_filter", st.tuples(ranges())),
    ("clear_basic_filter", st.just(())),
    ("add_dimension_group_rows", _SPANS),
    ("add_protected_range", st.tuples(ranges(), st.just(["a@example.com"]))),
)
# As the server sees them: what is idempotent does not leave with what is not.
_IDEMPOTENT = (
    *("format", "batch_format", "insert_note", "insert_notes", "clear_note", "freeze", "hide"),
    *("resize", "update_index", "update_tab_color", "show", "hide_rows", "update_title"),
)
_OFTEN = tuple(pair for pair in _BATCHES if pair[0] in _IDEMPOTENT)
_ONCE = tuple(pair for pair in _BATCHES if pair[0] not in _IDEMPOTENT)
_BATCHES_OF_A_BOOK = (
    (
        "add_worksheet",
        st.tuples(st.sampled_from((*TITLES[:6], "New")), st.integers(0, 9), st.integers(1, 9)),
    ),
    ("del_worksheet_by_id", st.tuples(st.sampled_from((0, 11, 22, 77)))),
    ("duplicate_sheet", st.tuples(st.sampled_from((0, 11, 99)))),
    ("update_title", st.tuples(st.sampled_from(("Other", "", "Book")))),
    ("update_locale", st.tuples(st.sampled_from(("de_DE", "xx")))),
)
_ENTERED = {"userEnteredValue": {"stringValue": "z"}}


@st.composite
def _requests(draw):
    owner = sheet_id(draw(st.integers(0, 2)))
    row, column = draw(CORNERS)
    start = {"sheetId": owner, "rowIndex": row, "columnIndex": column}
    line = {"sheetId": owner, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    return draw(
        st.sampled_from(
            (
                {"appendDimension": {"sheetId": owner, "dimension": "ROWS", "length": 2}},
                {"insertDimension": {"range": line}},
                {"deleteDimension": {"range": line}},
                {
                    "updateCells": {
                        "start": start,
                        "rows": [{"values": [_ENTERED]}],
                        "fields": "userEnteredValue",
                    }
                },
                {
                    "appendCells": {
                        "sheetId": owner,
                        "rows": [{"values": [_ENTERED, _ENTERED]}],
                        "fields": "userEnteredValue",
                    }
                },
                {"findReplace": {"find": "x", "replacement": "q", "allSheets": True}},
                {"addSheet": {}},
                {"addSheet": {"properties": {"title": "New", "sheetId": owner}}},
                {"deleteSheet": {"sheetId": owner}},
                {"nonsense": {}},
                {},
                [],
            )
        )
    )


@st.composite
def batches(draw, scene):
    """Draw changes of structure and format; some build on those before."""
    home = draw(scene.sheets)
    methods = draw(st.sampled_from((_ONCE, _OFTEN, _BATCHES)))
    calls = []
    for _ in range(draw(st.integers(2, 7))):
        sheet = home if draw(st.integers(0, 3)) else draw(scene.sheets)
        way = draw(st.integers(0, 11)) - 2
        if way < 6:
            method, args = draw(st.sampled_from(methods))
            calls.append(Call("worksheet", method, draw(args), sheet=sheet))
        elif way < 8:
            method, args = draw(st.sampled_from(_BATCHES_OF_A_BOOK))
            calls.append(Call("spreadsheet", method, draw(args)))
        else:
            body = {"requests": draw(st.lists(_requests(), max_size=3))}
            if draw(st.integers(0, 7)) == 0:
                body["includeSpreadsheetInResponse"] = draw(st.booleans())
            calls.append(low_level(way == 8, "batch_update", (body,)))
    return calls


@st.composite
def barriers(draw, scene):
    """Draw one of the calls of several requests, and such as end without one."""
    sheet = draw(scene.sheets)
    return [
        draw(
            st.sampled_from(
                (
                    Call("worksheet", "insert_row", (["i", "j"], 1), sheet=sheet),
                    Call("worksheet", "insert_cols", ([["i"]], 1), sheet=sheet),
                    Call("worksheet", "row_values", ("x",), sheet=sheet),
                    Call("worksheet", "no_such_method", sheet=sheet),
                    Call("spreadsheet", "reorder_worksheets", ([],)),
                    Call("http_client", "values_get", ("none", "A1")),
                )
            )
        )
    ]
