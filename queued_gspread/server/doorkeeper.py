"""Which jobs come in, and what goes out to their callers: sizes and signatures.

It stands around the runner: what comes in is taken out of its signature and checked, what goes out
is signed. Without a key it lets everything pass that is not signed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import Permit
from queued_gspread.broker.seals import bound_job, bound_reply, shown_size
from queued_gspread.errors import MessageTooLargeError, SignatureError
from queued_gspread.signing import Sealed, is_sealed, load_keys, seal, unseal

from .calllog import LOGGER
from .generations import Generations
from .line import FREE, Ticket
from .outcome import Outcome, failed, too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queued_gspread.broker import Entry, Servers
    from queued_gspread.settings import Settings

    Run = Callable[[Entry], Generator[Ticket, Permit, Outcome]]

__all__ = ["Doorkeeper"]

_GO: Final = Permit("go")
# How long a caller has to say that an earlier job is still wanted: several looks at the server.
_PATIENCE: Final = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25


class Doorkeeper:
    """Checks what comes in and signs what goes out; all lanes of a server may use it at once.

    Args:
        settings: The server's: the namespace, the largest message, the key file.
        generations: What this server knows of signed jobs.

    Attributes:
        keyring: The keys; None where nothing is signed.

    Raises:
        ConfigurationError: The signing key file cannot be used.

    """

    def __init__(self, settings: Settings, generations: Generations | None = None) -> None:
        self._namespace = settings.namespace
        self._limit = settings.max_message_bytes
        path = settings.signing_key_file
        self.keyring = None if path is None else load_keys(path)
        self._generations = generations or Generations()
        # The signed jobs that are being answered, by lane: only of these is it remembered.
        self._inside: dict[str, str] = {}
        # Replies that Redis may not have taken.
        self._unconfirmed: dict[str, bytes] = {}

    def begin(self) -> None:
        """Begin an epoch."""
        self._inside.clear()
        self._unconfirmed.clear()
        self._generations.begin()

    def generation(self) -> bytes:
        """Return the signed name of the generation; nothing where there is no key."""
        if self.keyring is None:
            return b""
        name = self._generations.current
        return seal(self.keyring, "generation", (self._namespace,), generation=name)

    def running(self, queue: Servers, run: Run) -> Run:
        """Return what runs a job as it stands in its lane, if it is let in."""

        def let_in(entry: Entry) -> Generator[Ticket, Permit, Outcome]:
            try:
                admitted = yield from self._admitted(queue, entry)
            except (MessageTooLargeError, SignatureError) as error:
                return failed(error, None, 0)
            if isinstance(admitted, Outcome):
                return admitted
            return self._limited((yield from run(admitted)))

        return let_in

    def answering(self, queue: Servers) -> Callable[[Entry, bytes], Entry | None]:
        """Return what answers a job as it stands in its lane."""

        def answer(entry: Entry, reply: bytes) -> Entry | None:
            # A thread of an earlier epoch may come to a lane in which there is another job by now.
            is_inside = self._inside.get(entry.lane) == entry.job_id
            if is_inside:
                self._inside.pop(entry.lane, None)
                self._generations.note_answered(entry.job_id)
                self._unconfirmed[entry.job_id] = reply
            following = queue.answer(entry, self._sealed(entry, reply))
            if is_inside:
                self._unconfirmed.pop(entry.job_id, None)
            return following

        return answer

    def _admitted(self, queue: Servers, entry: Entry) -> Generator[Ticket, Permit, Entry | Outcome]:
        self._inside.pop(entry.lane, None)  # of a job that was left, or put off
        if len(entry.body) > self._limit:
            raise MessageTooLargeError(
                f"the call is a job of {shown_size(len(entry.body))}, and the server's limit is "
                f"{shown_size(self._limit)} (--max-message-bytes): it was not made. Split it into "
                "several calls"
            )
        sealed = self._unsealed(entry)
        if sealed is None:
            return entry
        if self._generations.was_answered(entry.job_id):
            return self._again(entry)
        # Whether it is made or refused, its caller has an answer then.
        self._inside[entry.lane] = entry.job_id
        ended = yield from self._until_fresh(queue, entry, sealed)
        if ended is not None:
            return ended
        return replace(entry, body=sealed.body)

    def _unsealed(self, entry: Entry) -> Sealed | None:
        if self.keyring is None:
            if is_sealed(entry.body):
                raise SignatureError(
                    "the call is signed, and the server has no key to verify it with: it was not "
                    "made. Start the server with --signing-key-file, or take the client's away"
                )
            return None
        try:
            bound = bound_job(self._namespace, entry.lane, entry.job_id)
            return unseal(self.keyring, "job", bound, entry.body)
        except SignatureError as error:
            raise SignatureError(
                f"the server makes signed calls alone, and refuses this one: {error}. It was not "
                "made. Set QUEUED_GSPREAD_SIGNING_KEY_FILE or signing_key_file= to a copy of the "
                "server's key"
            ) from None

    def _again(self, entry: Entry) -> Outcome:
        """Return what becomes of a job that was answered before."""
        reply = self._unconfirmed.get(entry.job_id)
        if reply is not None:
            self._inside[entry.lane] = entry.job_id
            return Outcome("again", reply)
        # Without a reply: signed, it could be passed off as that to the job itself.
        LOGGER.warning("lane %r: a copy of a job that was answered is dropped", entry.lane)
        return Outcome("replayed")

    def _until_fresh(
        self, queue: Servers, entry: Entry, sealed: Sealed
    ) -> Generator[Ticket, Permit, Outcome | None]:
        """Wait until a job is known to be wanted; return how it ended if it is not let in."""
        pause = _FIRST_PAUSE
        while not self._is_fresh(queue, entry, sealed):
            if self._has_had_time(entry):
                raise SignatureError(
                    "the call was signed for a server before this one, and its caller did not say "
                    "in time that it still waits: this server has not made it"
                )
            permit = yield Ticket(FREE, lambda: _GO, not_before=time.monotonic() + pause)
            if permit.word != "go":
                return Outcome(permit.word)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    def _is_fresh(self, queue: Servers, entry: Entry, sealed: Sealed) -> bool:
        if self._generations.is_fresh(sealed.generation):
            return True
        message = queue.wanted(entry.job_id)
        if message is None or self.keyring is None:
            return False
        try:
            bound = (self._namespace, entry.job_id)
            wanted = unseal(self.keyring, "wanted", bound, message)
        except SignatureError:
            return False
        return self._generations.is_fresh(wanted.generation)

    def _has_had_time(self, entry: Entry) -> bool:
        since_enqueue = entry.age + time.monotonic() - entry.seen
        # An entry from the future is somebody's own making.
        return entry.age < 0 or min(since_enqueue, self._generations.age) > _PATIENCE

    def _limited(self, outcome: Outcome) -> Outcome:
        """Return an outcome whose reply is not larger than the limit."""
        if len(outcome.reply) <= self._limit:
            return outcome
        told = too_large(outcome.word, len(outcome.reply), self._limit)
        return failed(told, outcome.job, outcome.requests)

    def _sealed(self, entry: Entry, reply: bytes) -> bytes:
        if self.keyring is None or not reply:
            return reply
        bound = bound_reply(self._namespace, entry.lane, entry.job_id, entry.body)
        return seal(self.keyring, "reply", bound, reply, generation=self._generations.current)
