"""The steps of a request that is one job's own."""

from __future__ import annotations

from queued_gspread.broker import NO_NOTE, NO_SLOT, Settled, Share


def start(server, entry, mark, timeout=None, slot=NO_SLOT, note=NO_NOTE):
    """Ask whether a request of a job may be sent."""
    return server.start([Share(entry, mark, timeout, note)], slot)


def settle(server, entry, slot, sent, *, back_to="", answered=b"", **what):
    """Say that a request of a job was answered, or failed."""
    return server.settle([Settled(entry, back_to, answered)], slot, sent, **what)


def answer(server, entry, reply):
    """Answer a job; return the next one of its lane."""
    return server.answer([(entry, reply)])
