"""What clients did, as data: one line of JSON when a call begins, another when it ends."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any

LEFT = "left"
"""The outcome of a call that is in the queue and that nobody waits for."""


@dataclass(frozen=True)
class Call:
    """One call, as the client that made it saw it.

    Attributes:
        client: Who made it.
        number: Its place among this client's calls, which come one after the other.
        what: ``append``, ``insert``, ``update``, ``add_sheet``, ``copy``, ``rows``, ``cell``,
            ``typed``, ``open``, ``increment``: a read and a write under a lock, ``trespass``: what
            the servers' own account may not do, or ``visit``: a read of what it may only read.
        book: The title of the spreadsheet.
        value: What is written, unique but for ``update``, which counts up; of a ``cell`` that is
            read, whose counter it is.
        began: Seconds of this machine's monotonic clock.
        ended: The same; None if the call never ended.
        outcome: ``ok``, or the name of the exception's class; ``left`` in the queue, where nobody
            waits for it; '' if it never ended.
        told: The exception's text.
        status: The HTTP status of an APIError.
        may_have_run: What a BrokerUnavailableError says of that.
        is_interrupted: Whether the exception is one that a signal's handler has raised.
        swallowed: The name of one that a handler has raised and that did not come out.
        result: What a read returned.
        job: The id of its job, if it was left.
        max_age: How old the answers to its reads might be, in seconds.

    """

    client: str
    number: int
    what: str
    book: str
    value: Any = ""
    began: float = 0.0
    ended: float | None = None
    outcome: str = ""
    told: str = ""
    status: int | None = None
    may_have_run: bool = False
    is_interrupted: bool = False
    swallowed: str = ""
    result: Any = None
    job: str = ""
    max_age: float = 0.0

    @property
    def is_ok(self):
        return self.outcome == "ok"

    @property
    def end(self):
        """When it ended, which is never for one that did not."""
        return float("inf") if self.ended is None else self.ended


def as_it_ended(call, failures):
    """Return a call that was left with its end: what Redis has kept of its failure, if it failed.

    Args:
        call: The call.
        failures: What Redis has kept, by the ids of jobs.

    """
    failure = failures.get(call.job) if call.outcome == LEFT else None
    if failure is None:
        return call
    status = failure.http_status or None
    return replace(call, outcome=failure.error, told=failure.message, status=status)


class Journal:
    """A client's history, line by line: what is written is there, though the client be killed."""

    def __init__(self, path):
        self._file = path.open("ab", buffering=0)

    def close(self):
        self._file.close()

    def begin(self, number, what, book, value, max_age=0.0):
        own = {"what": what, "book": book, "value": value, "max_age": max_age}
        self._write(number, began=time.monotonic(), **own)

    def end(self, number, **outcome):
        self._write(number, ended=time.monotonic(), **outcome)

    def _write(self, number, **told):
        self._file.write(json.dumps({"number": number, **told}).encode() + b"\n")


def read_history(path):
    """Return the calls of a client; a line that was cut off is left out.

    There is no file where it was killed before its first call.
    """
    if not path.exists():
        return []
    calls = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        told = json.loads(line)
        calls.setdefault(told["number"], {"client": path.stem}).update(told)
    return [Call(**told) for _, told in sorted(calls.items())]
