"""The page on the log has every line and every field that a server can write."""

from __future__ import annotations

import ast
import importlib
import io
import json
import re
from pathlib import Path

from calls import WORKSHEET
from gate import google_error
from gspread.exceptions import APIError

import queued_gspread
from queued_gspread.broker import Backlog, Entry, Predecessor, persistence, redis_check
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls import error_fields as told_of_errors
from queued_gspread.server.calls.call_log import log_call
from queued_gspread.server.calls.outcome import failed
from queued_gspread.server.lanes.takeover import log_takeover
from queued_gspread.server.log import configure
from queued_gspread.server.tally import Tally

PACKAGE = Path(queued_gspread.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "logging.md").read_text()
# What is logged as a variable, with where its texts stand: the page has them too.
ELSEWHERE = {
    ("server.lease", "'%s'"),
    ("server.lanes.other_formats", "text"),
    ("server.run", "warning"),
    ("server.lanes.takeover", "told(before, backlog)"),
}
# What these log stands on the page on waiting.
OF_CALLERS = ("broker.waiting.notices",)
WARNINGS_OF_REDIS = ("_OPEN", "_PARTIAL", "_VOLATILE")


def sources():
    """Yield the modules that log for the server, with their trees."""
    of_both = [*(PACKAGE / "broker").rglob("*.py"), PACKAGE / "_variables.py"]
    of_servers = [path for name in ("server", "metrics") for path in (PACKAGE / name).rglob("*.py")]
    for path in [*of_servers, *of_both]:
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if name in OF_CALLERS:
            continue
        yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def logged():
    """Yield the module and the first argument of every line that is logged, the level aside."""
    for name, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func.value) in ("LOGGER", "_LOGGER"):
                place = 1 if node.func.attr == "log" else 0
                if node.func.attr not in ("isEnabledFor", "handle", "makeRecord", "addFilter"):
                    yield name, node.args[place]


def texts():
    """Yield every text that is logged, with its module; what is no text is in ELSEWHERE."""
    for name, argument in logged():
        if (name, ast.unparse(argument)) in ELSEWHERE:
            continue
        if isinstance(argument, ast.Constant):
            yield name, argument.value
        else:
            module = importlib.import_module(f"queued_gspread.{name}")
            yield name, getattr(module, ast.unparse(argument))
    yield from (("broker.redis_check", getattr(redis_check, name)) for name in WARNINGS_OF_REDIS)
    yield "broker.persistence", persistence._SNAPSHOTS


def pieces(text):
    """Return the fixed parts of a text that is filled in."""
    found = re.split(r"%[\d.]*[a-z]|\{\}|[,:] ", text)
    return [piece.strip() for piece in found if re.search(r"[a-z]{3}", piece)]


def is_on_the_page(text):
    """Return whether the page has a line, by its first part of more than a word."""
    found = pieces(text)
    # A single word may stand on the page for another reason.
    return next((piece for piece in found if " " in piece), found[0]) in PAGE


def test_every_line_is_on_the_page():
    """Whatever a server can say stands on the page, in the same words."""
    lines = set(texts())
    assert len(lines) > 40
    assert [line for line in sorted(lines) if not is_on_the_page(line[1])] == []
    assert not is_on_the_page("a line that no server has ever said: %s")


def fields_on_the_page(heading):
    """Return the names in the first column of the tables beneath a heading."""
    section = PAGE.partition(f"# {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE))


def test_every_field_of_a_call_is_on_the_page(restored_log):
    """The line of a call that failed with all that Google can say has the page's fields."""
    stream = io.StringIO()
    configure("info", "json", stream)
    error = {"code": 403, "message": "m", "status": "S", "details": [{"reason": "R"}]}
    answer = google_error(403).response
    answer._content = json.dumps({"error": error}).encode()
    tally = Tally()
    tally.note("read", 2)
    tally.recall()
    job = Job("worksheet", "acell", WORKSHEET, ("A1",))
    log_call(Entry("id", "1-1", "a", b"", "", 1), failed(APIError(answer), job, tally))
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert set(told_of_errors.fields_of(APIError(answer))) < set(line)
    outcomes = {"ok", "late", "withdrawn", "left", "again", "replayed"}
    told = fields_on_the_page("A call's line") - outcomes
    assert set(line) - {"time", "level"} == told
    assert {"time", "level", "message", "traceback", "event"} == fields_on_the_page(
        "The server's log"
    )
    assert set(line["sent"][0]) == {"kind", "requests", "calls"}


def test_every_outcome_is_on_the_page():
    """The words for an outcome that are no class of an exception are explained."""
    words = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Outcome" and node.args:
                words |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    assert words
    # Permits have further ones.
    assert words | {"late", "withdrawn", "left"} <= fields_on_the_page("A call's line")


def test_every_event_is_on_the_page(restored_log):
    """Each word for an event stands in the page's table; a takeover's fields are in its row."""
    words = {
        word
        for path in (PACKAGE / "server").rglob("*.py")
        for word in re.findall(r'"event": "(\w+)"|event="(\w+)"', path.read_text())
        for word in word
        if word
    }
    assert words == fields_on_the_page("Events") - {"event"}
    stream = io.StringIO()
    configure("info", "json", stream)
    log_takeover(Predecessor("host:1", 1.0), Backlog(1, 1, 1))
    (line,) = map(json.loads, stream.getvalue().splitlines())
    row = next(row for row in PAGE.splitlines() if row.startswith("| `takeover`"))
    named = set(re.findall(r"`([a-z_]+)`", row))
    assert set(line) - {"time", "level", "message", "event"} <= named
