"""To type checkers and editors our package is gspread: a program is right or wrong with both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jedi
import pytest

PROGRAMS = Path(__file__).parent / "programs"
NAMES = ["right", "wrong"]
OWN = "own"
"""Uses what our package has and gspread has not."""
ASYNCHRONOUS = "asynchronous"
"""Uses the package for asyncio."""


def slips(name):
    lines = (PROGRAMS / f"{name}.py").read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# slip")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with each program as it is with gspread and as it is with our package."""
    folder = tmp_path_factory.mktemp("programs")
    for name in NAMES:
        text = (PROGRAMS / f"{name}.py").read_text()
        (folder / f"{name}_theirs.py").write_text(text)
        (folder / f"{name}_ours.py").write_text(with_ours(text))
    for name in (OWN, ASYNCHRONOUS):
        (folder / f"{name}.py").write_text((PROGRAMS / f"{name}.py").read_text())
    return folder


def with_ours(text):
    text = text.replace("import gspread\n", "import queued_gspread as gspread\n")
    return text.replace("from gspread.", "from queued_gspread.")


def run(folder, *command):
    command = [sys.executable, "-m", *command]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def by_mypy(folder):
    """Yield what mypy tells: of which program, in which line, how bad it is, and what it is."""
    output = run(folder, "mypy", "--strict", "--no-pretty", "--cache-dir=cache", ".")
    for found in re.finditer(r"^(\w+)\.py:(\d+): (\w+): (.*)", output, re.MULTILINE):
        program, line, severity, message = found.groups()
        yield program, int(line), severity, message


def by_pyright(folder):
    """Yield what pyright tells, in the same form."""
    settings = {"typeCheckingMode": "strict", "include": ["*.py"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(folder, "basedpyright", "--outputjson", f"--pythonpath={sys.executable}")
    for found in json.loads(output)["generalDiagnostics"]:
        line = found["range"]["start"]["line"] + 1
        # It names a module as the package imports it.
        message = re.sub(r'"\.+', '"', found["message"])
        yield Path(found["file"]).stem, line, found["severity"], message


CHECKERS = {"mypy": by_mypy, "basedpyright": by_pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def told(request, folder):
    """Return what a checker tells of each program."""
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed, and too large for the extra of tests")
    told = {}
    for program, *finding in CHECKERS[request.param](folder):
        line, severity, message = finding
        named = message.replace("queued_gspread", "gspread")
        told.setdefault(program, set()).add((line, severity, named))
    return told


def test_a_right_program_is_right_with_both(told):
    """Nothing is wrong with a right program, and what it calls returns gspread's classes."""
    assert told["right_ours"] == told["right_theirs"]
    assert "error" not in {severity for _, severity, _ in told["right_ours"]}
    assert len(told["right_ours"]) == 3  # the types that it asks for


def test_a_slip_is_found_with_both(told):
    """Each slip of a wrong program is found, and in the same words as with gspread."""
    assert {line for line, _, _ in told["wrong_ours"]} == slips("wrong")
    assert told["wrong_ours"] == told["wrong_theirs"]


def test_our_own_keywords_are_known(told):
    """What our functions take beyond gspread's is right, and each slip in it is found."""
    assert {line for line, _, _ in told[OWN]} == slips(OWN)


def test_calls_of_asyncio_are_typed(told):
    """What is awaited has gspread's type, and each slip is found, a forgotten await as well."""
    found = told[ASYNCHRONOUS]
    assert {line for line, severity, _ in found if severity == "error"} == slips(ASYNCHRONOUS)
    shown = [re.search(r'[Tt]ype .*is "(.*)"', text) for *_, text in sorted(found)]
    names = [re.sub(r"[\w.]*\.", "", each[1]).replace("List", "list") for each in shown if each]
    assert names == [
        *("Client", "Spreadsheet", "Worksheet", "Cell", "list[Cell]", "str", "int"),
        *("Upserted", "list[int]"),
    ]


EXPRESSIONS = [
    "gspread.service_account().",
    "gspread.service_account().http_client.",
    "gspread.oauth().open('Orders').",
    "gspread.authorize(None).open('Orders').sheet1.",
    "gspread.Worksheet.",
    "gspread.worksheet.Worksheet.",
    "Worksheet.",
    "Client(None).create('Orders').worksheets()[0].",
    "Spreadsheet.",
    "BackOffHTTPClient.",
]
IMPORTS = """import gspread
from gspread.client import Client
from gspread.http_client import BackOffHTTPClient
from gspread.spreadsheet import Spreadsheet
from gspread.worksheet import Worksheet
"""


def completed(text):
    return {found.name for found in jedi.Script(text).complete() if not found.name.startswith("_")}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_editor_completes_what_gspread_has(expression):
    """An editor offers the same names for an expression as with gspread."""
    theirs = completed(IMPORTS + expression)
    assert len(theirs) > 5
    assert completed(with_ours(IMPORTS) + expression) == theirs


@pytest.mark.parametrize("module", ["", "client.", "exceptions.", "utils.", "worksheet."])
def test_an_editor_completes_a_module(module):
    """An editor offers all names of a module that it offers with gspread."""
    theirs = completed(f"{IMPORTS}gspread.{module}")
    assert completed(f"{with_ours(IMPORTS)}gspread.{module}") >= theirs != set()
