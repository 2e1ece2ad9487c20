"""Which lane a call waits in."""

from __future__ import annotations

import enum
import inspect
import re

import pytest
from odd_ids import ODD_IDS

from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET
from queued_gspread.protocol.routing import ACCOUNT_LANE, METHODS, has_lane, lane_name, lane_of

KEY = "1aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_abcde"
SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"
DRIVE = "https://www.googleapis.com/drive/v3/files"

NO_SPREADSHEET = {
    CLIENT: {"create", "list_spreadsheet_files", "open", "openall"},
    HTTP_CLIENT: {"login"},
}


class Named(str, enum.Enum):
    """An id by a name, as scripts keep them."""

    BOOK = KEY


@pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.name)
def test_every_method_of_the_installed_gspread_was_looked_at(kind):
    """The list has gspread's methods with their parameters: with a later release this fails."""
    installed = {
        name: " ".join(list(inspect.signature(getattr(kind.cls, name)).parameters)[1:])
        for name in kind.calls
    }
    assert installed == {name: parameters for name, (_, parameters) in METHODS[kind].items()}, (
        "look up of each method that is new or has changed which parameter says which spreadsheet "
        "it is for, and put it into queued_gspread.protocol.routing.METHODS"
    )
    assert all(has_lane(kind, name) for name in kind.calls)
    for telling, parameters in METHODS[kind].values():
        assert telling in ("", *parameters.split())


@pytest.mark.parametrize("kind", [CLIENT, HTTP_CLIENT], ids=lambda kind: kind.name)
def test_every_call_with_an_id_goes_to_its_spreadsheets_lane(kind):
    """Each method that is told a spreadsheet waits in that spreadsheet's lane, the rest not."""
    for method in kind.calls:
        value = f"https://docs.google.com/spreadsheets/d/{KEY}/edit" if "url" in method else KEY
        args = ("get", f"{SHEETS}/{KEY}") if method == "request" else (value,)
        lane = lane_of(kind, None, method, args, {})
        free = method in NO_SPREADSHEET[kind]
        assert lane == (ACCOUNT_LANE if free else KEY), method


def test_keywords_count_as_well():
    """An id that is given by keyword is found."""
    assert lane_of(CLIENT, None, "open_by_key", (), {"key": KEY}) == KEY
    assert lane_of(HTTP_CLIENT, None, "export", (), {"file_id": KEY}) == KEY


@pytest.mark.parametrize(
    ("endpoint", "lane"),
    [
        (f"{SHEETS}/{KEY}", KEY),
        (f"{SHEETS}/{KEY}:batchUpdate", KEY),
        (f"{SHEETS}/{KEY}/values/A1:append", KEY),
        (f"{DRIVE}/{KEY}/permissions", KEY),
        (f"https://www.googleapis.com/upload/drive/v2/files/{KEY}", KEY),
        (f"https://docs.google.com/spreadsheets/d/{KEY}/export?format=csv&gid=1", KEY),
        (f"{SHEETS}/d/values/spreadsheets", "d"),
        (DRIVE, ACCOUNT_LANE),
        (SHEETS, ACCOUNT_LANE),
        (f"{DRIVE}?q=/drive/v3/files/other", ACCOUNT_LANE),
        (f"{SHEETS}/{KEY}/values/A1#/v4/spreadsheets/other", KEY),
        (f"{SHEETS.replace('sheets/', '')}?x={SHEETS}/other", ACCOUNT_LANE),
        (f"{SHEETS}/{KEY[:-1]}%{ord(KEY[-1]):x}/values/A1", KEY),
        (f"{SHEETS}/{KEY}.x/values/A1", lane_name(f"{KEY}.x")),
        ("https://[", ACCOUNT_LANE),
    ],
)
def test_a_requests_lane_is_in_its_url(endpoint, lane):
    """A bare request waits in the lane of the spreadsheet that its URL names."""
    assert lane_of(HTTP_CLIENT, None, "request", ("get", endpoint), {}) == lane


@pytest.mark.parametrize("kind", [SPREADSHEET, WORKSHEET], ids=lambda kind: kind.name)
def test_an_objects_calls_go_to_its_own_lane(kind):
    """A spreadsheet's and a worksheet's calls wait in one lane, whatever their arguments."""
    assert {lane_of(kind, KEY, method, ("x",), {}) for method in kind.calls} == {KEY}


@pytest.mark.parametrize("odd", ["{}?x=y", "{}#gid=0", "{}/edit", "%{:x}{}", "{}:batchUpdate"])
def test_an_id_is_what_google_sees_of_it(odd):
    """An id with more in it than an id waits in the lane of the spreadsheet that its URL names."""
    given = odd.format(ord(KEY[0]), KEY[1:]) if odd.startswith("%") else odd.format(KEY)
    assert lane_of(HTTP_CLIENT, None, "values_get", (given, "A1"), {}) == KEY
    assert lane_of(SPREADSHEET, given, "values_get", ("A1",), {}) == KEY


@pytest.mark.parametrize("plain", [KEY, "a", "_", "0-1", "lane", "--", "x" * 200, 3, Named.BOOK])
def test_an_id_as_google_makes_them_is_its_lanes_name(plain):
    """Observers can read which spreadsheet a lane is of."""
    lane = lane_of(CLIENT, None, "open_by_key", (plain,), {})
    assert type(lane) is str
    assert lane == (KEY if plain is Named.BOOK else str(plain))


def test_no_odd_id_is_the_name_of_its_lane():
    """Whatever an id is, its lane's name is short and plain, the account's of none, and its own."""
    lanes = {odd: lane_name(odd) for odd in ODD_IDS}
    assert all(re.fullmatch("~[0-9a-f]{64}", lane) for lane in lanes.values())
    assert len(set(lanes.values())) == len(ODD_IDS)
    assert lane_name(None) == ACCOUNT_LANE
    # Not even by an id that looks like such a name.
    assert lane_name(lanes["-"]) not in lanes.values()
