"""Environment variables that are named wrong: told once, with the nearest, by either side."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import pkgutil
import re
import subprocess

import pytest
from processes import PYTHON, environment

from queued_gspread import _variables as variables
from queued_gspread import cli
from queued_gspread.cli.options import Parser
from queued_gspread.settings import Settings

SLIP = "QUEUED_GSPREAD_READ_PER_MINUTE"
NEAREST = f"{SLIP} (is QUEUED_GSPREAD_READS_PER_MINUTE meant?)"


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(variables, "_warned", {})


def warned(caplog):
    """Return the warnings of the logger that a user sees without any set up."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "queued_gspread" and record.levelno == logging.WARNING
    ]


def test_a_slip_is_told_once_with_the_nearest(monkeypatch, caplog):
    """A variable that is none is named with the nearest one, once for many clients."""
    monkeypatch.setenv(SLIP, "30")
    for _ in range(3):
        Settings.resolve()
    (told,) = warned(caplog)
    assert NEAREST in told
    assert "30" not in told


def test_all_slips_are_told_in_one_record(monkeypatch, caplog):
    """Several slips make one record, and one that comes later makes its own."""
    monkeypatch.setenv(SLIP, "30")
    monkeypatch.setenv("QUEUED_GSPREAD_TIME_OUT", "5")
    Settings.resolve()
    monkeypatch.setenv("QUEUED_GSPREAD_NAMESPASE", "books")
    Settings.resolve()
    first, second = warned(caplog)
    assert NEAREST in first
    assert "QUEUED_GSPREAD_TIMEOUT meant" in first
    assert "QUEUED_GSPREAD_NAMESPACE meant" in second
    assert SLIP not in second


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("QUEUED_GSPREAD_READ_PER_MINUTE", "QUEUED_GSPREAD_READS_PER_MINUTE"),
        ("QUEUED_GSPREAD_REDISURL", "QUEUED_GSPREAD_REDIS_URL"),
        ("queued_gspread_redis_url", "QUEUED_GSPREAD_REDIS_URL"),
        ("QUEUE_GSPREAD_REDIS_URL", "QUEUED_GSPREAD_REDIS_URL"),
        ("QUEUEDGSPREAD_NAMESPACE", "QUEUED_GSPREAD_NAMESPACE"),
        ("QUEUED_GSPREAD_SERVICE_ACCOUNT_FILE", "QUEUED_GSPREAD_SERVICE_ACCOUNT"),
        ("QUEUED_GSPREAD_OF_A_LATER_VERSION", ""),
        ("QUEUED_GSPREAD_", ""),
        ("QUEUED_GSREAD_REDIS_URL", "QUEUED_GSPREAD_REDIS_URL"),
        ("QUEUED_GPSREAD_TIMEOUT", "QUEUED_GSPREAD_TIMEOUT"),
        ("QUEUED_SPREAD_NAMESPACE", "QUEUED_GSPREAD_NAMESPACE"),
        ("QEUED_GSPREAD_GRACE", "QUEUED_GSPREAD_GRACE"),
    ],
)
def test_what_a_slip_is_near_to(name, near):
    """What looks like a variable of this package is a slip, with the nearest if one is near."""
    assert variables.slips([name, "PATH"]) == [(name, near)]


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "GSPREAD_KEY", "MY_QUEUED_GSPREAD_KEY", "QUEUED_GSPREAD", ""),
        *("MY_QUEUED_GSPREAD_TIMEOUT", "QUEUED_JOBS_TIMEOUT", "QUEUE_REDIS_URL", "QT_QPA_PLATFORM"),
    ],
)
def test_what_is_somebody_elses_is_no_slip(name):
    """A variable that does not begin nearly like one of this package's is none of its business."""
    assert variables.slips([name]) == []


def variables_of(module):
    """Return the variables of a command's options, which the help names."""
    parser = Parser("test")
    module.add_options(parser)
    shown = " ".join(action.help or "" for action in parser._actions)
    return re.findall(rf"\[({variables.ENV_PREFIX}\w+)", shown)


COMMANDS = [
    module
    for found in pkgutil.iter_modules(cli.__path__)
    if hasattr(module := importlib.import_module(f"{cli.__name__}.{found.name}"), "add_options")
]


@pytest.mark.parametrize("module", COMMANDS, ids=lambda module: module.__name__)
def test_every_option_is_known_to_all(module):
    """A variable of any command is no slip, wherever it is set."""
    assert variables.slips(variables_of(module)) == []


def test_the_variables_of_a_command_are_found():
    """What tells them finds those of options with a value and of flags."""
    assert {f"QUEUED_GSPREAD_{name}" for name in ("REASON", "READS")} <= {*variables_of(cli.pause)}


def test_every_setting_of_clients_is_known_to_all():
    """A client's variable is no slip in a server's environment."""
    names = [field.name.upper() for field in dataclasses.fields(Settings)]
    assert variables.slips(f"QUEUED_GSPREAD_{name}" for name in names) == []


def test_a_client_that_makes_warnings_errors_goes_on():
    """A program without logging, which makes warnings errors, shows the slip and goes on."""
    code = "import queued_gspread as g; g.authorize(); g.authorize(); print('went on')"
    done = subprocess.run(
        [*PYTHON, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment(READ_PER_MINUTE="30"),
    )
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert done.stderr.count("\n") == 1
    assert NEAREST in done.stderr
