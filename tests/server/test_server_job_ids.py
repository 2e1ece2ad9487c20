"""The errors of calls say which job each was, by whatever way the call was made."""

from __future__ import annotations

import asyncio
import pickle
import threading

import pytest
from calls import append, read
from gate import google_error

import queued_gspread
import queued_gspread.asyncio
from queued_gspread.errors import (
    MessageTooLargeError,
    OutcomeUnknownError,
    QueuedGspreadError,
    ServerUnavailableError,
)


@pytest.fixture
def broken(gate, serve):
    """Answer the one request, which is never repeated, so that nobody knows what was done."""
    serve()
    thread = threading.Thread(target=lambda: gate.next().fail(google_error(500)))
    thread.start()
    yield
    thread.join()


def error_in_a_pipeline(client):
    with queued_gspread.pipeline() as block:
        future = block.submit(client.http_client.values_append, *ROW)
        return future.exception()


ROW = ("lane", "A1", {"valueInputOption": "RAW"}, {"values": [["x"]]})


def error_in_asyncio(client):
    settings = client.http_client._self_caller.settings

    async def main():
        own = queued_gspread.asyncio.authorize(
            redis_url=settings.redis_url, namespace=settings.namespace
        )
        await own.http_client.values_append(*ROW)

    with pytest.raises(OutcomeUnknownError) as caught:
        asyncio.run(main())
    return caught.value


def error_here(client):
    with pytest.raises(OutcomeUnknownError) as caught:
        append(client)
    return caught.value


@pytest.mark.parametrize("error_of", [error_here, error_in_a_pipeline, error_in_asyncio])
@pytest.mark.usefixtures("broken")
def test_each_error_of_a_call_has_its_job(client, error_of):
    """Blocking, in a pipeline and in asyncio, and once it was pickled; others have none."""
    error = error_of(client)
    assert isinstance(error, OutcomeUnknownError)
    assert len(error.job_id) == 32
    assert pickle.loads(pickle.dumps(error)).job_id == error.job_id
    assert QueuedGspreadError("x").job_id == ""


def test_an_error_of_the_clients_has_its_job(authorize, monkeypatch):
    """So have calls that no server sees: one that is too large, and one without a server."""
    with pytest.raises(ServerUnavailableError) as caught:
        read(authorize(grace=0.1))
    assert len(caught.value.job_id) == 32
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_MESSAGE_BYTES", "1000")
    with pytest.raises(MessageTooLargeError) as caught:
        append(authorize(), value="x" * 1000)
    assert len(caught.value.job_id) == 32
