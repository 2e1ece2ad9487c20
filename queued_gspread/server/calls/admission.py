"""Check jobs as they come in and sign replies as they go out: sizes and signatures.

Incoming jobs are verified and unwrapped; outgoing replies are signed. Without a key, every unsigned
job is let in.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from queued_gspread.broker.envelope import bound_job, bound_reply, shown_size, signed_at
from queued_gspread.errors import MessageTooLargeError, QueuedGspreadError, SignatureError
from queued_gspread.protocol.signing import SignedMessage, is_signed, load_keys, sign, verify
from queued_gspread.server.log import LOGGER
from queued_gspread.server.pacing.ticket_queue import FREE, Ticket
from queued_gspread.server.replay.advance import decode
from queued_gspread.server.timing import Timing

from .anti_replay import AntiReplay
from .error_fields import kept_of
from .history import History
from .outcome import Outcome, failed, too_large, unknown
from .unattended import Unattended

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from queued_gspread.broker import AnsweredSlot, Consumer, Entry, Permit
    from queued_gspread.protocol.messages import Job
    from queued_gspread.settings import Settings

    from .locking import Grant

__all__ = ["Admission"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
_FORGOTTEN: Final = (
    "the call had ended before Redis lost its answer, and the server no longer has it"
)
_NOT_VALID: Final = (
    "the call was put in for nobody to wait for it, and is not valid any more: it has waited for a "
    "day, or the server cannot know whether an earlier one has made it, since what that had signed "
    "of such calls is not in Redis any more. This server has not made it"
)


class Admission:
    """Checks incoming jobs and signs replies. Safe to share between all lanes of a server.

    Args:
        settings: The server's settings: namespace, largest message, key file.
        generations: Which signed jobs are fresh, and which were answered.
        timing: How long a caller may take to renew a job.

    Attributes:
        keyring: The keys; None if nothing is signed.
        history: What this process has done for jobs, in any epoch.

    Raises:
        ConfigurationError: The signing key file cannot be used.

    """

    def __init__(
        self,
        settings: Settings,
        generations: AntiReplay | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._namespace = settings.namespace
        self._limit = settings.max_message_bytes
        path = settings.signing_key_file
        self.keyring = None if path is None else load_keys(path, copied=False)
        self._generations = generations or AntiReplay()
        self._renewal_timeout = (timing or Timing()).renewal
        self._unattended = (
            None if self.keyring is None else Unattended(self._namespace, self.keyring)
        )
        self.history = History()
        # Lanes and keys of the signed jobs that were let in, with the times that those are signed
        # with that nobody waits for. Only these are remembered as answered.
        self._inside: dict[tuple[str, str, str], int | None] = {}
        # Replies that Redis may not have stored, with what is kept of failures, and under keys.
        self._unconfirmed: dict[str, tuple[bytes, bytes, bytes]] = {}

    def begin(self) -> None:
        """Begin an epoch."""
        self._inside.clear()
        self._unconfirmed.clear()
        self._generations.begin()
        if self._unattended is not None:
            self._unattended.begin()

    def take_over(self, queue: Consumer) -> None:
        """Read what Redis has of an epoch before; called again whenever Redis may have changed.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            StaleEpochError: Another server works by now.

        """
        if self._unattended is not None:
            self._unattended.load(queue)

    def note_answered(self, head: bytes) -> None:
        """Note what the server that works has signed of calls that nobody waits for."""
        if self._unattended is not None:
            self._unattended.saw(head)

    def generation(self) -> bytes:
        """Return the signed name of the generation; empty without a key."""
        if self.keyring is None:
            return b""
        name = self._generations.current
        return sign(self.keyring, "generation", (self._namespace,), generation=name)

    def note_published(self, generation: bytes, since_move: float) -> None:
        """Note what callers can see in Redis; see :meth:`AntiReplay.note_published`."""
        if generation == self.generation():  # a beat may have been on its way since before begin()
            self._generations.note_published(since_move)

    def admit(self, queue: Consumer, entry: Entry) -> Generator[Ticket, Permit, Entry | Outcome]:
        """Return the verified job with its unwrapped body, or the outcome if it is refused."""
        try:
            return (yield from self._admitted(queue, entry))
        except MessageTooLargeError as error:
            return failed(error, None)
        except SignatureError as error:
            return failed(error, self._job_of(entry))

    def _job_of(self, entry: Entry) -> Job | None:
        """Return a job that is refused, if nobody waits for it and it is signed."""
        try:
            signed = self._verified(entry)
            if signed is None or signed_at(signed.generation) is None:
                return None
            return decode(signed.body).job.without_arguments()
        except QueuedGspreadError:
            return None

    def try_admit(self, entry: Entry) -> Entry | None:
        """Return a job if it can be let in at once; None if :meth:`admit` must decide later."""
        self._inside.pop((entry.lane, *entry.key), None)
        if len(entry.body) > self._limit or self.history.knows(entry.job_id):
            return None
        try:
            signed = self._verified(entry)
        except SignatureError:
            return None
        if signed is None:
            return entry
        if not self._is_fresh_at_once(signed) or self._was_answered(entry):
            return None
        self._let_in(entry, signed)
        return replace(entry, body=signed.body)

    def answer(
        self,
        queue: Consumer,
        answers: Sequence[tuple[Entry, bytes]],
        slots_to_release: Sequence[AnsweredSlot] = (),
    ) -> Entry | None:
        """Answer jobs of a lane in their order and release slots; return the lane's next job."""
        if self.keyring is None:
            return queue.answer(answers, slots_to_release)
        inside = [pair for pair in answers if self._is_inside(pair[0])]
        unattended: dict[str, int] = {}
        for entry, reply in inside:
            at = self._inside.pop((entry.lane, *entry.key), None)
            if at is None:
                self._generations.note_answered(entry.job_id)
            else:
                unattended[entry.job_id] = at
            self._unconfirmed[entry.job_id] = reply, entry.failure, entry.promise
        signed = [(entry, self._signed(entry, reply)) for entry, reply in answers]
        answer = partial(queue.answer, signed, slots_to_release)
        if self._unattended is None or not unattended:
            following = answer()
        else:
            following = self._unattended.answer(unattended, answer)
        for entry, _ in inside:
            self._unconfirmed.pop(entry.job_id, None)
        return following

    def grant(self, queue: Consumer, entry: Entry, grant: Grant) -> bool:
        """Give a lane's lock to its first job; return False if that was withdrawn."""
        answered, reply = grant.outcome.answer_to(entry)
        signed = self._signed(entry, reply)
        is_granted = queue.grant(answered, signed, grant.hold, grant.who)
        if is_granted and self._is_inside(entry):
            self._inside.pop((entry.lane, *entry.key))
            self._generations.note_answered(entry.job_id)
        return is_granted

    def ended(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Record how a call ended; return its outcome, with an error if the reply is too large."""
        if len(outcome.reply) > self._limit:
            error = too_large(outcome.word, len(outcome.reply), self._limit)
            outcome = replace(failed(error, outcome.job, outcome.tally), promise=outcome.promise)
        if outcome.error is not None and (outcome.job is not None or outcome.sort == "poisoned"):
            failure = kept_of(outcome.error, entry, outcome.job, outcome.failure_sort)
            outcome = replace(outcome, failure=failure)
        self.history.end(entry.job_id, outcome)
        return outcome

    def _is_inside(self, entry: Entry) -> bool:
        return (entry.lane, *entry.key) in self._inside

    def _admitted(
        self, queue: Consumer, entry: Entry
    ) -> Generator[Ticket, Permit, Entry | Outcome]:
        self._inside.pop((entry.lane, *entry.key), None)
        if len(entry.body) > self._limit:
            raise MessageTooLargeError(
                f"the call is a job of {shown_size(len(entry.body))}, and the server's limit is "
                f"{shown_size(self._limit)} (--max-message-bytes): it was not made. Split it into "
                "several calls"
            )
        signed = self._verified(entry)
        if self.history.knows(entry.job_id):
            return (yield from self._once_more(entry, signed))
        if signed is None:
            return entry
        if self._was_answered(entry):
            return self._again(entry, signed)
        # Its caller gets an answer, whether the call is made or refused.
        self._let_in(entry, signed)
        ended = yield from self._until_fresh(queue, entry, signed)
        if ended is not None:
            return ended
        return replace(entry, body=signed.body)

    def _once_more(
        self, entry: Entry, signed: SignedMessage | None
    ) -> Generator[Ticket, Permit, Entry | Outcome]:
        """Handle a job that this process has worked on already, though Redis may not know it."""
        while self.history.is_underway(entry.job_id):
            permit = yield Ticket(FREE, not_before=time.monotonic() + _LONGEST_PAUSE)
            if permit.word != "go":
                return Outcome(permit.word)
        if signed is not None:
            self._let_in(entry, signed)
        ended = self.history.ended(entry.job_id)
        if ended is None:
            return entry if signed is None else replace(entry, body=signed.body)
        if ended.reply is None:
            # Do not make it again: later calls may have written to the same place, or this may be
            # a copy that an attacker put into the lane.
            return failed(unknown(None, _FORGOTTEN), None)
        LOGGER.info("lane %r: a job that was made is answered once more", entry.lane)
        return Outcome("again", ended.reply, failure=ended.failure, promise=ended.promise)

    def _verified(self, entry: Entry) -> SignedMessage | None:
        if self.keyring is None:
            if is_signed(entry.body):
                raise SignatureError(
                    "the call is signed, and the server has no key to verify it with: it was not "
                    "made. Start the server with --signing-key-file, or remove the client's key"
                )
            return None
        try:
            bound = bound_job(self._namespace, entry.lane, entry.job_id)
            return verify(self.keyring, "job", bound, entry.body)
        except SignatureError as error:
            raise SignatureError(
                f"the server makes only signed calls and refuses this one: {error}. It was not "
                "made. Set QUEUED_GSPREAD_SIGNING_KEY_FILE or signing_key_file= to a copy of the "
                "server's key"
            ) from None

    def _again(self, entry: Entry, signed: SignedMessage) -> Outcome:
        """Handle a job that was answered before."""
        unconfirmed = self._unconfirmed.get(entry.job_id)
        if unconfirmed is not None:
            self._let_in(entry, signed)
            reply, failure, promise = unconfirmed
            return Outcome("again", reply, failure=failure, promise=promise)
        # Do not reply: a signed reply could be passed off as the reply to the original job.
        LOGGER.warning("lane %r: a copy of a job that was answered is dropped", entry.lane)
        return Outcome("replayed")

    def _until_fresh(
        self, queue: Consumer, entry: Entry, signed: SignedMessage
    ) -> Generator[Ticket, Permit, Outcome | None]:
        """Wait until the caller has confirmed that it still waits; return an outcome if refused."""
        if signed_at(signed.generation) is not None and not self._is_fresh_at_once(signed):
            raise SignatureError(_NOT_VALID)
        pause = _FIRST_PAUSE
        while not self._is_fresh(queue, entry, signed):
            if self._has_had_time(entry):
                raise SignatureError(
                    "the call was signed for an earlier server, and its caller did not confirm "
                    f"within {self._renewal_timeout:g} s that it still waits: this server has not "
                    "made it. Look whether an earlier one has before you call again"
                )
            permit = yield Ticket(FREE, not_before=time.monotonic() + pause)
            if permit.word != "go":
                return Outcome(permit.word)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    def _is_fresh(self, queue: Consumer, entry: Entry, signed: SignedMessage) -> bool:
        if self._is_fresh_at_once(signed):
            return True
        message = queue.renewal(entry.job_id)
        if message is None or self.keyring is None:
            return False
        try:
            bound = (self._namespace, entry.job_id)
            renewal = verify(self.keyring, "wanted", bound, message)
        except SignatureError:
            return False
        return self._generations.is_fresh(renewal.generation)

    def _is_fresh_at_once(self, signed: SignedMessage) -> bool:
        """Return whether a job is fresh by what it is signed with."""
        at = signed_at(signed.generation)
        if at is None or self._unattended is None:
            return self._generations.is_fresh(signed.generation)
        return self._unattended.is_valid(at)

    def _was_answered(self, entry: Entry) -> bool:
        is_known = self._unattended is not None and self._unattended.was_answered(entry.job_id)
        return is_known or self._generations.was_answered(entry.job_id)

    def _let_in(self, entry: Entry, signed: SignedMessage) -> None:
        key = (entry.lane, *entry.key)
        self._inside[key] = signed_at(signed.generation)

    def _has_had_time(self, entry: Entry) -> bool:
        since_enqueue = entry.age + time.monotonic() - entry.seen
        return min(since_enqueue, self._generations.age) > self._renewal_timeout

    def _signed(self, entry: Entry, reply: bytes) -> bytes:
        if self.keyring is None or not reply:
            return reply
        bound = bound_reply(self._namespace, entry.lane, entry.job_id, entry.body)
        return sign(self.keyring, "reply", bound, reply, generation=self._generations.current)
