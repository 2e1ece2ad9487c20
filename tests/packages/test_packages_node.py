"""A client of another language finds Google at the emulator."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from google.auth.transport.requests import Request

from queued_gspread.emulator import Emulator

PACKAGE = "google-spreadsheet"
CALLS = Path(__file__).with_name("google_spreadsheet.cjs")


@functools.cache
def modules():
    """Return the folder of Node's packages: NODE_PATH, or that of `npm install --global`."""
    named = os.environ.get("NODE_PATH")
    if named or shutil.which("npm") is None:
        return named or ""
    found = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def node(*arguments, **variables):
    """Run Node and return how it ended."""
    return subprocess.run(
        ["node", *arguments],
        env={**os.environ, "NODE_PATH": modules(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_call_of_node_google_spreadsheet_does_what_it_is_for():
    """All groups of calls of a client for Node get from the emulator what they get from Google."""
    if shutil.which("node") is None or node("-e", f"require.resolve('{PACKAGE}')").returncode:
        pytest.skip(f"{PACKAGE} is not here: npm install --global {PACKAGE}")
    with Emulator(seed=1) as emulator:
        credentials = emulator.gspread_client().http_client.auth
        credentials.refresh(Request())
        ended = node(str(CALLS), EMULATOR=emulator.url, TOKEN=credentials.token)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert emulator.ledger[-1].method == "DELETE"
