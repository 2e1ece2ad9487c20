"""Calls that pile up in a lane behind a held request, for a server on an emulator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from gate import Arrival, Gate, GatedHTTPClient
from waiting import PATIENCE, eventually

# More than the calls of any of these tests.
_CALLERS = 128


class AppliedError(Exception):
    """Lets a request reach the emulator, and loses its answer."""

    def __init__(self, error):
        super().__init__()
        self.error = error


class Door(Gate):
    """A gate that can be closed again."""

    def close(self):
        with self._lock:
            self._open = False
            self.seen.clear()


class Through(GatedHTTPClient):
    """Requests that get an empty answer at the gate go on to a real HTTP client."""

    def __init__(self, gate, real):
        super().__init__(gate, real.auth)
        self._real = real

    def request(self, method, endpoint, **given):
        outcome = self.gate.pass_through(Arrival(method, endpoint, given, self.timeout))
        if isinstance(outcome, Exception) and not isinstance(outcome, AppliedError):
            raise outcome
        if isinstance(outcome, requests.Response) and outcome.json():
            return outcome
        answer = self._real.request(method, endpoint, **given)
        if isinstance(outcome, AppliedError):
            raise outcome.error
        return answer


class Stage:
    """A spreadsheet, a server whose requests stop at a door, and callers.

    Attributes:
        server: The server.
        door: Where its requests stop.
        book: The spreadsheet, by plain gspread.
        sheet: Its first sheet, through the queue.

    """

    def __init__(self, server, door, book, client, raw, keys, pool):
        self.server, self.door, self.book = server, door, book
        self._raw, self._keys, self._pool = raw, keys, pool
        door.open()
        self.sheet = client.open_by_key(book.id).sheet1
        door.close()

    @property
    def waiting(self):
        """The number of jobs in the spreadsheet's lane."""
        return self._raw.xlen(self._keys.lane(self.book.id))

    def hold(self):
        """Start a read, and hold it; return it."""
        self._pool.submit(self.sheet.spreadsheet.fetch_sheet_metadata)
        return self.door.next()

    def put(self, *calls):
        """Make calls one after the other, each by another caller; return their futures."""
        found = []
        for call in calls:
            before = self.waiting
            found.append(self._pool.submit(call))
            eventually(lambda before=before: self.waiting == before + 1)
        return found

    def play(self, *calls):
        """Have calls pile up, and let all requests pass; return each call's outcome.

        The door's requests do not include the one behind which the calls piled up.
        """
        held = self.hold()
        found = self.put(*calls)
        self.release(held)
        self.door.open()
        return [settled(future) for future in found]

    def release(self, held):
        """Let the held request pass, and forget it."""
        with self.door._lock:
            self.door.seen.remove(held)
        held.answer()

    @property
    def sent(self):
        """The requests at the door, as methods and the ends of paths."""
        return [(one.method, one.endpoint.partition(self.book.id)[2]) for one in self.door.seen]

    def rows(self):
        return self.book.sheet1.get_all_values()


def settled(future):
    """Return a call's outcome: its result or its exception."""
    error = future.exception(PATIENCE)
    return future.result() if error is None else error


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def book(emulator):
    """Return a new spreadsheet, by a plain client."""
    return emulator.gspread_client().create("Book")


@pytest.fixture
def stage(emulator, serve, client, door, book, raw, keys):
    """Return a function that starts a server on the emulator, with options as keyword arguments."""
    with ThreadPoolExecutor(_CALLERS) as pool:

        def start(**options):
            http = Through(door, emulator.gspread_client().http_client)
            return Stage(serve(http, **options), door, book, client, raw, keys, pool)

        yield start
        door.open()
