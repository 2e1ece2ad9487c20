"""How long the servers' side of the queue waits for Redis."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QueueTiming"]


@dataclass(frozen=True)
class QueueTiming:
    """Waits of a :class:`~queued_gspread.broker.Consumer`, all in seconds.

    Attributes:
        blocking_read: How long Redis holds one read that waits for work.
        retry_pause: The pause before a script is retried that Redis could not be asked for.
        requeue_timeout: For how long a server that stops tries to leave its jobs to the next one.

    """

    blocking_read: float = 2.0
    retry_pause: float = 0.2
    requeue_timeout: float = 5.0
