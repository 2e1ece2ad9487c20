"""``queued-gspread pause``, ``resume``, ``drain``, ``jobs`` and ``purge``."""

from __future__ import annotations

import json
import logging
import os
import socket

import pytest
from places import DOCS
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import failed_calls
from queued_gspread.broker.operators import who_asks
from queued_gspread.cli import main
from queued_gspread.errors import CallCancelledError, QueueDrainedError
from queued_gspread.settings import Settings


@pytest.fixture
def command(redis_url, namespace, capsys):
    """Return a function that runs a command, and returns its status and what it says."""

    def run(name, *options):
        where = ["--redis-url", redis_url, "--namespace", namespace]
        try:
            status = main([name, *options, *where])
        except SystemExit as ended:
            status = ended.code
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


@pytest.fixture
def paused(operator, ws, background):
    """Return what has calls wait under a pause; they are made, or cancelled, before the end."""
    operator.pause("all")
    calls = []

    def add(count=1):
        for _ in range(count):
            calls.append(background(ws.append_row, ["secret"]))
            eventually(lambda: operator.waiting() == len(calls))
        return calls

    yield add
    operator.resume()
    for call in calls:
        call.exception(PATIENCE)


@pytest.mark.parametrize("name", ["jobs", "locks", "lanes", "status", "purge"])
def test_nothing_that_others_have_named_moves_the_cursor(command, raw, keys, name):
    """Who may put in calls chooses names of lanes and locks; a terminal gets none to obey."""
    odd = "x\x1b[2J\ry"
    raw.sadd(keys.active, odd)
    raw.xadd(keys.lane(odd), {"id": "odd", "body": "{}"})
    raw.hset(keys.locks, odd, "L1 1 1 1 held who")
    _, told = command(name)
    assert "\x1b" not in told
    assert "\r" not in told


def test_what_is_paused_is_said_and_resumed(command, ws, caplog, operator):
    """Each command says what it has done, by whom and why, and so does the server's log."""
    with caplog.at_level(logging.INFO, "queued_gspread.server"):
        status, told = command(
            "pause", "--writes", "--spreadsheet", ws.spreadsheet_id, "--reason", "a move"
        )
        assert status == 0
        assert told.startswith(
            f"writes of the spreadsheet {ws.spreadsheet_id} are paused by {who_asks()}"
        )
        assert "a move; 0 calls" in told
        assert command("resume", "--reads")[0] == 2
        assert "but: writes of the spreadsheet" in command("resume", "--reads")[1]
        assert command("drain", "--reason", "new machine")[0] == 0
        with pytest.raises(QueueDrainedError, match="new machine"):
            ws.acell("A1")
        status, told = command("resume")
        assert (status, told.count("ended: ")) == (0, 2)
        assert ws.acell("A1").value is None
        eventually(lambda: "asks: resume everything" in caplog.text)
    assert f"{who_asks()} asks: drain the queue (new machine)" in caplog.text
    assert operator.pauses() == ()


def test_reads_and_writes_together_are_refused(command):
    """Options that contradict each other are named."""
    assert command("pause", "--reads", "--writes") == (
        2,
        "queued-gspread pause: --reads and --writes together are everything: give neither\n",
    )


def test_a_drain_waits_for_what_is_there(command, ws, paused, operator, background):
    """With --wait the command returns when the queue is empty, or says what is left."""
    (call,) = paused()
    status, told = command("drain", "--wait", "0.1")
    assert status == 1
    assert "1 call left" in told
    waiting = background(command, "drain", "--wait", str(PATIENCE))
    operator.resume("all:")
    assert call.result(PATIENCE)
    assert waiting.result(PATIENCE)[0] == 0


def test_jobs_are_listed_and_shown_without_their_arguments(command, ws, paused, operator):
    """There is a line for each with its state, its method and its caller, and no cell."""
    assert "no calls wait" in command("jobs")[1]
    paused(2)
    status, told = command("jobs")
    assert (status, told.count("worksheet.append_row")) == (0, 2)
    assert told.count(ws.spreadsheet_id) == 2
    assert told.startswith("job  ")
    assert len({line.find("worksheet.append_row") for line in told.splitlines()[1:]}) == 1
    first, second = map(json.loads, command("jobs", "--json")[1].splitlines())
    assert (first["state"], second["state"]) == ("waiting", "waiting")
    page = (DOCS / "actions.md").read_text()
    assert [name for name in first if f"`{name}`" not in page] == []
    status, shown = command("jobs", "show", first["job"])
    assert status == 0
    assert first["caller"] in shown
    assert command("jobs", "--limit", "1")[1].count("append_row") == 1
    assert "secret" not in told + shown
    assert command("jobs", "show", "nosuch")[0] == 1
    assert command("jobs", "show")[0] == 2


def test_a_job_is_cancelled(command, ws, paused, operator):
    """Its caller gets the error with the reason; the others keep their places."""
    first, second = paused(2)
    jobs = [json.loads(line)["job"] for line in command("jobs", "--json")[1].splitlines()]
    status, told = command("jobs", "cancel", jobs[0], "--reason", "twice")
    assert (status, "its caller is told" in told) == (0, True)
    with pytest.raises(CallCancelledError, match=f"{who_asks()}: twice"):
        first.result(PATIENCE)
    assert command("jobs", "cancel", jobs[0])[0] == 1
    operator.resume()
    assert second.result(PATIENCE)["updates"]["updatedRows"] == 1


def test_a_purge_asks_first(command, ws, paused, monkeypatch, redis_url, namespace):
    """It says how many callers are told, does nothing without consent, and tells all of them."""
    calls = paused(2)
    with gspread.pipeline(wait=False):
        ws.append_row(["secret"])
    status, told = command("purge")
    assert status == 2
    assert "Cancel 3 calls in" in told
    assert "1 caller is told; for 1 call nobody waits. Nobody can be asked here" in told
    assert not any(call.done() for call in calls)
    status, told = command("purge", "--yes", "--reason", "a mistake")
    assert (status, told.startswith("cancelled 3 calls (1 caller is told")) == (0, True)
    for call in calls:
        assert isinstance(call.exception(PATIENCE), CallCancelledError)
    (kept,) = failed_calls(Settings(redis_url, namespace))
    assert (kept.error, kept.method) == ("CallCancelledError", "worksheet.append_row")
    assert command("purge", "--yes")[1].startswith("no calls wait")


@pytest.mark.parametrize(
    "name",
    [
        *("pause", "resume", "drain", "jobs", "purge", "stop", "locks", "outcomes"),
        *("status", "lanes", "callers", "health"),
    ],
)
def test_help_has_examples(command, name):
    """The help of each command ends with examples that can be typed as they are."""
    status, told = command(name, "--help")
    examples = told.partition("\nexamples:\n")[2].splitlines()
    assert status == 0
    assert examples
    assert all(line.startswith(f"  queued-gspread {name}") for line in examples)


def test_stop_says_which_server_and_who_asks(command, server, caplog):
    """The command names the server that it has stopped, and the server's log who asked."""
    with caplog.at_level(logging.INFO, "queued_gspread.server"):
        status, told = command("stop")
    assert status == 0
    assert told.startswith(f"stopped {socket.gethostname()}:{os.getpid()} (as ")
    assert f"{who_asks()} asks: stop this server" in caplog.messages
    server.wait()
