"""Which signed jobs that nobody waits for may still be made: what is known of those answered.

Nobody is there to renew such a job at the next server (:mod:`.anti_replay`). So the job is signed
with a time, and is valid for a day from it, under any server. For as long, the server keeps the ids
of those that it has answered: in its memory, and in Redis for the next server, in the script that
answers them. Whoever writes to Redis may change that set. So the server signs a number that grows,
and a digest of the whole set. The next server believes a set only if it has not lost or gained an
id, and if it is not older than one that this process has known. Where there is none to believe, no
job is valid that was signed before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker import NOTHING_ANSWERED, StaleEpochError, Vouched
from queued_gspread.errors import SignatureError
from queued_gspread.protocol.messages import UNATTENDED_TIMEOUT
from queued_gspread.protocol.signing import Keyring, sign, verify
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queued_gspread.broker import AnsweredIds, Consumer, Entry

__all__ = ["Unattended"]

# They take some 50 MB of this server's memory, and as much of Redis's.
_MOST: Final = 250_000
_VALID: Final = round(UNATTENDED_TIMEOUT * 1000)
# Ids of jobs that are no longer valid are dropped this often, in milliseconds.
_SWEEP: Final = _VALID // 24
# Numbers begin with the epoch, so that they grow whatever Redis has lost: there are fewer changes
# in one of its milliseconds.
_CHANGES: Final = 1000
# So much earlier than Redis's clock may be what a client knows of it.
_ROUNDING: Final = 2


class Unattended:
    """The answered ones among the signed jobs that nobody waits for. Thread-safe.

    Args:
        namespace: The queue's namespace.
        keyring: The server's keys.
        most: How many ids are kept; then the oldest are dropped, and jobs as old are refused.
        clock: A monotonic clock, in seconds, that also counts while the machine sleeps.

    """

    def __init__(
        self,
        namespace: str,
        keyring: Keyring,
        most: int = _MOST,
        clock: Callable[[], float] = now,
    ) -> None:
        self._namespace = namespace
        self._keyring = keyring
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        self._digest = 0
        self._number, self._confirmed = 0, 0
        # What Redis may have of what was signed: one of these.
        self._heads: list[bytes] = []
        self._seen_head = b""
        self._is_new = True
        # Jobs that were signed up to this time are not valid.
        self._floor = 0
        # Ids that Redis may not have yet.
        self._unconfirmed: dict[str, int] = {}
        # Redis's clock, and this machine's at that moment.
        self._seen = 0, clock()

    def begin(self) -> None:
        """Begin an epoch: another server may have worked since the last one."""
        with self._lock:
            self._is_new = True

    def load(self, queue: Consumer) -> None:
        """Take over what Redis has in a new epoch; in the same one, put it right if need be.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            StaleEpochError: Another server works by now.

        """
        with self._lock:
            found = queue.answered()
            self._seen = found.moment, self._clock()
            if self._is_new:
                self._number = max(self._number, int(queue.epoch) * _CHANGES)
            number, floor = self._told(found)
            is_believed = number > 0 and number >= self._confirmed
            if self._is_new and is_believed:
                self._floor, self._ids = floor, dict(found.ids)
                self._digest = _digest(self._keyring, found.ids)
                self._note_confirmed(number, found.head)
            elif not is_believed:
                if self._is_new:
                    self._distrust(found, queue.epoch)
                self._heads = [b""]
                vouched = self._vouched(self._ids)
                queue.vouch(vouched)
                self._note_confirmed(self._number, vouched.head)
            self._is_new = False

    def _distrust(self, found: AnsweredIds, epoch: str) -> None:
        # An epoch is named by Redis's clock, or by more. Only this server has answered since.
        self._raise_floor(min(found.moment, int(epoch)) - _ROUNDING)
        if self._confirmed or found.head or found.ids:
            LOGGER.warning(
                "what servers have signed of calls that nobody waited for was changed or lost in "
                "Redis: such calls that wait are refused"
            )

    def _note_confirmed(self, number: int, head: bytes) -> None:
        self._confirmed = number
        self._heads = [head]
        self._unconfirmed.clear()

    def saw(self, head: bytes) -> None:
        """Note what the server that works has signed, while this one stands by."""
        if head == self._seen_head:
            return
        self._seen_head = head
        told = self._verified(head)
        if told is not None:
            with self._lock:
                self._confirmed = max(self._confirmed, told[0])

    def is_valid(self, signed_at: int) -> bool:
        """Return whether a job that was signed at this time may still be made."""
        return signed_at > max(self._floor, self._moment - _VALID)

    def was_answered(self, job_id: str) -> bool:
        """Return whether a valid job was answered before."""
        return job_id in self._ids

    def answer(
        self, ids: Mapping[str, int], answer: Callable[[Vouched], Entry | None]
    ) -> Entry | None:
        """Answer jobs by a function that takes to Redis what must be known of these there.

        One after the other, so that what Redis has is always what was signed last.
        """
        if not ids:
            return answer(NOTHING_ANSWERED)
        with self._lock:
            self._sweep()
            self._add(ids)
            vouched = self._vouched(self._unconfirmed)
            try:
                following = answer(vouched)
            except StaleEpochError:
                self._remove(ids)
                raise
            self._note_confirmed(self._number, vouched.head)
            return following

    def _add(self, ids: Mapping[str, int]) -> None:
        # One that was refused for its time needs no memory.
        new = {
            job_id: at for job_id, at in ids.items() if at > self._floor and job_id not in self._ids
        }
        self._ids.update(new)
        self._unconfirmed.update(new)
        self._digest ^= _digest(self._keyring, new)

    def _remove(self, ids: Mapping[str, int]) -> None:
        known = {job_id: self._ids.pop(job_id) for job_id in ids if job_id in self._ids}
        self._digest ^= _digest(self._keyring, known)
        for job_id in known:
            self._unconfirmed.pop(job_id, None)

    def _sweep(self) -> None:
        """Drop the ids of jobs that are no longer valid, or that are too many."""
        floor = self._moment - _VALID
        if len(self._ids) >= self._most:
            times = sorted(self._ids.values())
            floor = max(floor, times[len(times) // 10])
        elif floor - self._floor < _SWEEP:
            return
        self._raise_floor(floor)

    def _raise_floor(self, floor: int) -> None:
        self._floor = max(self._floor, floor)
        self._remove({job_id: at for job_id, at in self._ids.items() if at <= self._floor})

    @property
    def _moment(self) -> int:
        shown, at = self._seen
        return shown + int((self._clock() - at) * 1000)

    def _vouched(self, ids: Mapping[str, int]) -> Vouched:
        """Sign what is known now, under the next number."""
        self._number += 1
        before = tuple(self._heads)
        of_set = _shown(self._keyring, self._digest)
        body = f"{self._number} {self._floor} {of_set}".encode()
        head = sign(self._keyring, "answered", (self._namespace,), body)
        self._heads.append(head)
        return Vouched(head, before, self._floor, dict(ids))

    def _told(self, found: AnsweredIds) -> tuple[int, int]:
        """Return the number and the floor that were signed for exactly this set; 0 if none were."""
        told = self._verified(found.head)
        if told is None:
            return 0, 0
        number, floor, of_set = told
        # The first key of its server may be any one here.
        own = (Keyring((key,)) for key in self._keyring.keys)
        is_whole = any(_shown(each, _digest(each, found.ids)) == of_set for each in own)
        return (number, floor) if is_whole else (0, 0)

    def _verified(self, head: bytes) -> tuple[int, int, str] | None:
        """Return number, floor and the digest of a set that were signed; None if they were not."""
        try:
            body = verify(self._keyring, "answered", (self._namespace,), head).body
        except SignatureError:
            return None
        number, floor, of_set = body.decode().split()
        return int(number), int(floor), of_set


def _shown(keyring: Keyring, digest: int) -> str:
    """Return a digest as anyone may see it: what it consists of stays hidden."""
    return keyring.sign("answered", b"set", f"{digest:x}".encode()).decode()


def _digest(keyring: Keyring, ids: Mapping[str, int]) -> int:
    """Return a digest of a set, which those of its parts make up; it is shown to nobody."""
    digest = 0
    for job_id, at in ids.items():
        part = keyring.sign("answered", b"id", job_id.encode("utf-8", "replace"), str(at).encode())
        digest ^= int(part, 16)
    return digest
