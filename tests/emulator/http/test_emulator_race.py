"""The real API's weakness: appends to one sheet that overlap overwrite each other."""

import pytest

from queued_gspread.emulator import Emulator

RACE = 10.0


def race(own, traffic, clock, *calls):
    """Start appends at once, let the race pass, and return their JSON in the order of starting."""
    own.append_race = RACE
    futures = [traffic.start(*call) for call in calls]
    clock.now += RACE
    return [future.result().json() for future in futures]


def insert(traffic, value):
    path = f"{traffic.path}/values/A1:append?valueInputOption=RAW&insertDataOption=INSERT_ROWS"
    return traffic.send("POST", path, json={"values": [[value]]})


def test_appends_that_overlap_overwrite_each_other(own, traffic, clock):
    """All are answered with success and the same place, and one row is left."""
    answers = race(
        own, traffic, clock, *[(traffic.write, {"x-goog-api-key": "k"}, v) for v in "abc"]
    )
    assert [a["updates"]["updatedRange"] for a in answers] == ["Sheet1!A1"] * 3
    assert len(traffic.rows()) == 1


def test_appends_in_turn_are_all_there(own, traffic, clock):
    """An append that begins after the one before it was answered lands below it."""
    for value in "abc":
        race(own, traffic, clock, (traffic.write, {"x-goog-api-key": "k"}, value))
    assert traffic.rows() == ["a", "b", "c"]


def test_inserted_rows_are_all_there(own, traffic, clock):
    """Appends with INSERT_ROWS that overlap push each other down and lose nothing."""
    race(own, traffic, clock, *[(insert, traffic, value) for value in "abc"])
    assert sorted(traffic.rows()) == ["a", "b", "c"]


def test_without_a_race_appends_take_turns(own, traffic):
    """By default, appends of many threads at once are all there."""
    futures = [traffic._pool.submit(traffic.write) for _ in range(20)]
    assert {future.result().status_code for future in futures} == {200}
    assert len(traffic.rows()) == 20


def test_a_sheet_deleted_meanwhile_is_an_error(own, traffic, clock):
    """An append whose sheet was deleted during the race is told so."""
    add = {"requests": [{"addSheet": {"properties": {"title": "T", "sheetId": 5}}}]}
    assert traffic.send("POST", f"{traffic.path}:batchUpdate", json=add).status_code == 200
    own.append_race = RACE
    path = f"{traffic.path}/values/T!A1:append?valueInputOption=RAW"
    late = traffic.start(lambda: traffic.send("POST", path, json={"values": [["x"]]}))
    delete = {"requests": [{"deleteSheet": {"sheetId": 5}}]}
    assert traffic.send("POST", f"{traffic.path}:batchUpdate", json=delete).status_code == 200
    clock.now += RACE
    answer = late.result()
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        "Unable to parse range: T!A1",
    )


def test_a_bad_range_is_told_in_a_race_too(own, traffic, clock):
    """What is wrong with an append is told when it is applied."""
    own.append_race = RACE
    path = f"{traffic.path}/values/Nowhere!A1:append?valueInputOption=RAW"
    late = traffic.start(lambda: traffic.send("POST", path, json={"values": [["x"]]}))
    clock.now += RACE
    assert late.result().status_code == 400


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_odd_seconds_are_refused(seconds):
    """A race takes seconds, 0 or more."""
    with pytest.raises(ValueError, match="cannot be used"):
        Emulator(append_race=seconds)
