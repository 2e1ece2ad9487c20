"""Ways to have a call made by another process, each a module with two functions.

``caller(where)`` returns a function that makes one call for a caller of a number; ``serve(where)``
answers calls until its process is killed, and says when it begins.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

PAYLOAD = "a cell's new value"
"""What a call carries."""

_NEEDS = {
    "floor": ("hiredis",),
    "queued": (),
    "queued_quota": (),
    "huey_echo": ("huey",),
    "dramatiq_echo": ("dramatiq",),
}

ECHOES = tuple(_NEEDS)
"""Those whose call is an echo of a small payload, or what is nearest to it."""

POLLING = ("dramatiq_echo",)
"""Those whose server is busy while nobody calls."""


def contender(name):
    return import_module(f".{name}", __name__)


def missing(name):
    """Return which of the packages that a contender needs are not installed."""
    return [needed for needed in _NEEDS[name] if find_spec(needed) is None]
