"""What an emulator keeps as JSON and back, without files."""

import copy
import json
import random

import emulator_recordings as recordings
import pytest
from emulator_state import EPOCH, again, new_project, new_store, picture, written
from hypothesis import given, settings
from hypothesis import strategies as st

from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.cell import Cell
from queued_gspread.emulator.book.grid import Grid
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import SURROUNDINGS, Spreadsheet
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, File
from queued_gspread.emulator.storage.state import (
    DamagedError,
    NewerError,
    from_json,
    taken,
    to_json,
)

ROWS, COLUMNS = 6, 5
KEY = {"x-goog-api-key": "k"}
TEXT = st.text(st.characters(), max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
# Messages have neither null nor NaN: no request is taken that has them.
PARTS = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
# No name of a field that has to be of some type.
NAMES = TEXT.map("~{}~".format)
OBJECTS = st.dictionaries(
    NAMES,
    st.recursive(
        PARTS,
        lambda below: st.lists(below, max_size=2) | st.dictionaries(NAMES, below, max_size=2),
    ),
    max_size=3,
)


def messages(**needed):
    """Draw messages that have some fields, whatever else is in them."""
    fixed = st.fixed_dictionaries(needed)
    one = st.builds(lambda other, own: {**other, **own}, OBJECTS, fixed)
    return st.lists(one, max_size=2)


PROTECTED = messages(protectedRangeId=st.integers())
NAMED = messages(namedRangeId=TEXT, name=TEXT, range=OBJECTS)
PERMISSIONS = messages(id=TEXT, type=TEXT, role=TEXT)
COMMENTS = messages(id=TEXT)
CELLS = st.builds(
    Cell,
    value=SCALARS,
    formula=st.none() | TEXT,
    format=st.none() | OBJECTS,
    note=st.none() | TEXT,
    validation=st.none() | OBJECTS,
)
PLACES = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1))
SPANS = st.tuples(st.integers(0, 5), st.integers(6, 9))


@st.composite
def sheets(draw):
    sheet = Sheet(draw(st.integers(0, 2**31)), draw(TEXT), ROWS, COLUMNS)
    for (row, column), cell in draw(st.dictionaries(PLACES, st.none() | CELLS)).items():
        sheet.grid.put(row, column, cell)
    sheet.properties, sheet.grid_properties = draw(OBJECTS), draw(OBJECTS)
    sheet.merges = draw(st.lists(st.builds(Rect, *[st.integers(0, 9)] * 4), max_size=2))
    sheet.basic_filter = draw(st.none() | st.fixed_dictionaries({"range": OBJECTS}))
    sheet.protected_ranges = draw(PROTECTED)
    for dimension in ("ROWS", "COLUMNS"):
        sheet.groups[dimension] = draw(st.lists(SPANS, max_size=2))
        by_index = st.dictionaries(st.integers(0, 9), OBJECTS, max_size=2)
        sheet.dimensions[dimension] = draw(by_index)
    return sheet


@st.composite
def files(draw, file_id):
    times = st.datetimes(timezones=st.just(EPOCH.tzinfo) | st.none())
    file = File(file_id, draw(TEXT), draw(TEXT), draw(times), draw(times))
    file.parents, file.permissions = draw(st.lists(TEXT)), draw(PERMISSIONS)
    file.comments = draw(COMMENTS)
    file.trashed, file.version = draw(st.booleans()), draw(st.integers(0, 9))
    if draw(st.booleans()):
        file.book = Spreadsheet(file_id, draw(TEXT), draw(st.lists(sheets(), max_size=2)))
        file.book.properties |= draw(OBJECTS)
        file.book.named_ranges = draw(NAMED)
    return file


@st.composite
def stores(draw):
    store = new_store(draw(st.integers(0, 9)))
    for file_id in draw(st.lists(TEXT, max_size=2, unique=True)):
        store.files[file_id] = draw(files(file_id))
    store.private = draw(st.sets(TEXT, max_size=2))
    return store


def answers(store):
    """Return what a client can see of all files."""
    targets = ["/drive/v3/files?fields=*"]
    for file_id, file in store.files.items():
        below = ("comments", "permissions")
        targets += [f"/drive/v3/files/{file_id}/{what}?fields=*" for what in below]
        targets += [f"/v4/spreadsheets/{file_id}?includeGridData=true"] if file.book else []
    return [answer(store, Request("GET", target, KEY, b"")) for target in targets]


@settings(deadline=None)
@given(stores())
def test_everything_comes_back(store):
    """Whatever a store has comes back with its types and its order."""
    other = again(store)
    assert picture(other.files) == picture(store.files)
    assert (other.private, other.owner_id) == (store.private, store.owner_id)


@settings(deadline=None)
@given(stores())
def test_the_text_is_that_of_the_plain_data(store):
    """The pieces that are written one after the other are the JSON of the whole."""
    whole = json.dumps(to_json(taken(store, new_project())))
    assert picture(json.loads(written(store))) == picture(json.loads(whole))


@settings(deadline=None)
@given(stores(), st.randoms(use_true_random=False))
def test_what_was_taken_does_not_change(store, chance):
    """What is done to a store after it was taken is not in what was taken."""
    kept = taken(store, new_project())
    before = picture(kept.files)
    spoil(list(store.files.values()), chance)
    assert picture(kept.files) == before


def spoil(value, chance):
    """Change everything in place that can be."""
    if isinstance(value, Grid):
        for row in range(ROWS):
            value.put(row, chance.randrange(COLUMNS), Cell("spoilt"))
        value.grow(99, 99)
    elif isinstance(value, dict):
        for part in value.values():
            spoil(part, chance)
        value["spoilt"] = 1
    elif isinstance(value, list):
        for part in value:
            spoil(part, chance)
        value.append("spoilt")
    elif isinstance(value, (File, Spreadsheet, Sheet)):
        for part in vars(value).values():
            spoil(part, chance)


@pytest.mark.skipif(
    not recordings.FOLDER.is_dir(), reason="needs the recorded traffic of Google's API"
)
def test_recorded_traffic_comes_back():
    """Of what the recorded traffic leaves behind, clients see the same after a restart."""
    compared = 0
    for path in sorted(recordings.FOLDER.glob("*.json")):
        player = recordings.Player(*recordings.load(path))
        for _ in player.play():
            pass
        other = again(player.store)
        assert answers(other) == answers(player.store), path.stem
        assert picture(other.files) == picture(player.store.files), path.stem
        compared += sum(file.book is not None for file in other.files.values())
    assert compared


def test_no_attribute_is_forgotten():
    """What has a rule of its own in the state has the attributes that the rules know."""
    known = {"ids", "email", "owner_id", "files", "private", *SURROUNDINGS}
    known |= {"caller", "exceptions"}  # of a request, and rights of accounts, which are not kept
    assert vars(new_store()).keys() == known
    known = {"row_count", "column_count", "has_formulas", "_rows", "_filled"}
    assert vars(Grid(1, 1)).keys() == known


def test_formulas_are_found_again():
    """A grid with formulas is known to have them."""
    store = new_store()
    grid = store.create("x", SPREADSHEET_TYPE).book.sheets[0].grid
    for cell, found in ((Cell(1), False), (Cell(formula="=A1"), True)):
        grid.put(3, 3, cell)
        kept = next(iter(again(store).files.values()))
        assert kept.book.sheets[0].grid.has_formulas is found


def test_formats_are_stored_once():
    """Cells with the same format share one entry, whichever of them made it."""
    store = new_store()
    grid = store.create("x", SPREADSHEET_TYPE).book.sheets[0].grid
    for row in range(100):
        grid.put(row, row % 7, Cell(row, format={"textFormat": {"fontFamily": "Peculiar"}}))
        grid.put(row, 9, Cell(row, format={"textFormat": {"peculiarity": 1 if row % 2 else True}}))
    text = written(store)
    assert text.count("Peculiar") == 1
    assert text.count("peculiarity") == 2
    cells = [cell for _, _, cell in grid_of(again(store)).stored(grid.everything)]
    assert len({id(cell.format) for cell in cells}) == 3


def grid_of(store):
    return next(iter(store.files.values())).book.sheets[0].grid


def test_ids_go_on():
    """A new emulator with a seed makes up the ids that the old one would have made up."""
    store = new_store()
    store.create("x", SPREADSHEET_TYPE)
    other = again(store)
    assert [other.ids.file() for _ in range(3)] == [store.ids.file() for _ in range(3)]


def test_ids_without_a_seed_do_not_come_again():
    """Without a seed a new emulator does not give out the ids that the old one gave out last."""
    store = new_store(seed=None)
    state = store.ids.state
    lost = store.ids.file()
    store.ids.resume(state)
    assert store.ids.file() != lost


def sample():
    store = new_store()
    grid = store.create("x", SPREADSHEET_TYPE).book.sheets[0].grid
    grid.put(0, 0, Cell("a", format={"f": 1}))
    grid.put(1, 0, Cell("b"))
    return json.loads(written(store))


def changed(*path, to):
    """Return a state in which one value is another; with `...`, in which it is missing."""
    state = sample()
    place = state
    for name in path[:-1]:
        place = place[name]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return state


SHEET = ("files", 0, "book", "sheets", 0)


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ([], "it is not marked as"),
        ({}, "it is not marked as"),
        ({"format": "another"}, "it is not marked as"),
        (changed("version", to="1"), "version"),
        (changed("owner_id", to=5), "owner_id"),
        (changed("generator", to=[3, [], None]), "generator"),
        (changed("generator", to=None), "generator"),
        (changed("private", to="abc"), "private"),
        (changed("accounts", to={"a@example.com": {}}), "a@example.com"),
        (changed("shared", to=...), "shared"),
        (changed("shared", to=[]), r"sheets\[0\].grid.rows\[0\]"),
        (changed("files", 0, "file_id", to=...), r"files\[0\]"),
        (changed("files", 0, "created", to="noon"), r"files\[0\].created"),
        (changed("files", 0, "book", to=[]), r"files\[0\].book"),
        (changed("files", 0, "novelty", to=1), r"files\[0\].novelty"),
        (changed("files", 0, "parents", to="root"), r"files\[0\].parents"),
        (changed(*SHEET, "merges", to=[[1, 2, 3]]), r"sheets\[0\].merges\[0\]"),
        (changed(*SHEET, "dimensions", "ROWS", to=[1]), r"sheets\[0\].dimensions.ROWS"),
        (changed(*SHEET, "sheet_id", to="0"), r"sheets\[0\].sheet_id"),
        (changed(*SHEET, "grid", "row_count", to="9"), r"grid.row_count"),
        (changed(*SHEET, "grid", "rows", 1, to="b"), r"grid.rows\[1\]"),
        (changed(*SHEET, "grid", "rows", 1, to=[["b"]]), r"grid.rows\[1\]"),
        (changed(*SHEET, "grid", "rows", 0, "more", 0, 2, to={"colour": 0}), r"grid.rows\[0\]"),
    ],
)
def test_damage_is_told_with_its_place(state, place):
    """What cannot be read is an error that says where in the state it is."""
    with pytest.raises(DamagedError, match=place):
        from_json(state)


def test_a_newer_format_is_refused():
    """A state in a format that is not known yet is told from a damaged one."""
    with pytest.raises(NewerError, match="its format is 2, this version knows 1"):
        from_json(changed("version", to=2))


def test_no_damage_goes_unnoticed_as_another_error():
    """Whatever of a state is replaced by something odd, the error is that of a damaged one."""
    whole, chance = sample(), random.Random(1)
    refused = 0
    for _ in range(300):
        state = copy.deepcopy(whole)
        place = state
        while True:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], (dict, list)) or not place[key] or chance.random() < 0.2:
                break
            place = place[key]
        place[key] = chance.choice([None, 7, "x", [], [[]], {}, {"x": 1}])
        try:
            from_json(state)
        except (DamagedError, NewerError):
            refused += 1
    assert refused > 100
