"""Packages that stand on gspread do the same with their import changed to this package."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import partial

import pytest
from emulated import state_of
from limits import UNLIMITED
from places import TOP

from queued_gspread.emulator import Emulator
from queued_gspread.server import Server
from queued_gspread.server.google.credentials import make_client
from tests.parity.two_ways import frozen_clock

from .programs import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_package_does_the_same(name, tmp_path, redis_url):
    """A program prints the same and leaves the same, with plain gspread and through the queue."""
    if importlib.util.find_spec(name) is None:
        needed = PROGRAMS[name][1]
        pytest.skip(f"{name} is not here: pip install --no-deps {needed}")
    plain, queued = (_run(name, how, tmp_path / how, redis_url) for how in ("plain", "queued"))
    assert queued[0] == plain[0]
    assert queued[1] == plain[1]
    assert plain[0][0] == 0, plain[0]


def _run(name, how, folder, redis_url):
    """Run a program one way; return how it ended and what it printed, and what is stored then."""
    folder.mkdir()
    key_file = folder / ".config" / "gspread" / "service_account.json"
    key_file.parent.mkdir(parents=True)
    with partial(Emulator, seed=1, clock=frozen_clock)() as emulator:
        emulator.write_service_account(key_file)
        client = make_client(service_account=key_file, api_endpoint=emulator.url)
        with Server(client, redis_url=redis_url, namespace=f"{name}-{how}", **UNLIMITED):
            ended = subprocess.run(
                [sys.executable, "-m", "tests.packages.child", name, how, folder, emulator.url],
                cwd=TOP,
                env={
                    **os.environ,
                    "HOME": str(folder),
                    "PYTHONHASHSEED": "0",
                    "QUEUED_GSPREAD_REDIS_URL": redis_url,
                    "QUEUED_GSPREAD_NAMESPACE": f"{name}-{how}",
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
        stored = state_of(emulator)
    printed = re.sub(r"0x[0-9a-f]+", "#", ended.stdout.replace(str(folder), "FOLDER"))
    return (ended.returncode, printed, _last_line(ended.stderr)), (
        stored["files"],
        stored["shared"],
    )


def _last_line(text):
    return text.strip().rpartition("\n")[2]
