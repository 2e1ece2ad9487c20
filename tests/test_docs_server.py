"""The server's arguments are its options, and the docs have them all."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

from places import DOCS
from waiting import PATIENCE

from queued_gspread.cli import server
from queued_gspread.cli.options import Parser
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server

PAGE = DOCS / "server.md"
ARGUMENTS = inspect.signature(Server).parameters
OPTIONS_ALONE = {"help", "version", "log_level", "log_format", "metrics_port", "metrics_host"}
# What these default to is found out when the server is made.
FOUND_OUT = {"redis_url", "namespace", "max_message_bytes"}
NO_OPTIONS = {"client", "timing"}


def options():
    """Return the options of the server's command, by their names in Python."""
    parser = Parser("server")
    server.add_options(parser)
    return {action.dest: action for action in parser._actions}


def told():
    """Return what the docstring of Server says of each argument."""
    section = inspect.getdoc(Server).partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def test_each_option_has_its_argument():
    """Server takes a client, timing, and what its command has options for: the same defaults."""
    found = options()
    assert set(ARGUMENTS) - NO_OPTIONS == set(found) - OPTIONS_ALONE
    for name in set(ARGUMENTS) - NO_OPTIONS - FOUND_OUT:
        assert ARGUMENTS[name].default == found[name].default, name


def test_each_argument_is_documented():
    """The docstring of Server has a text for each argument, in their order."""
    assert list(told()) == list(ARGUMENTS)


def test_the_reference_has_each_argument():
    """The reference is made of the docstring that has them, and the page leads there."""
    assert ".. autoclass:: queued_gspread.server.Server\n" in (DOCS / "api.md").read_text()
    assert "(api.md#the-server)" in PAGE.read_text()


def test_the_page_has_each_name():
    """docs/server.md names every public method and attribute of a Server."""
    names = {name for name in vars(Server) if not name.startswith("_")} | {"counters"}
    told_of = set(re.findall(r"`(\w+)(?:\(\))?`", PAGE.read_text()))
    assert names - told_of == {"was_told_to_stop", "has_calls_left"}


def test_the_example_runs(tmp_path, redis_url):
    """The page's example runs a server with a key file."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with Emulator() as emulator:
        emulator.write_service_account(tmp_path / "service_account.json")
        shown = subprocess.run(
            [sys.executable, "-c", example],
            cwd=tmp_path,
            env={**os.environ, "QUEUED_GSPREAD_REDIS_URL": redis_url},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout
    assert emulator.accounts[0].email in shown
