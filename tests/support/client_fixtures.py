"""A queue whose server works on an emulator."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from limits import UNLIMITED

import queued_gspread
from queued_gspread.server import Server


@pytest.fixture
def serving(redis_url, namespace, emulator, key_file):
    """Return what runs a server for a block."""

    @contextmanager
    def serve(**options):
        account = {"service_account": key_file, "api_endpoint": emulator.url}
        where = {"redis_url": redis_url, "namespace": namespace}
        with Server(**where, **account, **(UNLIMITED | options)) as server:
            yield server

    return serve


@pytest.fixture
def server(serving):
    """Run a server on a namespace of its own."""
    with serving() as server:
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
