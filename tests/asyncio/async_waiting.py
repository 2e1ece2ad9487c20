"""Waits in a running loop for what another thread or process does."""

from __future__ import annotations

import asyncio

from waiting import eventually


async def until(condition, what="the condition holds"):
    """Return the first true value of a condition, while the loop goes on."""
    return await asyncio.to_thread(eventually, condition, what)


async def next_of(gate):
    """Return the next request that stops at a gate."""
    return await asyncio.to_thread(gate.next)
