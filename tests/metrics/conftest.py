"""A server with its port for metrics, and what that answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from calls import read, write
from gate import google_error
from scraping import get, samples
from waiting import PATIENCE, eventually

from queued_gspread.metrics import Exporter, exporter
from queued_gspread.settings import Settings


@dataclass
class Asking:
    """Asks a server for a page."""

    url: str

    def __call__(self, page):
        return get(self.url + page)


@pytest.fixture
def timing(timing):
    """Have servers publish with every beat."""
    return replace(timing, publish=0.01)


@pytest.fixture
def export(redis_url, namespace, monkeypatch):
    """Return a function that serves metrics of a server; it returns what asks for a page."""
    # Tests ask again and again, and want to see what is new.
    monkeypatch.setattr(exporter, "_FRESH", 0.0)
    exporters = []

    def start(server, host="127.0.0.1", redis_url=redis_url):
        exporters.append(Exporter(server, Settings(redis_url, namespace), host, 0))
        exporters[-1].start()
        return Asking(exporters[-1].url)

    yield start
    for each in exporters:
        each.stop()


@pytest.fixture
def ask(serve, export):
    """Return what asks a server for a page."""
    return export(serve())


@pytest.fixture
def scrape(serve, export, client, gate, background):
    """Return a server's metrics, after a write that is refused and sent again, and two reads."""
    ask = export(serve(writes_per_minute=60))
    call = background(write, client)
    gate.next().fail(google_error(429))
    gate.next().fail(google_error(400))
    call.exception(PATIENCE)
    gate.open()
    read(client)
    read(client)

    def counted():
        _, text = ask("/metrics")
        found = samples(text)
        ended = found["queued_gspread_calls_total", "read", "ok"]
        return ended == 2 and SimpleNamespace(text=text, samples=found)

    return eventually(counted, "the calls are counted")
