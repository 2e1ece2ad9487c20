"""The servers' side of locks: give them to the jobs that ask for them, and end those that lapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.broker.connection.client import as_text, reply_expiry

from .fencing import FencedScripts, unless_stale
from .permits import milliseconds

if TYPE_CHECKING:
    import threading

    from queued_gspread.settings import Settings

    from .jobs import Entry
    from .timing import QueueTiming

__all__ = ["Granting"]


class Granting(FencedScripts):
    """Locks, as a server sees them."""

    def __init__(
        self,
        settings: Settings,
        epoch: str = "",
        stopping: threading.Event | None = None,
        timing: QueueTiming | None = None,
    ) -> None:
        super().__init__(settings, epoch, stopping, timing)
        # Whether any lock may be held: then they have to be looked at.
        self._may_be_locked = True

    def grant(self, entry: Entry, reply: bytes, hold: float, who: str) -> bool:
        """Give a lane's lock to its first job; return False if that was withdrawn.

        Args:
            entry: The job.
            reply: The reply to it.
            hold: Seconds without a call of the holder's after which the lock lapses.
            who: The holder, in words.

        """
        keys = self._keys
        places = [
            keys.lane(entry.lane),
            keys.progress,
            keys.deliveries,
            keys.reply(entry.job_id),
            keys.locks,
        ]
        args: list[Any] = [entry.lane, reply_expiry(entry.timeout), entry.stream_id, entry.job_id]
        args += [reply, milliseconds(hold), who]
        is_granted = bool(self._fenced("grant", places, args, insists=True))
        self._may_be_locked = True
        return is_granted

    def end_lapsed(self) -> list[tuple[str, str]]:
        """End the locks that have lapsed; return the lane and the holder, in words, of each.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        if not self._may_be_locked:
            return []
        # First, as one may be granted meanwhile.
        self._may_be_locked = False
        try:
            left, *lapsed = unless_stale(self._run("lapse", [self._keys.locks], []))
        except BaseException:
            self._may_be_locked = True
            raise
        self._may_be_locked = self._may_be_locked or left > 0
        return [(as_text(name), as_text(who)) for name, who in lapsed]

    def look_behind(self, entry: Entry) -> None:
        """Let a lane go on whose first job has a lock that Redis no longer knows."""
        self._fenced("lapse", [self._keys.locks], [entry.lane, entry.job_id])
        self._may_be_locked = True
