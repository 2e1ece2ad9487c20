"""An emulator with quotas, a server process, and processes that use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from direct import direct_client
from processes import ServerProcess, environment

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
        process = ServerProcess(log, *(part for pair in pairs for part in pair))
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
    with direct_client(emulator) as client:
        yield client


@pytest.fixture
def new_sheets(emulator, outsider):
    """Return what makes spreadsheets, before any quota counts; their keys are the value."""

    def make(count):
        return [outsider.create(f"Book {number}").id for number in range(count)]

    return make


class Workers:
    """Processes that append rows, all at once."""

    def __init__(self, count):
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("valve_worker.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._processes = [
            subprocess.Popen(command, **pipes, env=environment(GRACE="30")) for _ in range(count)
        ]

    def prepare(self, redis_url, namespace, keys, *, calls, threads):
        """Have every worker open its share of the sheets."""
        self._began = None
        for number, process in enumerate(self._processes):
            todo = {
                "redis_url": redis_url,
                "namespace": namespace,
                "keys": keys[number :: len(self._processes)] or keys,
                "calls": calls,
                "threads": threads,
                "name": f"worker{number}",
            }
            _tell(process, json.dumps(todo))
        for process in self._processes:
            assert process.stdout.readline() == "ready\n"

    def begin(self):
        self._began = time.monotonic()
        for process in self._processes:
            _tell(process, "go")

    def results(self):
        """Return what became of all rows, and the seconds since the beginning."""
        found = [item for p in self._processes for item in json.loads(p.stdout.readline())]
        return found, time.monotonic() - self._began

    def end(self):
        for process in self._processes:
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()


def _tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


@pytest.fixture(scope="session")
def workers():
    """Return the processes that all these tests share: to start them is most of their work."""
    workers = Workers(WORKERS)
    yield workers
    workers.end()


@pytest.fixture
def tell(capsys):
    """Return what prints a figure for whoever reads the run, past pytest's capturing."""

    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end=" ")

    return say
