"""Clients of asyncio, over the queue of the other tests."""

from __future__ import annotations

import pytest
from client_fixtures import *  # noqa: F403 - pytest finds fixtures by the names that are here
from queue_fixtures import (  # noqa: F401 - the same
    auth,
    background,
    gate,
    keys,
    patient_callers,
    raw,
    serve,
    short_slices,
)

import queued_gspread.asyncio as gspread


@pytest.fixture
def connect(redis_url, namespace):
    """Return a function that makes a client of asyncio."""

    def make(**options):
        return gspread.authorize(**{"redis_url": redis_url, "namespace": namespace, **options})

    return make
