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

from queued_gspread.job import Job
from queued_gspread.server.calllog import configure

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
        "requests",
        "outcome",
    }
    assert first["waiting"] == 0
    assert first["caller"] == f"{socket.gethostname()}:{os.getpid()}"
    assert first["target"] == "'Book' / 'Sheet'"
    assert first["duration_ms"] >= 0
    assert (first["requests"], first["outcome"]) == (1, "ok")
    assert [call["outcome"] for call in calls[-2:]] == ["UnknownMethodError", "CodecError"]


def test_text_lines(logged):
    """Every call is one line of text with the same facts."""
    lines = logged("text")
    call = next(line for line in lines if "worksheet.update" in line)
    pattern = (
        r"\S+ \S+ INFO 0 waiting  \S+:\d+  'Book' / 'Sheet'  worksheet\.update  "
        r"\d+\.\d ms  requests: 1  ok"
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
