"""What a call changed in its object's properties."""

from __future__ import annotations

import ast
import inspect
import threading

import gspread
import gspread.worksheet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.errors import CodecError
from queued_gspread.protocol.property_changes import apply, changes, tracked
from queued_gspread.proxy.call import Caller

properties = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
).filter(lambda value: isinstance(value, dict))


@given(before=properties, after=properties)
def test_changes_turn_the_one_into_the_other(before, after):
    """Applying the changes between two dicts to the first makes the second, types included."""
    made = tracked(before)
    apply(made, changes(before, after))
    assert repr(_sorted(made)) == repr(_sorted(after))


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(before=properties)
def test_nothing_changed_is_no_change(before):
    """A call that leaves the properties alone sends nothing back."""
    assert changes(before, tracked(before)) == []


def test_counts_travel_as_differences():
    """What ``+=`` and ``-=`` made is a difference, what was assigned is an assignment."""
    before = {"gridProperties": {"rowCount": 10, "columnCount": 5, "frozenRowCount": 0}}
    after = tracked(before)
    after["gridProperties"]["rowCount"] += 3
    after["gridProperties"]["rowCount"] -= 1
    after["gridProperties"]["columnCount"] = after["gridProperties"]["columnCount"] + 1
    assert sorted(changes(before, after)) == [
        ["add", ["gridProperties", "rowCount"], 2],
        ["set", ["gridProperties", "columnCount"], 6],
    ]


def _methods_that_count():
    """Find in gspread's source which methods change a count by a difference."""
    tree = ast.parse(inspect.getsource(gspread.worksheet))
    (worksheet,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Worksheet")
    found = {
        method.name: {
            node.target.slice.value
            for node in ast.walk(method)
            if isinstance(node, ast.AugAssign) and "_properties" in ast.unparse(node.target)
        }
        for method in worksheet.body
        if isinstance(method, ast.FunctionDef)
    }
    return {name: counts for name, counts in found.items() if counts}


CALLS = {
    "append_rows": lambda ws: ws.append_rows([["a"], ["b"]]),
    "insert_rows": lambda ws: ws.insert_rows([["a"], ["b"]]),
    "insert_cols": lambda ws: ws.insert_cols([["a"], ["b"]]),
    "delete_dimension": lambda ws: (ws.delete_rows(2, 3), ws.delete_columns(2, 3)),
}


def test_gspreads_counting_methods_are_known():
    """The methods that gspread's source changes a count in by a difference are those below."""
    assert set(_methods_that_count()) == set(CALLS)


@pytest.mark.parametrize("method", CALLS)
def test_no_thread_loses_a_count(ws, method, monkeypatch):
    """A count that gspread changes by a difference keeps what another thread did meanwhile."""
    counts = _methods_that_count()[method]
    before = {count: ws._properties["gridProperties"][count] for count in counts}
    meanwhile = []
    send = Caller.send

    def sending(caller, job, *args):
        reply = send(caller, job, *args)
        for count in counts:
            ws._properties["gridProperties"][count] += 100
        meanwhile.append(100)
        return reply

    with monkeypatch.context() as patch:
        patch.setattr(Caller, "send", sending)
        CALLS[method](ws)
    for count in counts:
        other = sum(meanwhile)
        own = ws._properties["gridProperties"][count] - before[count] - other
        assert own == (-2 if method == "delete_dimension" else 2)


def test_resize_is_an_assignment(ws):
    """Two threads that resize to 200 rows make 200, not more."""
    threads = [threading.Thread(target=ws.resize, args=(200,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.row_count == 200


def test_threads_on_one_object_count_every_row(ws):
    """Four threads that append ten rows each through one object count forty."""
    before = ws.row_count
    threads = [
        threading.Thread(target=lambda: [ws.append_row(["x"]) for _ in range(10)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.row_count == before + 40
    assert len(ws.col_values(1)) == 40


def test_worksheet_methods_only_pass_their_spreadsheet_on():
    """Gspread's worksheet methods read nothing of their spreadsheet but what a job carries."""
    tree = ast.parse(inspect.getsource(gspread.worksheet))
    used = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in ("spreadsheet", "_spreadsheet")
    }
    assert used == set()


@pytest.mark.parametrize(
    "change",
    [
        *(None, [], ["add"], ["jump", ["a"], 1], ["add", [], 1], ["set", 3, 4], "add"),
        *(["add", ["text"], 1], ["add", ["huge"], 1.5]),
    ],
)
def test_a_malformed_change_is_a_codec_error(change):
    """A reply whose changes are not of the documented form says so."""
    with pytest.raises(CodecError, match="operation, path, value"):
        apply({"a": 1, "text": "x", "huge": 10**400}, [change])
