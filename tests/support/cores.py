"""Single steps of a caller's core, driven as a blocking call drives them."""

from __future__ import annotations

from queued_gspread.broker.connection.client import connect


def drive(callers, name, *args):
    """Run one step of the core of some callers, by its method's name; return its result."""
    connection = connect(callers.settings.redis_url, callers.settings.namespace)
    return connection.drive(getattr(callers._core(connection), name)(*args))
