"""What Redis knows of a call's requests: which may be sent, which were answered, its journal."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

from .connection import SCRIPTS, is_passing, unavailable
from .epoch import Epoch, unless_stale
from .notes import NO_NOTE, Note
from .slots import NO_SLOT, Permit, Setback, Slot, milliseconds, permit_of

if TYPE_CHECKING:
    from .entry import Entry

__all__ = ["Ledger"]

_REPLICATION: Final = 1.0


class Ledger(Epoch):
    """The requests of calls, as far as the next server has to know of them."""

    def journal(self, entry: Entry) -> list[bytes]:
        """Return the entries of the journal of a call that was begun before."""
        found: list[bytes] = self._fenced("journal", [self._keys.journal(entry.job_id)], [])
        return found

    def is_replicated(self, entry: Entry) -> bool:
        """Tell whether a replica has what a journal announces, after a second at the most.

        Where the connection fails, nobody can say so.

        Raises:
            BrokerUnavailableError: Redis refuses for good.
            StaleEpochError: Another server works by now.

        """
        # Both on one connection: Redis waits for what that connection has written.
        pipeline = self._connection.redis.pipeline(transaction=False)
        keys = (self._keys.server, self._keys.journal(entry.job_id))
        pipeline.eval(SCRIPTS["touch"].text, len(keys), *keys, self.epoch)
        pipeline.wait(1, round(_REPLICATION * 1000))
        try:
            is_announced, replicas = pipeline.execute()
        except RedisError as error:
            if is_passing(error):
                return False
            raise unavailable(self.settings.redis_url, error) from error
        return bool(unless_stale(is_announced) and replicas)

    def start(
        self,
        entry: Entry,
        mark: str,
        timeout: float | None,
        slot: Slot = NO_SLOT,
        note: Note = NO_NOTE,
    ) -> Permit:
        """Ask whether a request may be sent now; if so, all that is to be known of it is written.

        Args:
            entry: The job.
            mark: How far its call will be: 'r' it only reads so far, 'w' it may have written what
                may be written twice, 'j' its journal tells.
            timeout: Seconds from the enqueue to the deadline.
            slot: The slot that the request takes.
            note: What is written into the journal.

        """
        keys = self._keys
        late = "" if timeout is None else round(timeout * 1000)
        found = self._fenced(
            "start",
            [
                *(keys.lane(entry.lane), keys.started, keys.valve, keys.slots(slot.kind)),
                keys.journal(entry.job_id),
            ],
            [entry.entry, entry.job_id, mark, late, *slot.args(), *note.args()],
        )
        return permit_of(found)

    def settle(
        self,
        entry: Entry,
        slot: Slot,
        sent: int,
        *,
        pause: float = 0.0,
        refused: bool = False,
        back_to: str = "",
        attempt: str = "",
        answered: bytes = b"",
    ) -> Setback:
        """Say that a request was answered, or failed, so that its slot is given back in time.

        Args:
            entry: The job.
            slot: The slot that the request took.
            sent: When it was sent, as its permit says.
            pause: Seconds for which Google asks to wait after a refusal, at the least.
            refused: Whether Google refused it for the quota.
            back_to: The mark of its call, where that is again what it was before.
            attempt: The name under which the journal announces the request.
            answered: What the journal has to tell of it instead; nothing if the request was
                certainly not applied.

        """
        keys = self._keys
        wait = milliseconds(pause) if refused else ""
        unmarked = entry.job_id if back_to else ""
        kind, name, limit, window, _ = slot.args()
        jitter = random.random()  # noqa: S311 - a jitter
        found = self._fenced(
            "settle",
            [keys.started, keys.valve, keys.slots(slot.kind), keys.journal(entry.job_id)],
            [
                *(unmarked, kind, name, limit, window, sent, wait, jitter),
                *(back_to, attempt, answered),
            ],
            insists=True,
        )
        return Setback(int(found[0]), found[1] / 1000)
