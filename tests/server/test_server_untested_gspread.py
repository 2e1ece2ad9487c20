"""Another gspread than those that merging was tested with: a call stays one unit all the same."""

from __future__ import annotations

from functools import partial

import gspread
import pytest
from calls import WORKSHEET as TARGET
from gspread.utils import absolute_range_name
from places import TOP

from queued_gspread.protocol.kinds import WORKSHEET
from queued_gspread.protocol.messages import Job
from queued_gspread.server import server
from queued_gspread.server.policy.gspread_methods import TESTED_VERSIONS
from queued_gspread.server.replay.advance import sends_once

CALLERS = 6


def update_and_count(self, label, value):
    """Write a cell, and count in another one how often that was done."""
    where, raw = self.spreadsheet_id, {"valueInputOption": "RAW"}
    count = absolute_range_name(self.title, "Z1")
    cell = absolute_range_name(self.title, label)
    self.client.values_update(where, cell, raw, {"values": [[value]]})
    found = self.client.values_get(where, count).get("values", [["0"]])
    return self.client.values_update(where, count, raw, {"values": [[int(found[0][0]) + 1]]})


def update_and_check(self, label, value):
    """Write a cell, and read it where the answer says that one was written."""
    cell = absolute_range_name(self.title, label)
    answer = self.client.values_update(
        self.spreadsheet_id, cell, {"valueInputOption": "RAW"}, {"values": [[value]]}
    )
    if answer.get("updatedCells"):
        self.client.values_get(self.spreadsheet_id, cell)
    return answer


def read_and_write(self, label):
    """Read a cell, and write another one."""
    found = self.client.values_get(self.spreadsheet_id, absolute_range_name(self.title, label))
    self.client.values_update(
        *(self.spreadsheet_id, absolute_range_name(self.title, "Z1")),
        *({"valueInputOption": "RAW"}, {"values": [["seen"]]}),
    )
    return found


@pytest.fixture
def patch(monkeypatch):
    """Return what puts a method in the place of gspread's, for clients and servers."""

    def put(name, function):
        monkeypatch.setattr(gspread.Worksheet, name, function)
        monkeypatch.setitem(WORKSHEET.originals, name, function)

    return put


def warnings(caplog):
    return [line for line in caplog.messages if "are sent alone" in line or "is sent alone" in line]


def writes(scene):
    return [partial(scene.sheet.update_acell, f"A{n + 1}", n) for n in range(CALLERS)]


def test_the_installed_gspread_was_tested():
    """Calls are merged with the gspread that these tests run with, and the docs name it."""
    assert gspread.__version__ in TESTED_VERSIONS
    top = TOP
    versions = " and ".join(TESTED_VERSIONS)
    assert f"that was tested, {versions}." in (top / "docs" / "quota.md").read_text()
    assert f"gspread {versions}" in (top / "README.md").read_text()


def test_another_version_is_sent_alone(stage, monkeypatch, caplog):
    """With a version that was not tested nothing is merged, and the log says so once."""
    monkeypatch.setattr(gspread, "__version__", "6.9.0")
    scene = stage()
    scene.play(*writes(scene))
    assert [method for method, _ in scene.sent] == ["put"] * CALLERS
    (told,) = warnings(caplog)
    assert "gspread 6.9.0" in told
    assert server.TESTED_VERSIONS[0] in told


def test_a_method_that_sends_more_than_it_did(stage, patch, caplog):
    """A write that has become several is a unit from its first call on; the log says so once."""
    patch("update_acell", update_and_count)
    scene = stage()
    scene.play(*writes(scene))
    assert scene.book.sheet1.acell("Z1").value == str(CALLERS)
    (told,) = warnings(caplog)
    assert "worksheet.update_acell sends other requests" in told
    scene.door.close()
    scene.play(*writes(scene))
    assert scene.book.sheet1.acell("Z1").value == str(2 * CALLERS)
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(
    ("name", "function", "args"),
    [("update_acell", update_and_check, ("A1", 1)), ("acell", read_and_write, ("A1",))],
)
def test_a_method_that_is_found_out_later(stage, patch, caplog, name, function, args):
    """What shows in Google's answer alone is noticed then, and no later call is merged."""
    patch(name, function)
    scene = stage()
    scene.play(*[partial(getattr(scene.sheet, name), *args)] * 2)
    assert len(warnings(caplog)) == 1
    scene.door.close()
    scene.play(*[partial(getattr(scene.sheet, name), *args)] * 3)
    assert [method for method, _ in scene.sent] == _turns(name) * 3
    assert len(warnings(caplog)) == 1


def _turns(name):
    return ["put", "get"] if name == "update_acell" else ["get", "put"]


def test_a_trial_sends_nothing_and_spoils_nothing():
    """A trial leaves no trace in the job: its call can be tried again, and made."""
    body = Job("worksheet", "append_row", TARGET, ([1, 2],)).encode()
    assert sends_once(body)
    assert sends_once(body)
    assert not sends_once(Job("worksheet", "insert_rows", TARGET, ([["a"]],)).encode())
