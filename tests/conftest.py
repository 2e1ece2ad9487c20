"""What the tests share: a real Redis, and a queue of its own for every test."""

from __future__ import annotations

import gc
import itertools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import processes
import pytest
import shortcuts  # noqa: F401 - for what it does
from accounts import OPEN
from cryptography.hazmat.primitives.asymmetric import rsa
from forks import Forks
from hypothesis import settings

from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator.accounts import account

pytest_plugins = [
    "client_fixtures",
    "marked",
    "merge_fixtures",
    "queue_fixtures",
    "signing_fixtures",
]

HERE = Path(__file__).parent
# Folders of tests that start processes and wait for them.
SLOW = {"cli", "embedded", "testing", "topologies", "trials", "valve"}

_numbers = itertools.count()


def pytest_configure(config):
    """Keep what is compiled, whatever the environment says, and let examples take their time."""
    # Hundreds of the processes that tests start would each compile the whole package again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # How long an example takes is up to what else the machine does.
    settings.register_profile("tests", settings(), deadline=None)
    settings.load_profile("tests")


def pytest_collection_modifyitems(config, items):
    """Have each of several workers begin with a part of the tests that wait the longest.

    pytest-xdist hands each worker an equal part of the list, and lets idle ones take from the ends
    of what others have left. Without this, the last minutes of a run are one worker's alone.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        slow = [item for item in items if item.path.relative_to(HERE).parts[0] in SLOW]
        quick = [item for item in items if item.path.relative_to(HERE).parts[0] not in SLOW]
        size = -(-len(quick) // workers)
        items[:] = [
            item
            for part in range(workers)
            for item in (*slow[part::workers], *quick[part * size : (part + 1) * size])
        ]


def pytest_collection_finish(session):
    """Take the modules and the tests themselves out of what the garbage collector walks."""
    # They live until the end, and are so many that each full collection takes a third of a second.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def few_keys():
    """Let the emulators of this process take turns with a few keys: each takes long to make."""
    made = itertools.cycle([rsa.generate_private_key(65_537, 2048) for _ in range(4)])
    turns = SimpleNamespace(generate_private_key=lambda **_: next(made))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "rsa", turns)
        yield


@pytest.fixture(scope="session", autouse=True)
def forks():
    """Have the processes of the tests forked from one that has imported what most of them need."""
    modules = ["queued_gspread.cli", "queued_gspread.embedded.guard", "shortcuts"]
    processes.forks = Forks(processes.PYTHON, modules)
    yield
    processes.forks.end()
    processes.forks = None


@pytest.fixture(scope="session")
def redis_url():
    """Return the URL of a Redis that lives as long as the test run."""
    with TemporaryRedis(options=OPEN, restricted=False) as redis:
        yield redis.url


@pytest.fixture
def namespace():
    """Return a namespace that no other test uses."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def tell(capsys):
    """Return what prints a line for whoever reads the run, past pytest's capturing."""

    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end=" ")

    return say
