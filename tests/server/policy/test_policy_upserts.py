"""What upserts write, against a plain loop over rows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from queued_gspread.errors import KeyExistsError, UpsertError
from queued_gspread.server.policy.upsert_requests import (
    Append,
    UpsertRequest,
    append_request,
    outcomes,
    result,
    update_request,
)
from queued_gspread.server.policy.upserts import (
    Appending,
    Book,
    fold_appends,
    fold_updates,
    plan,
    resolved,
    rows_by_key,
)

HEADER = ["id", "sub", "a", "b"]
VALUES = st.sampled_from([None, "", 1, "x", "y"])
PARTS = st.sampled_from([1, 1.0, True, "1", "x", "TRUE"])
ROWS = st.lists(
    st.fixed_dictionaries({"id": PARTS, "sub": PARTS}, optional={"a": VALUES, "b": VALUES}),
    max_size=4,
)
CALLS = st.lists(st.tuples(st.sampled_from(["update", "keep", "fail"]), ROWS), max_size=5)
SHEET = st.lists(st.tuples(PARTS | st.just(""), PARTS, VALUES, VALUES), max_size=6)
KEYS = st.sampled_from([("id",), ("id", "sub")])


# The oracle -------------------------------------------------------------------------------------


def same(one, other):
    """Return whether Google stores two values alike: true is no number, and 1 is 1.0."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def matching(table, row, key):
    """Return the places of the rows of a sheet that have the key of a row."""
    return [
        place
        for place, found in enumerate(table)
        if all(found.get(name) not in (None, "") and same(found[name], row[name]) for name in key)
    ]


def serial(table, key, existing, rows):
    """Make one call, row by row, as its documentation says; return what it has come to."""
    counting = []
    for row in rows:
        before = [place for place, one in enumerate(counting) if matching([row], one, key)]
        if before and existing == "fail":
            return "twice"
        if before and existing == "keep":
            continue
        counting = [one for place, one in enumerate(counting) if place not in before] + [row]
    if existing == "fail" and any(matching(table, row, key) for row in counting):
        return "there"
    found = {"updated": [], "appended": [], "kept": [], "ambiguous": []}
    for row in counting:
        places = matching(table, row, key)
        if len(places) > 1:
            found["ambiguous"].append([row[name] for name in key])
        if not places:
            table.append({name: row.get(name) for name in HEADER})
            found["appended"].append(len(table) + 1)
        elif existing == "keep":
            found["kept"].append(places[0] + 2)
        else:
            others = {name: row[name] for name in row if name not in key}
            table[places[0]].update({name: own for name, own in others.items() if own is not None})
            found["updated"].append(places[0] + 2)
    return found


# What the server does ---------------------------------------------------------------------------


def together(table, key, calls):
    """Make calls that share a read, an update and an append; return what each has come to."""
    book = Book("", "Sheet1", 1, key, "RAW")
    columns = [[name, *(row.get(name) or "" for row in table)] for name in key]
    present = rows_by_key(columns, 1)
    ended, updates, appends = {}, [], {}
    for number, (existing, rows) in enumerate(calls):
        try:
            planned = plan(resolved(HEADER, rows, book, existing), present, existing)
        except KeyExistsError:
            ended[number] = "there"
        except UpsertError:
            ended[number] = "twice"
        else:
            updates.append(planned.updates)
            if planned.new:
                wanted = Appending(existing, planned.new)
                appends[number] = Append(wanted, planned.places, planned.ambiguous, [])
            else:
                ended[number] = result(planned.places, planned.ambiguous, [])
    for number, cells in fold_updates(updates).items():
        table[number - 2].update({HEADER[column]: value for column, value in cells.items()})
    if appends:
        rows, _ = fold_appends([step.wanted for step in appends.values()])
        first = len(table) + 2
        table += [{name: row.get(place) for place, name in enumerate(HEADER)} for row in rows]
        written = {"updates": {"updatedRange": f"Sheet1!A{first}:D{len(table) + 1}"}}
        found = outcomes([*appends.values()], written)
        ended |= zip(appends, found, strict=True)
    return [ended[number] for number in range(len(calls))]


def told(outcome):
    """Return an outcome as the oracle has it."""
    if "refusal" in outcome:
        return "there"
    if isinstance(outcome, str):
        return outcome
    ambiguous = [[*each] if isinstance(each, tuple) else [each] for each in outcome["ambiguous"]]
    return {**{name: outcome[name] for name in ("updated", "appended", "kept")}} | {
        "ambiguous": ambiguous
    }


@settings(max_examples=2000)
@given(SHEET, KEYS, CALLS)
def test_upserts_that_share_requests_end_as_one_after_the_other(sheet, key, calls):
    """Results, errors and cells are those of a plain loop over calls and rows."""
    table = [dict(zip(HEADER, row, strict=True)) for row in sheet]
    expected = [dict(row) for row in table]
    serially = [serial(expected, key, existing, rows) for existing, rows in calls]
    jointly = [told(outcome) for outcome in together(table, key, calls)]
    assert jointly == serially
    assert table == expected


@given(SHEET, KEYS, CALLS)
def test_one_upsert_ends_as_a_loop_over_its_rows(sheet, key, calls):
    """The same where no request is shared."""
    table = [dict(zip(HEADER, row, strict=True)) for row in sheet]
    expected = [dict(row) for row in table]
    for existing, rows in calls:
        [one] = together(table, key, [(existing, rows)])
        assert told(one) == serial(expected, key, existing, rows)
    assert table == expected


BOOK = Book("https://host/v4/spreadsheets/ID", "It's", 2, ("id",), "RAW")


def test_the_update_names_runs_of_cells():
    """Cells side by side are one range, and others are left out."""
    request = update_request(BOOK, {5: {0: "a", 1: "b", 3: "d"}, 9: {27: 1}})
    assert isinstance(request, UpsertRequest)
    assert request.json["data"] == [
        {"range": "'It''s'!A5", "values": [["a", "b"]]},
        {"range": "'It''s'!D5", "values": [["d"]]},
        {"range": "'It''s'!AB9", "values": [[1]]},
    ]


def test_the_append_goes_to_the_table_of_the_header():
    """Columns without a value are blank, and rows are inserted."""
    step = Append(Appending("update", []), [], [], [])
    request = append_request(BOOK, [{2: "c"}, {0: "a"}], step)
    assert request.endpoint.endswith("/values/%27It%27%27s%27%21A2:append")
    assert request.params == {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"}
    assert request.json == {"values": [[None, None, "c"], ["a"]]}


def test_an_answer_of_other_rows_is_none():
    """An append whose answer does not say which rows it wrote is not taken for one that does."""
    step = Append(
        Appending("update", resolved(["id"], [["a"]], BOOK, "update")), [("new", 0)], [], []
    )
    for updates in ({}, {"updatedRange": "T!A3:A4"}, {"updatedRange": 7}, None):
        assert outcomes([step], {"updates": updates}) is None
    [made] = outcomes([step], {"updates": {"updatedRange": "'It''s'!A3"}})
    assert made["appended"] == [3]
