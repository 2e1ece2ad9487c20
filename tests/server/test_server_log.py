"""What a server's log says of a call, and what it never says."""

from __future__ import annotations

import io
import json
import os
import re
import socket

import pytest
from calls import WORKSHEET, send
from waiting import eventually

from queued_gspread.broker import Entry
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls.call_log import log_call
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.server.log import LOGGER, configure

SECRET = "4711-never-shown"


@pytest.fixture
def logged(serve, callers, gate, restored_log):
    """Return what makes some calls with values and returns the lines of the log."""

    def make(form, level="debug"):
        stream = io.StringIO()
        configure(level, form, stream)
        serve()
        gate.open()
        for method, args in {
            "update": ([[SECRET]], "A1"),
            "append_row": ([SECRET],),
            "acell": ("A1", SECRET),
            "find": (SECRET,),
            "no_such_method": (SECRET,),
        }.items():
            send(callers, Job("worksheet", method, WORKSHEET, args).encode())
        send(callers, SECRET.encode())
        lines = lambda: [line for line in stream.getvalue().splitlines() if line]  # noqa: E731
        # A caller may have its reply before the line is written.
        eventually(lambda: "CodecError" in stream.getvalue() or level != "debug")
        return lines()

    return make


def test_json_lines(logged):
    """Every call is one JSON object with what an operator asks for."""
    lines = [json.loads(line) for line in logged("json")]
    calls = [line for line in lines if "method" in line]
    assert [call["method"] for call in calls] == [
        "worksheet.update",
        "worksheet.append_row",
        "worksheet.acell",
        "worksheet.find",
        "?",
        "?",
    ]
    first = calls[0]
    assert set(first) == {
        "time",
        "level",
        "waiting",
        "caller",
        "target",
        "method",
        "duration_ms",
        "waited_ms",
        "requests",
        "sent",
        "outcome",
    }
    assert first["waiting"] == 0
    assert first["caller"] == f"{socket.gethostname()}:{os.getpid()}"
    assert first["target"] == "'Book' / 'Sheet'"
    assert first["duration_ms"] >= 0
    assert 0 <= first["waited_ms"] <= first["duration_ms"]
    assert (first["requests"], first["outcome"]) == (1, "ok")
    assert first["sent"] == [{"kind": "write", "requests": 1, "calls": 1}]
    assert [call["outcome"] for call in calls[-2:]] == ["UnknownMethodError", "CodecError"]


def test_text_lines(logged):
    """Every call is one line of text with the same facts."""
    lines = logged("text")
    call = next(line for line in lines if "worksheet.update" in line)
    pattern = (
        r"\S+ \S+ INFO 0 waiting  \S+:\d+  'Book' / 'Sheet'  worksheet\.update  "
        r"\d+\.\d ms, \d+\.\d waited  requests: 1 write  ok"
    )
    assert re.fullmatch(pattern, call)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_is_in_the_log(logged, form):
    """No cell's value, search text or unreadable job is in any line, on any level."""
    lines = logged(form)
    assert lines
    assert SECRET not in "\n".join(lines)


def test_a_warning_level_leaves_out_calls(logged):
    """On the level of warnings there is no line for a call."""
    assert logged("text", "warning") == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_client_cannot_write_lines_of_its_own(serve, callers, gate, restored_log, form):
    """A line break in what a client says of itself or of its target makes no new line."""
    stream = io.StringIO()
    configure("info", form, stream)
    serve()
    before = len(stream.getvalue().splitlines())
    gate.open()
    target = {**WORKSHEET, "properties": {**WORKSHEET["properties"], "title": "a\nINFO forged"}}
    job = Job("worksheet", "acell", target, ("A1",), caller=("host\nINFO forged", 1))
    send(callers, job.encode())
    eventually(lambda: "acell" in stream.getvalue())
    eventually(lambda: stream.getvalue().endswith("\n"))
    forged = [line for line in stream.getvalue().splitlines()[before:] if line.startswith("INFO")]
    assert not forged


def test_a_lane_cannot_write_lines_of_its_own(serve, restored_log, raw, keys):
    """A line break in the name of a lane that cannot be served makes no new line."""
    stream, lane = io.StringIO(), "lane\nINFO forged"
    configure("info", "text", stream)
    raw.set(keys.lane(lane), "no stream")
    raw.sadd(keys.active, lane)
    serve()
    eventually(lambda: "comes later" in stream.getvalue())
    assert not [line for line in stream.getvalue().splitlines() if line.startswith("INFO")]


@pytest.fixture
def written(restored_log):
    """Return what is written by a log of text."""
    stream = io.StringIO()
    configure("debug", "text", stream)
    return stream


LONG = "x" * 3_000_000


@pytest.mark.parametrize(
    "job",
    [
        Job("client", "open", None, (LONG,)),
        Job("client", "open", None, ([LONG],)),
        Job("client", "open", None, (10**4000,)),
        Job("worksheet", LONG, WORKSHEET),
        Job("worksheet", "acell", WORKSHEET, ("A1",), caller=(LONG, 1)),
        Job("worksheet", "acell", {**WORKSHEET, "properties": {"title": LONG}}, ("A1",)),
        Job("worksheet", "acell", {**WORKSHEET, "spreadsheet": {"title": [LONG]}}, ("A1",)),
    ],
    ids=["title", "no title", "number", "method", "caller", "worksheet", "no text"],
)
def test_what_a_job_brings_makes_no_long_line(written, job):
    """However long a title, a method or a caller's name is, its call is a line of usual length."""
    log_call(Entry("lane", "1-1", "id", b"", "", 1), Outcome("ok", b"", job, None))
    assert len(written.getvalue()) < 1000
    assert written.getvalue().endswith("requests: 0  ok\n")


def test_an_error_makes_one_line(written):
    """A line break, a terminal's commands and any length in an error make no line of their own."""
    LOGGER.warning("lane %r: comes later: %s", "lane", "a\nINFO forged\x1b[2J\u2028b" + LONG)
    (line,) = written.getvalue().splitlines()
    assert r"a\nINFO forged\x1b[2J\u2028bxxx" in line
    assert len(line) < 3000


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_makes_no_line_that_looks_like_a_message(restored_log, form):
    """The lines of a traceback are indented, few, not too long, and without a URL's password."""
    stream = io.StringIO()
    configure("info", form, stream)
    told = f"http://me:{SECRET}@proxy\n2026-01-01 INFO forged\n" + "y\n" * 1000 + LONG
    LOGGER.error("an error of this program", exc_info=ValueError(told))
    first, *rest = stream.getvalue().splitlines()
    assert "an error of this program" in first
    assert all(line.startswith("    ") for line in rest)
    assert SECRET not in stream.getvalue()
    assert len(stream.getvalue()) < 20_000
