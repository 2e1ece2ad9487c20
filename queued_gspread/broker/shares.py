"""The jobs that have a share in one request, as data: before it is sent, and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .notes import NO_UPDATE, JournalUpdate

if TYPE_CHECKING:
    from .jobs import Entry

__all__ = ["AcquireArgs", "ReleaseArgs"]


@dataclass(frozen=True)
class AcquireArgs:
    """What is to be known of a job before a request is sent that is, or may be, partly its own.

    Attributes:
        entry: The job.
        mark: How far its call will be: 'r' it only reads so far, 'w' it may have written what may
            be written twice, 'j' its journal tells.
        timeout: Seconds from the enqueue to the deadline.
        note: What is written into its journal.

    """

    entry: Entry
    mark: str
    timeout: float | None = None
    note: JournalUpdate = NO_UPDATE

    def args(self, step: int = 0) -> list[Any]:
        """Return it as arguments of ``acquire.lua``, for a clock that was set forward since."""
        late = "" if self.timeout is None else round(self.timeout * 1000) + step
        note, entry = self.note, self.entry
        told = [note.position, note.attempt, note.intent, len(note.entries), *note.entries]
        is_new = "" if entry.is_handed_out else "1"
        return [entry.stream_id, entry.job_id, self.mark, is_new, late, *told]


@dataclass(frozen=True)
class ReleaseArgs:
    """What is to be known of a job once the request was answered, or has failed.

    Attributes:
        entry: The job.
        back_to: The mark of its call, where that is again what it was before.
        answered: What its journal has to tell in the place of the announcement; nothing if the
            request was certainly not applied.

    """

    entry: Entry
    back_to: str = ""
    answered: bytes = b""

    def args(self) -> list[Any]:
        """Return it as arguments of ``release_slot.lua``."""
        return [self.entry.job_id if self.back_to else "", self.back_to, self.answered]
