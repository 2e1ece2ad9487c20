"""Waits in a running loop for what another thread or process does."""

from __future__ import annotations

import asyncio

from gate import cell_of
from waiting import PATIENCE, eventually


async def until(condition, what="the condition holds"):
    """Return the first true value of a condition, while the loop goes on."""
    return await asyncio.to_thread(eventually, condition, what)


async def next_of(gate):
    """Return the next request that stops at a gate."""
    return await asyncio.to_thread(gate.next)


async def be_answered_before(http, gate, calls):
    """Let one call wait while so many come after it, one by one, and are answered."""
    first = asyncio.ensure_future(http.request("get", cell_of("a")))
    waits = await next_of(gate)
    for _ in range(calls):
        later = asyncio.ensure_future(http.request("get", cell_of("b")))
        (await next_of(gate)).answer()
        await asyncio.wait_for(later, PATIENCE)
    assert not first.done()
    waits.answer()
    await asyncio.wait_for(first, PATIENCE)
