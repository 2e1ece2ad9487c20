"""An emulator with quotas, a server process, and processes that use it."""

from __future__ import annotations

import pytest
from processes import ServerProcess
from workers import Workers

import queued_gspread
from queued_gspread.emulator import Emulator

WORKERS = 20
LEASE = 1.0


@pytest.fixture
def emulator():
    """Return an emulator that nobody else uses."""
    with Emulator(seed=1) as emulator:
        yield emulator


@pytest.fixture
def key_file(emulator, tmp_path):
    path = tmp_path / "service_account.json"
    emulator.write_service_account(path)
    return path


@pytest.fixture
def start_server(redis_url, namespace, emulator, key_file, tmp_path):
    """Return what starts a server process on the emulator; its options are keyword arguments."""
    started = []

    def start(**options):
        log = tmp_path / f"server-{len(started)}.log"
        chosen = {
            "redis_url": redis_url,
            "namespace": namespace,
            "lease": LEASE,
            "service_account": key_file,
            "api_endpoint": emulator.url,
            **options,
        }
        pairs = [(f"--{name.replace('_', '-')}", value) for name, value in chosen.items()]
        given = [part for pair in pairs for part in pair if part is not True]
        process = ServerProcess(log, *given)
        started.append(process)
        return process.until_log("working as")

    yield start
    for process in started:
        process.end()


@pytest.fixture
def client(redis_url, namespace):
    """Return a queued client in this process."""
    return queued_gspread.authorize(redis_url=redis_url, namespace=namespace)


@pytest.fixture
def outsider(emulator):
    """Return a plain gspread client with the same account, which knows of no server."""
    return emulator.gspread_client()


@pytest.fixture
def new_sheets(emulator, outsider):
    """Return what makes spreadsheets, before any quota counts; their keys are the value."""

    def make(count):
        return [outsider.create(f"Book {number}").id for number in range(count)]

    return make


@pytest.fixture(scope="session")
def workers():
    """Return the processes that all these tests share: to start them is most of their work."""
    workers = Workers(WORKERS)
    yield workers
    workers.end()
