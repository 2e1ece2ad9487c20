"""The steps of a request that belongs to one job alone."""

from __future__ import annotations

from queued_gspread.broker import NO_SLOT, NO_UPDATE, AcquireArgs, ReleaseArgs


def acquire(server, entry, mark, timeout=None, slot=NO_SLOT, note=NO_UPDATE):
    """Ask whether a request of a job may be sent."""
    return server.acquire([AcquireArgs(entry, mark, timeout, note)], slot)


def release_slot(server, entry, slot, sent, *, back_to="", answered=b"", **what):
    """Record that a request of a job was answered, or failed."""
    return server.release_slot([ReleaseArgs(entry, back_to, answered)], slot, sent, **what)


def answer(server, entry, reply):
    """Answer a job; return the next one of its lane."""
    return server.answer([(entry, reply)])
