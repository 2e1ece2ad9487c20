"""``queued-gspread status``, ``lanes``, ``callers``, ``health``: a snapshot, as text and JSON."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace

import fastjsonschema
import pytest
from places import TOP
from waiting import PATIENCE, eventually

from queued_gspread import max_age
from queued_gspread.broker import Observed
from queued_gspread.broker.connection import client as connection
from queued_gspread.broker.operators import Operator
from queued_gspread.cli import main, screen, watching
from queued_gspread.cli.health import troubles
from queued_gspread.metrics.families import families_of
from queued_gspread.monitor import look, snapshot_of
from queued_gspread.monitor.snapshot import Caller, Expectation, Lane
from queued_gspread.settings import Settings

SCHEMA = json.loads((TOP / "docs" / "snapshot.schema.json").read_text())
EMPTY = snapshot_of(Observed("default", 1_000_000.0))
WAITS = (Expectation("read", 0.0, ""), Expectation("write", 75.0, ""))


def lane(name, calls=3):
    """Return a lane that waits for a slot."""
    where = (name, "Orders", calls, 1, 12.0, "worksheet.append_row", "web1:4711", 2.0)
    return Lane(*where, "quota", "write", 0.0, "", "", WAITS)


@pytest.fixture
def queue(redis_url, namespace):
    """Return the options that name the queue."""
    return ["--redis-url", redis_url, "--namespace", namespace]


@pytest.fixture
def told(queue, capsys):
    """Return a function that runs a command, and returns its status and what it says."""

    def run(*command):
        status = main([*command, *queue])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return run


@pytest.fixture
def counted(redis_url, namespace):
    """Return what waits until servers have published what fits; it returns the snapshot."""
    settings = Settings(redis_url, namespace)
    return lambda fits: eventually(lambda: (found := look(settings)) and fits(found) and found)


def test_a_queue_is_shown_on_one_screen(ws, told, counted):
    """The screen has the server, the quota, what a call would wait, and what was called."""
    ws.append_row(["hidden"])
    with pytest.raises(Exception, match="range"):
        ws.get("hidden range")
    counted(lambda found: sum(each.calls for each in found.callers) >= 3)
    status, shown = told("status")
    assert status == 0
    assert "works" in shown
    assert "no standby" in shown
    for title in ("reads", "writes", "a call now waits", "failures: 0 in doubt", "last hour"):
        assert title in shown
    assert "worksheet.get on A spreadsheet / Sheet1: APIError" in shown
    assert "hidden" not in shown
    assert len(shown.splitlines()) <= 40


def test_what_memory_answers_is_counted(ws, told, counted, emulator):
    """Reads that may be old are hits or misses; the screen has both, and the size of memory."""
    ws.update([["hidden"]])
    assert "memory" not in told("status")[1]
    with max_age(600):
        for _ in range(4):
            ws.get("A1")
    found = counted(lambda found: found.cache.hits)
    assert (found.cache.hits, found.cache.misses, found.cache.answers) == (3, 1, 1)
    assert 0 < found.cache.bytes < found.cache.limit
    coarse = [step for step in found.history if step.seconds == 300]
    assert sum(step.hits for step in coarse) == 3
    status, shown = told("status")
    assert status == 0
    assert (
        "memory answered 3 of 4 reads that may be some seconds old (75%), 3 in the last hour"
        in shown
    )
    assert "it holds 1 answer in " in shown
    assert "hidden" not in shown
    families = {family.name: family.samples for family in families_of(found)}
    reads = {each.labels["result"]: each.value for each in families["queued_gspread_cache_reads"]}
    assert reads == {"hit": 3, "miss": 1}


def test_json_is_of_the_schemas_form(ws, told, counted):
    """What --json prints fits the schema: all of it, or the lanes and callers of it."""
    counted(lambda found: found.callers)
    status, shown = told("status", "--json")
    fastjsonschema.compile(SCHEMA)(json.loads(shown))
    assert status == 0
    for command, name in (("lanes", "Lane"), ("callers", "Caller")):
        of_one = {"definitions": SCHEMA["definitions"], "$ref": f"#/definitions/{name}"}
        listed = json.loads(told(command, "--json")[1])
        for each in listed:
            fastjsonschema.compile(of_one)(each)
        assert command == "lanes" or listed


def test_json_of_lanes_is_of_the_schemas_form(told, monkeypatch):
    """Each lane that --json prints fits the schema, as does the whole snapshot that has it."""
    found = replace(EMPTY, lanes=(lane("one"), lane("two")), lanes_in_all=2)
    monkeypatch.setattr(watching, "look", lambda _: found)
    fastjsonschema.compile(SCHEMA)(json.loads(told("status", "--json")[1]))
    one = {"definitions": SCHEMA["definitions"], "$ref": "#/definitions/Lane"}
    lanes = json.loads(told("lanes", "--json")[1])
    assert [fastjsonschema.compile(one)(each)["lane"] for each in lanes] == ["one", "two"]


def test_a_queue_without_anything_is_shown(told):
    """Where nothing ever was, each command says so."""
    screen = told("status")[1]
    assert "! no server works" in screen
    assert re.search(r"^reads +\? +0 ", screen, re.MULTILINE), "no server has said a limit"
    assert "no calls are in the queue" in told("lanes")[1]
    assert "no server has counted any calls yet" in told("callers")[1]


def test_lanes_are_shown_with_what_they_wait_for():
    """A lane's line has its first call, what it waits for, and how long one more call waits."""
    found = replace(EMPTY, lanes=(lane("one"), lane("two", 1234)), lanes_in_all=5)
    head, one, two, more = screen.lanes(found)
    assert head.split()[:2] == ["spreadsheet", "title"]
    assert "worksheet.append_row of web1:4711" in one
    assert "waits for a slot: writes" in one
    assert one.endswith("0 s  at most 2 min")  # of 75 s
    assert "1234" in two
    assert more == "and 3 more"


def test_what_operators_do_is_shown(told, redis_url, namespace):
    """The screen has what is paused, by whom and why, and what operators have asked for lately."""
    operator = Operator(Settings(redis_url, namespace), "ann@web1")
    operator.pause("write", why="a move")
    shown = told("status")[1]
    assert "! writes are paused by ann@web1 since" in shown
    assert "ago  ann@web1: pause writes (a move)" in shown
    held_up = replace(lane("one"), paused="paused by ann@web1: a move")
    assert "paused by ann@web1: a move" in screen.lanes(replace(EMPTY, lanes=(held_up,)))[1]


def test_rows_keep_their_places():
    """What is shown again stays where it was; what is new takes the places of what is gone."""
    assert screen.keep_places([], ["a", "b"]) == ["a", "b"]
    assert screen.keep_places(["a", "b", "c"], ["c", "d", "a", "e"]) == ["a", "d", "c", "e"]
    assert screen.keep_places(["a", "b", "c"], ["c"]) == ["c"]
    found = replace(EMPTY, lanes=(lane("two"), lane("one")))
    assert [line.split()[0] for line in screen.lanes(found, ["one", "two"])[1:]] == ["one", "two"]
    callers = replace(
        EMPTY, callers=(Caller("b", 0, 2, 0, 1.0, 5.0), Caller("a", 0, 1, 0, 1.0, 5.0))
    )
    assert [line[0] for line in screen.callers(callers, ["a", "b"])[1:]] == ["a", "b"]


def test_only_lines_that_changed_are_written():
    """A terminal that is watched gets the lines that have changed, and no others."""
    first = watching.changed_lines([], ["a", "b"])
    assert first.startswith("\x1b[2J")
    second = watching.changed_lines(["a", "b"], ["a", "c"])
    assert "a" not in second
    assert "\x1b[2;1Hc\x1b[K" in second
    assert watching.changed_lines(["a", "b"], ["a"]).endswith("\x1b[J")


def test_a_queue_is_watched(told, monkeypatch):
    """With --watch a pipe gets one screen after the other, until Ctrl-C."""
    looks = [None, None]

    def sleep(_):
        if not looks:
            raise KeyboardInterrupt
        looks.pop()

    monkeypatch.setattr(watching.time, "sleep", sleep)
    status, shown = told("status", "--watch")
    assert status == 130
    assert shown.count("! no server works") == 3


def test_times_are_shown_in_words():
    """A time is rounded up to seconds, and to larger units where they are enough."""
    assert [screen.seconds(each) for each in (None, 0.2, 59, 90, 7300, 200_000)] == [
        *("?", "1 s", "59 s", "2 min", "2 h", "2 d")
    ]


def test_a_queue_that_works_is_healthy(ws, told, counted):
    """The exit status is 0 while a server works, has a token, and no call is too old."""
    counted(lambda found: found.worker)
    assert told("health", "--max-call-age", "60")[0] == 0


def test_a_queue_without_a_server_is_not_healthy(told):
    """The exit status is 1 where no server works, and a line says so."""
    assert told("health") == (1, "unhealthy: no server works\n")


def test_what_keeps_a_queue_from_working_is_told(ws, counted):
    """A server without a token is a trouble, and so is a call older than it may be."""
    found = counted(lambda found: found.worker)
    assert troubles(found, 0.0) == []
    old = replace(found, oldest_call=61.0)
    assert troubles(old, 60.0) == ["the oldest call has been there for 1 min"]
    assert troubles(old, 0.0) == []
    helpless = replace(found, servers=(replace(found.worker, has_token=False),))
    assert len(troubles(helpless, 0.0)) == 1


def test_health_is_bounded_in_time(capsys, background, new_connections, monkeypatch):
    """A Redis that takes connections and says nothing is a trouble within the time allowed."""
    monkeypatch.setitem(connection.OPTIONS, "socket_timeout", 600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        found = background(main, ["health", "--redis-url", url, "--health-timeout", "0.2"])
        assert found.result(PATIENCE) == 1
    assert capsys.readouterr().out.startswith("unhealthy: ")
