"""What this process knows of the slots that its requests took, whatever Redis has forgotten."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now

from .permits import milliseconds

if TYPE_CHECKING:
    from .permits import Slot

__all__ = ["Held", "Pace"]

# Google's default quota per project, of reads and of writes per minute.
_GOOGLES: Final = 300


class Pace:
    """Counts the requests of kinds without a configured limit: a refusal shows that there is one.

    It is an estimate and takes no lock, so two threads may count as one.
    """

    def __init__(self) -> None:
        # For each account's kind: a window's number, the requests sent in it and in the one before.
        self._counts: dict[tuple[str, str], tuple[int, int, int]] = {}

    def note(self, slot: Slot, sent: int) -> None:
        """Note a request that was sent at a time of Redis's clock."""
        number, whose = sent // milliseconds(slot.window), (slot.account, slot.kind)
        known, count, before = self._counts.get(whose, (number, 0, 0))
        if number != known:
            count, before = 0, count if number == known + 1 else 0
        self._counts[whose] = (number, count + 1, before)

    def supposed(self, slot: Slot) -> int:
        """Return the limit that a refusal suggests: a window's count, but at least Google's own."""
        _, count, before = self._counts.get((slot.account, slot.kind), (0, 0, 0))
        return max(count, before, _GOOGLES)


# The share of a window for which a slot is certainly held, however Redis's clock and ours drift.
_CERTAIN: Final = 0.999


class Held:
    """The held slots that this process has acquired, in case Redis forgets them.

    Redis granted them in this order. So while it knows the latest one, it knows the others too.
    """

    def __init__(self) -> None:
        # For each account's kind: the slots' names with the moment of the answer; None while in
        # flight.
        self._slots: dict[tuple[str, str], dict[str, float | None]] = {}
        self._lock = threading.Lock()

    def take(self, slot: Slot) -> None:
        """Note that Redis granted a slot."""
        if slot.is_noted:
            with self._lock:
                self._slots.setdefault((slot.account, slot.kind), {})[slot.name] = None

    def give_back(self, slot: Slot, moment: float) -> None:
        """Note that a slot is held for one more window from a moment on, or longer."""
        if slot.is_noted:
            with self._lock:
                self._slots.setdefault((slot.account, slot.kind), {})[slot.name] = moment

    def latest(self, slot: Slot) -> tuple[str, bool]:
        """Return the latest slot of the same account and kind that is certainly held, or ''.

        And whether later ones may be held, too: Redis may know the one and not the others.
        """
        with self._lock:
            held = self._of(slot)
            since, has_later = now() - slot.window * _CERTAIN, False
            for name in reversed(held):
                if _is_later(held[name], since):
                    return name, has_later
                has_later = True
            return "", has_later

    def args(self, slot: Slot) -> list[Any]:
        """Return the held slots of the same account and kind as arguments of ``remind.lua``."""
        with self._lock:
            found: list[Any] = []
            for name, moment in self._of(slot).items():
                left = "inf" if moment is None else milliseconds(moment + slot.window - now())
                found += [name, left]
            return found

    def _of(self, slot: Slot) -> dict[str, float | None]:
        """Return the held slots of a slot's account and kind, as Redis holds them in its epoch."""
        moment, epoch = now(), _epoch_of(slot.name)
        held, whose = {}, (slot.account, slot.kind)
        for name, answered in self._slots.get(whose, {}).items():
            # An earlier epoch's slot in flight is held for one window; see recover.lua.
            is_gone = answered is None and _epoch_of(name) < epoch
            since = moment if is_gone else answered
            if _is_later(since, moment - slot.window):
                held[name] = since
        self._slots[whose] = held
        return held


def _epoch_of(name: str) -> tuple[int, str]:
    # Compared as numbers, so that an earlier epoch never drops slots of a later one.
    epoch = name.partition("/")[0]
    return len(epoch), epoch


def _is_later(answered: float | None, moment: float) -> bool:
    return answered is None or answered > moment
