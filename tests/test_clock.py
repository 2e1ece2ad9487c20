"""The clock of deadlines and leases."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from queued_gspread import _clock as clock

LINUX = SimpleNamespace(CLOCK_MONOTONIC=1, CLOCK_MONOTONIC_RAW=4, CLOCK_BOOTTIME=7)
MACOS = SimpleNamespace(CLOCK_MONOTONIC=6, CLOCK_MONOTONIC_RAW=4, CLOCK_UPTIME_RAW=8)


@pytest.mark.parametrize(
    ("system", "platform", "expected"),
    [(LINUX, "linux", 7), (MACOS, "darwin", 4), (SimpleNamespace(), "win32", None)],
    ids=["linux", "macos", "windows"],
)
def test_each_system_has_a_clock_that_counts_sleep(system, platform, expected):
    """On Linux and macOS, where Python's clock stands still in sleep, another one is asked."""
    assert clock._clock_that_counts_sleep(system, platform) == expected


def test_the_clock_is_the_systems(monkeypatch):
    """The time is that of the clock that counts sleep; without one, that of Python's own."""
    monkeypatch.setattr(clock, "_CLOCK", 7)
    monkeypatch.setattr(time, "clock_gettime", {7: 1000.0}.__getitem__, raising=False)
    assert clock.now() == 1000.0
    monkeypatch.setattr(clock, "_CLOCK", None)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    assert clock.now() == 5.0
