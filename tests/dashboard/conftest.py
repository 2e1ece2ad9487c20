"""Callers of these tests wait for a server as long as tests do."""

from __future__ import annotations

import pytest
from dashboards import dashboard
from waiting import eventually

QUICK = 0.1


@pytest.fixture(autouse=True)
def patience(patient_callers):
    """Make the callers of these tests wait for a server as long as tests do."""


@pytest.fixture
def site(redis_url, namespace):
    """Return a dashboard of this test's queue."""
    with dashboard(redis_url, namespace, every=QUICK) as running:
        yield running


@pytest.fixture
def waiting(operator, ws, background):
    """Return what has calls wait under a pause of everything; they end before the test does."""
    calls = []

    def add(count=1):
        if not calls:
            operator.pause("all")
        for _ in range(count):
            calls.append(background(ws.append_row, ["secret"]))
            eventually(lambda: operator.waiting() == len(calls))
        return calls

    yield add
    operator.resume()
    for call in calls:
        call.exception()
