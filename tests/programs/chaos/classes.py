"""The classes of trouble and of clients that runs can have."""

from __future__ import annotations

import os

SUSPENDED = "suspended"
"""A client is suspended, or its enqueue held back, for longer than ids are remembered."""

SIGNALS = "signals"
"""Handlers of signals raise in callers, Ctrl-C's among them."""

STOPS = "stops"
"""Servers are stopped in good order, several in a row within one slow request."""

CONTENT = "content"
"""What a request holds decides that it fails, however often it is sent."""

BODIES = "bodies"
"""Google's answers have bodies that are none of Google's."""

ASYNCIO = "asyncio"
"""One of the clients makes its calls in asyncio."""

PIPELINES = "pipelines"
"""One more client makes its calls in pipelines."""

FORGETS = "forgets"
"""Two more clients wait for none of their calls, one of them in asyncio, and are killed then."""

LOCKS = "locks"
"""Two more clients count under locks, one of them in asyncio; they are killed, frozen and woken."""

OLD = "old"
"""Every second client's reads may be of some age, also of what somebody types without the queue."""

ACTIONS = "actions"
"""An operator pauses, resumes, drains and cancels."""

LENDERS = "lenders"
"""Two more accounts lend the servers their quota: one loses a spreadsheet, one its key.

One more client asks for what only these two may do.
"""

ALL = frozenset(
    {
        SUSPENDED,
        SIGNALS,
        STOPS,
        CONTENT,
        BODIES,
        ASYNCIO,
        PIPELINES,
        FORGETS,
        LOCKS,
        ACTIONS,
        OLD,
        LENDERS,
    }
)
VARIABLE = "CHAOS_CLASSES"


def parse(text, known=ALL):
    """Return the classes that a text names, with commas between them; 'none' names none."""
    names = {name.strip() for name in text.split(",")} - {"", "none"}
    if names == {"all"}:
        return known
    if not names <= known:
        raise ValueError(f"{sorted(names - known)} are no classes: take some of {sorted(known)}.")
    return frozenset(names)


def chosen():
    """Return the classes that the environment names; without the variable, all."""
    return parse(os.environ.get(VARIABLE, "all"))
