"""Fixtures for pytest: an emulator for every test, and gspread clients on it.

While one of them is in use, no call of ``queued_gspread`` reaches a queue that the test did not
make. :mod:`queued_gspread.testing.pytest_plugin` has the fixtures that make one.

Every pytest run in an environment loads this module, so it imports what it needs only when a
fixture is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import gspread

    from queued_gspread.broker.sandbox import Sandbox

    from .server import Emulator


class _OneEmulator:
    """Keeps one emulator running as long as tests want the same settings."""

    def __init__(self) -> None:
        self._emulator: Emulator | None = None
        self._settings: dict[str, Any] = {}

    def running(self, settings: Mapping[str, Any]) -> Emulator:
        """Return a running emulator with these arguments."""
        kept = self._emulator
        if kept is not None and kept.is_running and self._settings == settings:
            return kept
        self.stop()
        self._settings = dict(settings)
        self._emulator = _emulator_class()(**settings)
        self._emulator.start()
        return self._emulator

    def stop(self) -> None:
        """Stop the emulator if it runs."""
        if self._emulator is not None:
            self._emulator.stop()
            self._emulator = None


def checked_settings(settings: object, fixture: str, whose: str) -> Mapping[str, Any]:
    """Return the arguments that a fixture returned; fail the test if they are not a dict."""
    if not isinstance(settings, Mapping):
        remedy = f"let it return a dict of {whose}'s arguments"
        pytest.fail(f"{fixture} is {settings!r}: {remedy}.", pytrace=False)
    return settings


def _checked_urls(urls: object) -> tuple[str, ...]:
    if isinstance(urls, str) or not isinstance(urls, Sequence):
        remedy = "let it return a list of URLs"
        pytest.fail(f"other_gspread_queues is {urls!r}: {remedy}.", pytrace=False)
    return tuple(urls)


def _emulator_class() -> type[Emulator]:
    try:
        from queued_gspread.emulator import Emulator  # noqa: PLC0415  - an extra, and slow
    except ImportError as error:
        missing = str(error)
    else:
        return Emulator
    # Outside the except clause, where pytest would also show the causes.
    pytest.fail(missing, pytrace=False)


@pytest.fixture(scope="session")
def _sheets_emulators() -> Iterator[_OneEmulator]:
    spare = _OneEmulator()
    yield spare
    spare.stop()


@pytest.fixture
def sheets_emulator_settings() -> Mapping[str, Any]:
    """Return the arguments of the test's Emulator, a dict: override it to set some."""
    return {}


@pytest.fixture
def other_gspread_queues() -> Sequence[str]:
    """Return the Redis URLs that calls may reach anyway, a list: override it to name some."""
    return ()


@pytest.fixture
def gspread_sandbox(other_gspread_queues: Sequence[str]) -> Iterator[Sandbox]:
    """Return the sandbox that no call of queued_gspread leaves: the test's own queues."""
    from queued_gspread.broker.sandbox import Sandbox, begun  # noqa: PLC0415  - not for every pytest run

    sandbox = Sandbox(others=_checked_urls(other_gspread_queues))
    with begun(sandbox):
        yield sandbox


@pytest.fixture
def sheets_emulator(
    _sheets_emulators: _OneEmulator,
    sheets_emulator_settings: Mapping[str, Any],
    gspread_sandbox: Sandbox,  # noqa: ARG001  - for its effect
) -> Iterator[Emulator]:
    """Return a running emulator of Google's Sheets and Drive APIs, empty for every test."""
    settings = checked_settings(sheets_emulator_settings, "sheets_emulator_settings", "Emulator")
    emulator = _sheets_emulators.running(settings)
    yield emulator
    emulator.reset()


@pytest.fixture
def gspread_client(sheets_emulator: Emulator) -> gspread.Client:
    """Return a plain gspread.Client, logged in at the test's `sheets_emulator`."""
    return sheets_emulator.gspread_client()


@pytest.fixture
def emulated_google(sheets_emulator: Emulator) -> Iterator[Emulator]:
    """Return `sheets_emulator` in Google's place: gspread.service_account() works with any file.

    It is for scripts that log in by themselves: the siblings of service_account() take any file,
    dict or key as well, and the file need not exist. A request to another host of Google's is a
    NotEmulatedError.
    """
    from .stand_in import standing_in  # noqa: PLC0415  - slow

    with standing_in(sheets_emulator):
        yield sheets_emulator
