"""What goes to Redis, and comes back, before a request is sent and after it was answered, as data.

``acquire.lua`` is asked for a :class:`Slot` of the quota and answers with a :class:`Permit`;
``release_slot.lua`` is given the slot back, and answers with the :class:`QuotaState`. One request
may serve several jobs: of each, :class:`AcquireArgs` go to the first script, with what the job's
journal must hold before the request is sent, and :class:`ReleaseArgs` to the second.

A journal is a list in Redis with an entry for each request of the call so far, in order:

    =…                 a request that was answered, as ``server.replay.journal`` writes it
    ?                  one whose answer cannot be kept, or which Redis has lost
    >ATTEMPT TIME …    the last one, let go at that time (milliseconds of Redis's clock), and not
                       answered yet
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now

if TYPE_CHECKING:
    from .jobs import Entry

__all__ = [
    "ALL",
    "KINDS",
    "NO_SLOT",
    "NO_UPDATE",
    "PAUSE",
    "AcquireArgs",
    "AnsweredSlot",
    "Held",
    "JournalUpdate",
    "Pace",
    "Permit",
    "QuotaState",
    "ReleaseArgs",
    "Slot",
]

KINDS: Final = ("read", "write", "drive")
"""The kinds of request that have a quota each: reads and writes of the Sheets API, and Drive."""

ALL: Final = "all"
"""What a :class:`Permit` names in the place of a kind where requests of all kinds wait."""

PAUSE: Final = "pause"
"""What it names where its own kind waits since Google has refused one."""

# What Google allows a project of reads, and of writes, in a minute, unless it has raised that.
_GOOGLES: Final = 300


@dataclass(frozen=True)
class Slot:
    """A slot of the quota that a request asks for.

    Attributes:
        kind: One of :data:`KINDS`; '' for a request that takes no slot.
        name: What it is called; the same when it is asked for again.
        limit: How many slots of that kind there are; 0 for any number.
        window: Seconds for which it is held after the response.
        interval: Seconds between two requests of whatever kind, at the least.
        lane: Whose request it is for; '' where others are not to be fair to it, nor it to them.

    """

    kind: str = ""
    name: str = ""
    limit: int = 0
    window: float = 60.0
    interval: float = 0.0
    lane: str = ""

    def args(self) -> list[Any]:
        """Return it as the arguments of ``acquire.lua``."""
        window, interval = milliseconds(self.window), milliseconds(self.interval)
        return [self.kind, self.name, self.limit, window, interval]

    @property
    def is_noted(self) -> bool:
        """Whether Redis has to know when its request is answered."""
        return self.kind != "" and self.limit > 0


NO_SLOT: Final = Slot()


@dataclass(frozen=True)
class AnsweredSlot:
    """A slot whose request was answered: the script that runs next releases it.

    Attributes:
        slot: The slot.
        sent: When its request was sent, as its permit says.

    """

    slot: Slot
    sent: int

    def args(self) -> list[Any]:
        """Return it as an argument of ``acquire.lua`` and ``answer.lua``."""
        slot = self.slot
        return [slot.kind, slot.name, slot.limit, milliseconds(slot.window), self.sent]


@dataclass(frozen=True)
class Permit:
    """Whether a request may be sent.

    Attributes:
        word: ``go``, ``wait``, or what became of all jobs: ``withdrawn`` or ``late``.
        wait: Seconds; infinite if it is not known before a response comes.
        kind: Which kind of request waits that long, or :data:`ALL`.
        sent: When it was given, on Redis's clock.
        is_trial: Whether the latest request of its kind was refused for the quota: then Redis
            has to know what comes of this one.
        is_held: Whether it holds a slot: after refusals, also where no limit is configured.
        limit: How many slots of its kind there are now; 0 for any number, or where nothing goes.
        words: Of each job with a share in the request: ``go``, ``withdrawn`` or ``late``; empty
            where the same is true of all.

    """

    word: str
    wait: float = 0.0
    kind: str = ""
    sent: int = 0
    is_trial: bool = False
    is_held: bool = False
    limit: int = 0
    words: tuple[str, ...] = ()

    def word_of(self, place: int) -> str:
        """Return what became of the job at a place, from 0."""
        return self.words[place] if self.words else self.word


@dataclass(frozen=True)
class QuotaState:
    """How a kind of request is limited, after a response.

    Attributes:
        limit: Slots that it has now; below the configured limit for a while after a refusal.
        pause: Seconds for which none is sent; 0 unless the response was a refusal.

    """

    limit: int
    pause: float


@dataclass(frozen=True)
class JournalUpdate:
    """What the journal has to hold before a request is sent.

    Attributes:
        position: How many entries it holds already.
        entries: Those that follow.
        attempt: A name for the attempt at the request; '' where it need not be announced.
        intent: What tells of the request, for whoever finds it unanswered.

    """

    position: int = 0
    entries: tuple[bytes, ...] = ()
    attempt: str = ""
    intent: bytes = b""

    def __bool__(self) -> bool:
        """Tell whether there is anything to be written."""
        return bool(self.entries or self.attempt)

    @property
    def length(self) -> int:
        """How many entries the journal holds afterwards, the announcement aside."""
        return self.position + len(self.entries)


NO_UPDATE: Final = JournalUpdate()


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


class Pace:
    """Counts the requests of kinds without a limit: a refusal shows that there is one.

    It is an estimate, and takes no lock: two threads may count as one.
    """

    def __init__(self) -> None:
        # The number of a window, how many were sent in it, and how many in the one before.
        self._counts: dict[str, tuple[int, int, int]] = {}

    def note(self, slot: Slot, sent: int) -> None:
        """Note a request that is sent, at a time of Redis's."""
        number = sent // milliseconds(slot.window)
        known, count, before = self._counts.get(slot.kind, (number, 0, 0))
        if number != known:
            count, before = 0, count if number == known + 1 else 0
        self._counts[slot.kind] = (number, count + 1, before)

    def supposed(self, kind: str) -> int:
        """Return the limit that a refusal shows: what a window had, and Google's own at least."""
        _, count, before = self._counts.get(kind, (0, 0, 0))
        return max(count, before, _GOOGLES)


# The share of a window after which a slot is still held, however Redis's clock and ours differ.
_CERTAIN: Final = 0.999


class Held:
    """The slots that this process has taken and that are still held, for a Redis that forgets them.

    Redis has taken them in this order. So as long as it knows the latest one, it knows the others.
    """

    def __init__(self) -> None:
        # Of each kind the slots' names, each with the moment of its answer; None in the air.
        self._slots: dict[str, dict[str, float | None]] = {}
        self._lock = threading.Lock()

    def take(self, slot: Slot) -> None:
        """Note that Redis has given a slot."""
        if slot.is_noted:
            with self._lock:
                self._slots.setdefault(slot.kind, {})[slot.name] = None

    def give_back(self, slot: Slot, moment: float) -> None:
        """Note that a slot is held for one window more from a moment on, or longer."""
        if slot.is_noted:
            with self._lock:
                self._slots.setdefault(slot.kind, {})[slot.name] = moment

    def latest(self, slot: Slot) -> str:
        """Return the latest slot that is certainly held, of the kind of one to be taken; or ''."""
        with self._lock:
            held = self._of(slot)
            since = now() - slot.window * _CERTAIN
            certain = (name for name in reversed(held) if _is_later(held[name], since))
            return next(certain, "")

    def args(self, slot: Slot) -> list[Any]:
        """Return the slots of the same kind as the arguments of ``remind.lua``."""
        with self._lock:
            found: list[Any] = []
            for name, moment in self._of(slot).items():
                left = "inf" if moment is None else milliseconds(moment + slot.window - now())
                found += [name, left]
            return found

    def _of(self, slot: Slot) -> dict[str, float | None]:
        """Return those of a kind that are held, as Redis holds them under the epoch of a slot."""
        moment, epoch = now(), _epoch_of(slot.name)
        held = {}
        for name, answered in self._slots.get(slot.kind, {}).items():
            # What an earlier epoch has in the air is held for a window; see recover.lua.
            is_gone = answered is None and _epoch_of(name) < epoch
            since = moment if is_gone else answered
            if _is_later(since, moment - slot.window):
                held[name] = since
        self._slots[slot.kind] = held
        return held


def _epoch_of(name: str) -> tuple[int, str]:
    # As numbers are compared: who still asks under an earlier epoch ends nothing of a later one.
    epoch = name.partition("/")[0]
    return len(epoch), epoch


def _is_later(answered: float | None, moment: float) -> bool:
    return answered is None or answered > moment


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, never fewer than asked for."""
    return math.ceil(round(seconds * 1000, 6))


def permit_of(found: list[Any]) -> Permit:
    """Return what ``acquire.lua`` has answered."""
    word = found[0].decode()
    if word == "wait":
        wait = math.inf if found[1] < 0 else found[1] / 1000
        return Permit(word, wait, found[2].decode(), limit=int(found[3]))
    words = tuple(each.decode() for each in found[5:])
    if word == "go":
        is_trial, is_held = map(bool, found[2:4])
        sent, limit = int(found[1]), int(found[4])
        return Permit(word, sent=sent, is_trial=is_trial, is_held=is_held, limit=limit, words=words)
    return Permit(words[0], words=words)
