"""What is known of the jobs behind the open ones of a lane.

Whoever was looked at and may not run together with them is the next at the head of the lane, most
often: nobody is looked at, nor begun, twice for that.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .together import MOST_BYTES, MOST_CALLS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from queued_gspread.broker import Entry

    from .outcome import Outcome
    from .underway import Call

__all__ = ["Ahead"]

_FIRST_LOOK: Final = 16


@dataclass
class Ahead:
    """What is known of the jobs behind the open ones.

    Attributes:
        last: The place of the last one that was let in.
        waiting: How many stood behind the first one when it was let in.
        look: How many are looked at next.
        is_blocked: Whether the next one may not run together with those that are open.
        seen: Those that were looked at and are not let in, in order.

    """

    last: str = ""
    waiting: int = 0
    look: int = _FIRST_LOOK
    is_blocked: bool = False
    seen: deque[Entry] = field(default_factory=deque)
    _begun: tuple[Entry, Call | Outcome] | None = None

    def begin_at(self, head: Entry) -> None:
        """Note that a job is the first of its lane, and let in."""
        self.last, self.waiting, self.is_blocked = head.entry, head.waiting - 1, head.deaths > 0
        while self.seen and self.seen.popleft().entry != head.entry:
            pass

    def room(self, known: Collection[Entry]) -> tuple[int, int]:
        """Return how many jobs are to be looked at, and how many bytes they may have.

        Args:
            known: The open ones.

        """
        size = MOST_BYTES - sum(len(entry.body) for entry in known)
        return min(self.look, MOST_CALLS - len(known)), max(size, 0)

    def saw(self, found: Sequence[Entry]) -> None:
        """Note who was looked at; next time it is twice as many."""
        self.seen.extend(found)
        self.look = min(2 * self.look, MOST_CALLS)

    def let_in(self) -> None:
        """Note that the next one is let in."""
        self.last = self.seen.popleft().entry

    def block(self, admitted: Entry | None = None, begun: Call | Outcome | None = None) -> None:
        """Note that the next one has to wait for its turn, and what it is begun with already."""
        self.is_blocked, self.look = True, _FIRST_LOOK
        self._begun = None if admitted is None or begun is None else (admitted, begun)

    def begun(self, admitted: Entry) -> Call | Outcome | None:
        """Return what a job was begun with, if it was that very one; it is used up."""
        known, self._begun = self._begun, None
        if known is None or admitted.mark or admitted.deaths:
            return None
        is_same = (known[0].entry, known[0].body) == (admitted.entry, admitted.body)
        return known[1] if is_same else None
