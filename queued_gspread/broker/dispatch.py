"""A call's requests in Redis: permits to send, slots to release, and the journal.

:class:`.consumer.Consumer` inherits them. The thread named ``dispatcher`` is something else: it is
in :mod:`queued_gspread.server.lanes.scheduler`.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection.attempts import is_passing
from queued_gspread.broker.connection.clock_steps import enqueued_at
from queued_gspread.broker.connection.deadline import moment
from queued_gspread.broker.connection.effects import Send
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.errors import BrokerUnavailableError

from .fencing import FencedScripts, unless_stale
from .held import Held, Pace
from .permits import (
    KINDS,
    NO_SLOT,
    Permit,
    QuotaState,
    Slot,
    milliseconds,
    permit_of,
    words_of,
)
from .promises import Kept

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from queued_gspread.broker.connection.effects import Core
    from queued_gspread.settings import Settings

    from .jobs import Entry
    from .permits import AcquireArgs, AnsweredSlot, ReleaseArgs
    from .timing import QueueTiming

__all__ = ["Dispatch"]

_REPLICATION: Final = 1.0


class Dispatch(FencedScripts):
    """The requests of calls, as far as the next server must know of them."""

    def __init__(
        self,
        settings: Settings,
        epoch: str = "",
        stopping: threading.Event | None = None,
        timing: QueueTiming | None = None,
        lenders: Sequence[str] = (),
    ) -> None:
        super().__init__(settings, epoch, stopping, timing)
        self._accounts = ("", *lenders)
        self._pace = Pace()
        self._held = Held()

    def journal(self, entry: Entry) -> list[bytes]:
        """Return the entries of the journal of a call that was started before."""
        found: list[bytes] = self._fenced("journal", [self._keys.journal(entry.job_id)], [])
        return found

    def promise(self, field: str, job_id: str) -> Kept | None:
        """Return what is kept under a number and a key and binds a job; None if nothing does."""
        return Kept.of(self._fenced("promise", [self._keys.promises], [field, job_id]))

    def count_waiting(self) -> int:
        """Return how many calls wait in the namespace, including those in progress.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        try:
            return int(self._connection.redis.get(self._keys.depth) or 0)
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def is_replicated(self, entries: Sequence[Entry]) -> bool:
        """Return whether replicas have the intents in the journals of some jobs, within a second.

        One replica that has them proves nothing: another may be the next master, or already be one,
        while this one still follows the old one. So all replicas that are up must have them, and
        only then must a majority confirm that this is the master. If the connection fails, that
        cannot be known.

        Raises:
            BrokerUnavailableError: Redis refuses for good.
            StaleEpochError: Another server works now.

        """
        master = self._connection.master
        journals = [self._keys.journal(entry.job_id) for entry in entries]
        before = master.confirmed
        try:
            replicas = self._connection.drive(self._replicated(journals, max(1, master.replicas)))
            if not replicas:
                return False
            if not master.is_guided:
                return True
            named = master.named(_REPLICATION)
        except BrokerUnavailableError as error:
            if is_passing(error):
                return False
            raise
        except RedisError as error:
            if is_passing(error):
                return False
            raise unavailable(self.settings, error) from error
        return named.address == before and replicas >= named.replicas

    def _replicated(self, journals: list[str], most: int) -> Core[int]:
        """Return how many replicas have the intents in some journals; 0 if one is not there."""
        # Both on one connection: Redis waits for what that connection has written.
        wait = Send(["WAIT", most, round(_REPLICATION * 1000)])
        keys, args = self._under_epoch(journals, [])
        run = self._connection.attempts.run
        are_announced = yield from run("confirm_intent", keys, args, until=moment(), ahead=wait)
        replicas: int = yield wait
        return replicas if unless_stale(are_announced) else 0

    def acquire(
        self,
        acquire_args: Sequence[AcquireArgs],
        slot: Slot = NO_SLOT,
        slots_to_release: Sequence[AnsweredSlot] = (),
    ) -> Permit:
        """Ask for a permit to send a request now; if granted, record the request for recovery.

        Args:
            acquire_args: The jobs of one lane that take part in it; the permit says of each
                whether it still does.
            slot: The slot that the request takes.
            slots_to_release: Slots to release first, whatever the answer.

        """
        steps = self._steps_since(acquire_args)
        permit = self._acquire(acquire_args, slot, steps, slots_to_release)
        if "late" in permit.words:
            # Redis's clock may have been set just now.
            self._look_at_clock()
            if self._steps_since(acquire_args) != steps:
                permit = self._acquire(acquire_args, slot, self._steps_since(acquire_args))
        if slot.kind and not slot.limit and permit.word == "go":
            self._pace.note(slot, permit.sent)
        return permit

    def _acquire(
        self,
        acquire_args: Sequence[AcquireArgs],
        slot: Slot,
        steps: Sequence[int],
        slots_to_release: Sequence[AnsweredSlot] = (),
    ) -> Permit:
        keys, lane = self._keys, acquire_args[0].entry.lane
        places = [
            keys.lane(lane),
            keys.progress,
            keys.throttle_of(slot.account),
            keys.slots(slot.kind, slot.account),
            keys.deliveries,
        ]
        places += [keys.journal(share.entry.job_id) for share in acquire_args]
        pairs = zip(acquire_args, steps, strict=True)
        of_jobs = [arg for share, step in pairs for arg in share.args(step)]
        of_slot = slot.args()
        latest, (peers, known) = self._latest(slot), self._peers(slot)
        released, moment = self._slots_args(slots_to_release), now()
        limits = [slot.what, slot.project.limit]
        args = [*of_slot, latest, *limits, words_of(known), *released[1], *of_jobs]
        found = self._fenced("acquire", [*places, *released[0], *peers], args)
        self._note_released(slots_to_release, moment)
        if found[0] == b"forgotten":
            for each in slot.of_project or (slot,):
                self._remind(each)
            args = [*of_slot, "", *limits, words_of([""] * len(peers)), 0, *of_jobs]
            found = self._fenced("acquire", [*places, *peers], args)
        permit = permit_of(found)
        if permit.word == "go":
            self._held.take(slot)
        return replace(permit, account=slot.account) if slot.account else permit

    def _peers(self, slot: Slot) -> tuple[Sequence[str], Sequence[str]]:
        """Return the slots of each account that shares the project: their keys, and the latest."""
        accounts = slot.project.accounts
        if not accounts:
            return (), ()
        latest = [self._latest(each) for each in slot.of_project]
        return self._slots_of(accounts, (slot.kind,)), latest

    def _latest(self, slot: Slot) -> str:
        """Return the latest slot of a slot's account and kind that Redis must know, or ''."""
        latest, may_hold_later = self._held.latest(slot)
        if may_hold_later:
            self._remind(slot)
        return latest

    def _slots_of(self, accounts: Sequence[str], kinds: Sequence[str] = KINDS) -> list[str]:
        """Return the keys of accounts' slots."""
        return [self._keys.slots(kind, account) for account in accounts for kind in kinds]

    def _remind(self, slot: Slot) -> None:
        """Restore the held slots of a slot's account and kind in Redis."""
        held = self._held.args(slot)
        if held:
            self._fenced("remind", [self._keys.slots(slot.kind, slot.account)], held)

    def exchange_slots(self, owner: str, before: str, window: float) -> None:
        """Hold slots for the accounts that they were taken as, once the owner has changed.

        Args:
            owner: The account that the namespace belongs to; it may have lent its quota before.
            before: The account that it belonged to until now; it may lend its quota.
            window: Seconds for which a slot without an answer is held.

        """
        keys = self._keys
        for kind in KINDS:
            pairs = [(keys.slots(kind, owner), keys.slots(kind))]
            if before in self._accounts:
                pairs.insert(0, (keys.slots(kind), keys.slots(kind, before)))
            for pair in pairs:
                self._fenced("copy_slots", [*pair], [milliseconds(window)])

    def _steps_since(self, acquire_args: Sequence[AcquireArgs]) -> list[int]:
        steps = self._connection.steps
        return [steps.since(enqueued_at(share.entry.stream_id)) for share in acquire_args]

    def _look_at_clock(self) -> None:
        steps = self._connection.steps
        since = steps.moment()
        *_, shown = self._fenced("alive", [], [])
        steps.saw(shown, since)

    def release_slot(
        self,
        jobs: Sequence[ReleaseArgs],
        slot: Slot,
        sent: int,
        *,
        pause: float = 0.0,
        refused: bool = False,
        passed: bool = True,
        attempt: str = "",
    ) -> QuotaState:
        """Record that a request was answered or failed, so that its slot is released in time.

        Args:
            jobs: The jobs that took part in it.
            slot: The slot that the request took.
            sent: When it was sent, as its permit says.
            pause: The least seconds that Google asks to wait after a refusal.
            refused: Whether Google refused it for the quota.
            passed: If not refused, whether it is certain that the quota let it through.
            attempt: The attempt that the intent in the journals names.

        """
        wait = milliseconds(pause) if refused else "" if passed else "?"
        places, args = self._release_args(slot, sent, wait, attempt)
        places += [self._keys.journal(job.entry.job_id) for job in jobs]
        args += [arg for job in jobs for arg in job.args()]
        moment = now()
        found = self._fenced("release_slot", places, args, insists=True)
        self._held.give_back(slot, moment)
        return QuotaState(int(found[0]), found[1] / 1000)

    def _slots_args(self, slots: Sequence[AnsweredSlot]) -> tuple[list[str], list[Any]]:
        """Return the keys and arguments for the slots that a script releases."""
        keys, places = self._keys, []
        for slot in (each.slot for each in slots):
            places += [keys.slots(slot.kind, slot.account), keys.throttle_of(slot.account)]
        return places, [len(slots), *(arg for each in slots for arg in each.args())]

    def _note_released(self, slots: Sequence[AnsweredSlot], moment: float) -> None:
        for each in slots:
            self._held.give_back(each.slot, moment)

    def _release_args(
        self, slot: Slot, sent: int, wait: int | str = "", attempt: str = ""
    ) -> tuple[list[str], list[Any]]:
        """Return the keys and arguments of ``release_slot.lua``, except those of jobs."""
        keys = self._keys
        kind, name, limit, window, _ = slot.args()
        jitter = random.random()  # noqa: S311 - a jitter
        whose = slot.account
        places = [keys.progress, keys.throttle_of(whose), keys.slots(slot.kind, whose)]
        supposed = self._pace.supposed(slot)
        return places, [kind, name, limit, window, sent, wait, jitter, attempt, supposed]
