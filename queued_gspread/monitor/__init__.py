"""What whoever runs a queue wants to see of it: one snapshot, which everything that shows it reads.

    from queued_gspread.monitor import look
    from queued_gspread.settings import Settings

    snapshot = look(Settings.resolve())
    print(snapshot.calls_waiting, [each.expected.at_most for each in snapshot.quota])

It is read from Redis in two round trips and needs no server. A user of Redis who may only observe
is enough: ``docs/security.md`` has its rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.broker import observe

from .assembly import snapshot_of
from .snapshot import Snapshot

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["Snapshot", "look", "snapshot_of"]


def look(settings: Settings, seconds: float = 10.0) -> Snapshot:
    """Return what is to be seen of a queue now.

    Args:
        settings: Where the queue is.
        seconds: For how long Redis may be waited for.

    Raises:
        BrokerUnavailableError: Redis cannot be reached in time, or refuses.

    """
    return snapshot_of(observe(settings, seconds))
