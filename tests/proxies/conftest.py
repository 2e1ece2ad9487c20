"""A queue whose server works on an emulator."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from limits import UNLIMITED

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server


@pytest.fixture(scope="session")
def emulator():
    """Return an emulator for the whole run."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def key_file(emulator, tmp_path_factory):
    """Return the file with the emulator's service account."""
    path = tmp_path_factory.mktemp("credentials") / "service_account.json"
    emulator.write_service_account(path)
    return path


@pytest.fixture
def server(redis_url, namespace, emulator, key_file):
    """Run a server on a namespace of its own."""
    with Server(
        redis_url=redis_url,
        namespace=namespace,
        service_account=key_file,
        api_endpoint=emulator.url,
        **UNLIMITED,
    ) as server:
        yield server


@pytest.fixture
def gc(server, redis_url, namespace):
    """Return a queued client."""
    return queued_gspread.authorize(redis_url=redis_url, namespace=namespace)


@pytest.fixture
def sh(gc):
    """Return a new queued spreadsheet."""
    return gc.create("A spreadsheet")


@pytest.fixture
def ws(sh):
    """Return its worksheet."""
    return sh.sheet1
