"""Single steps of a caller's core, driven as a blocking call drives them."""

from __future__ import annotations


def drive(callers, name, *args):
    """Run one step of the core of some callers, by its method's name; return its result."""
    connection = callers._connection
    return connection.drive(getattr(callers._core(connection), name)(*args))


def put_in(callers, wait, body):
    """Enqueue a job whose reply nobody waits for; return its entry."""
    drive(callers, "enqueue", wait, body)
    return wait.stream_id


def withdraw(callers, wait):
    """Withdraw a job; return its fate."""
    return drive(callers, "withdraw", wait)
