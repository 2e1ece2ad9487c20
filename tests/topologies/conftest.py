"""Servers, workers and an emulator for every topology of Redis."""

from __future__ import annotations

import pytest
from limits import UNLIMITED
from processes import ServerProcess
from topologies import each_binary
from workers import Workers

import queued_gspread

WORKERS = 4
LEASE = 1.0


@pytest.fixture(autouse=True)
def patience(patient_callers):
    """Make the callers of these tests wait for a server as long as tests do."""


@pytest.fixture(scope="session", params=each_binary())
def binary(request):
    """Return each server program that is there, in turn."""
    return request.param


@pytest.fixture(scope="session")
def workers():
    """Return processes that append rows: to start them takes longer than most tests here."""
    workers = Workers(WORKERS)
    yield workers
    workers.end()


@pytest.fixture
def start_server(namespace, emulator, key_file, tmp_path):
    """Return what starts a server process on a Redis, by its URL; it has no quota."""
    started = []

    def start(url, wait="working as", **variables):
        options = {
            "namespace": namespace,
            "lease": LEASE,
            "service_account": key_file,
            "api_endpoint": emulator.url,
            **UNLIMITED,
        }
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        log = tmp_path / f"server-{len(started)}.log"
        started.append(ServerProcess(log, *flags, REDIS_URL=url, **variables))
        return started[-1].until_log(wait)

    yield start
    for process in started:
        process.end()


@pytest.fixture
def client_of(namespace):
    """Return what makes a queued client of a Redis, by its URL."""
    return lambda url, **options: queued_gspread.authorize(
        redis_url=url, namespace=namespace, **options
    )
