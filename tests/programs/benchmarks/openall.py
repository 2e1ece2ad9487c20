"""The CPU that a call of many requests costs: ``openall`` over many files."""

from __future__ import annotations

from .emulated import WAYS, Emulated
from .figures import median
from .peer import cpu_of
from .row import Comparison, Row

GROUP = "openall"
_TURNS = 5


def run(place):
    found = _measure(place)
    figures = {way: {"cpu_s": median(seconds)} for way, seconds in found.items()}
    yield Row(GROUP, "direct", figures["direct"], "the client's process")
    yield Row(GROUP, "queued", figures["queued"], "the server's process")
    numbers = (figures["queued"]["cpu_s"], figures["direct"]["cpu_s"])
    yield Comparison(GROUP, "server / direct, cpu", "s", *numbers, 2.0)


def _measure(place):
    """Return the seconds of CPU of the process that makes the requests, by way."""
    found = {way: [] for way in WAYS}
    with Emulated(place) as google:
        server, users = google.server(), {way: google.user(way) for way in WAYS}
        server.until_log("working as")
        for number in range(place.size.files):
            users["direct"].ask(do="create", title=f"file {number}")
        makers = {"direct": users["direct"].pid, "queued": server.process.pid}
        for _ in range(min(_TURNS, place.size.values)):
            for way in WAYS:
                before = cpu_of(makers[way])
                users[way].ask(do="openall")
                found[way].append(cpu_of(makers[way]) - before)
    return found
