"""Fixtures for pytest: a queue for every test, with a server on the test's emulator.

Every pytest run in an environment loads this module, so it imports what it needs only when a
fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from queued_gspread.emulator.pytest_plugin import checked_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import queued_gspread
    from queued_gspread.broker.sandbox import Sandbox
    from queued_gspread.emulator import Emulator

    from .queue import OneRedis, Queue


@pytest.fixture(scope="session")
def _gspread_redis() -> Iterator[OneRedis]:
    from .queue import OneRedis  # noqa: PLC0415  - slow

    shared = OneRedis()
    yield shared
    shared.close()


@pytest.fixture
def gspread_queue_settings() -> Mapping[str, Any]:
    """Return arguments of the queue's Server, a dict: override it to set some."""
    return {}


@pytest.fixture
def gspread_queue(
    _gspread_redis: OneRedis,
    gspread_queue_settings: Mapping[str, Any],
    gspread_sandbox: Sandbox,
    emulated_google: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Queue]:
    """Return a queue with a server on the test's emulator: every call of queued_gspread goes there.

    That holds whatever Redis, namespace and account the code names, and in child processes too.
    There is no quota, unless `gspread_queue_settings` has one.
    """
    from .queue import running  # noqa: PLC0415  - slow

    settings = checked_settings(gspread_queue_settings, "gspread_queue_settings", "Server")
    with running(
        shared=_gspread_redis,
        emulator=emulated_google,
        sandbox=gspread_sandbox,
        settings=settings,
        patch=monkeypatch,
    ) as queue:
        yield queue


@pytest.fixture
def queued_client(gspread_queue: Queue) -> queued_gspread.Client:
    """Return a client of `gspread_queue`: what queued_gspread.authorize() returns there."""
    return gspread_queue.client()
