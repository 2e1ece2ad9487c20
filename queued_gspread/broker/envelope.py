"""Signs a caller's jobs and verifies its replies, if it has a key.

A server with a signing key publishes a signed generation of its own making, and renews it every
hour. A job is signed under the generation that its caller knows. If the server names another one
when the caller next looks, the caller signs a renewal: that it still wants this job. So a server
that has just started, and remembers nothing, can distinguish a waiting job from a copy of a past
one.

A job that nobody waits for cannot be renewed. It is signed with the time in place of a generation;
:mod:`queued_gspread.server.calls.unattended` says for how long it is valid.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import MessageTooLargeError, SignatureError
from queued_gspread.protocol.signing import is_signed, load_keys, sign, verify

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = [
    "WANTED_EXPIRY",
    "Envelope",
    "bound_job",
    "bound_reply",
    "shown_size",
    "signed_at",
]

WANTED_EXPIRY: Final = 3 * 3600
"""Seconds for which Redis keeps a renewal: longer than a generation is accepted."""

# No generation begins so.
_TIME: Final = "@"
_NO_KEY: Final = (
    "The server has no signing key (start it with --signing-key-file and a copy of this client's "
    "key), or, if it has one, somebody else writes to this Redis"
)
_OTHER_KEY: Final = (
    "The server has another key than this client (give both the same file: --signing-key-file "
    "there, QUEUED_GSPREAD_SIGNING_KEY_FILE or signing_key_file= here), or, if they are the same, "
    "somebody else writes to this Redis"
)
# Only a signature could show which of the two it is.
_UNCLEAR: Final = (
    "A server that lacks this client's key has not made the call; otherwise it is not known "
    "whether the call was made: look before you call again"
)


def bound_job(namespace: str, lane: str, job_id: str) -> tuple[str, ...]:
    """Return what a job's signature is bound to besides its content."""
    return (namespace, lane, job_id)


def bound_reply(namespace: str, lane: str, job_id: str, job: bytes) -> tuple[str | bytes, ...]:
    """Return what a reply's signature is bound to besides its content.

    That is one job in one lane, as it arrived. The server also answers a forged job with the same
    id, or a copy that was moved to another lane, and that answer must not pass for this job's.
    """
    return (namespace, lane, job_id, hashlib.sha256(job).digest())


def signed_at(generation: str) -> int | None:
    """Return the time, in Redis's milliseconds, with which a job is signed if nobody waits for it.

    None if a caller waits: then it is signed under a generation.
    """
    time = generation.removeprefix(_TIME)
    return int(time) if time != generation and time.isdecimal() else None


def shown_size(size: int) -> str:
    """Return a number of bytes as text for people."""
    return f"{size / 1024**2:.1f} MiB" if size >= 1024**2 else f"{size} bytes"


class Envelope:
    """Signs and verifies for one client; any of its threads may use it.

    Raises:
        ConfigurationError: The signing key file cannot be used.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        path = settings.signing_key_file
        self._keyring = None if path is None else load_keys(path, copied=True)
        self._generation = ""

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickled client has only the file's name: the keys are read where it is loaded.
        return (Envelope, (self._settings,))

    @property
    def signs(self) -> bool:
        """Whether this client has a key."""
        return self._keyring is not None

    def job(
        self, job_id: str, lane: str, body: bytes, moment: int | None = None
    ) -> tuple[bytes, str]:
        """Return a job's message, and the generation under which it is signed.

        Args:
            job_id: The job's id.
            lane: Its lane.
            body: The job, encoded.
            moment: If nobody waits for it, a time of Redis's clock before its enqueue.

        Raises:
            MessageTooLargeError: It is larger than the limit.

        """
        generation = self._generation if moment is None else f"{_TIME}{moment}"
        if self._keyring is not None:
            bound = bound_job(self._settings.namespace, lane, job_id)
            body = sign(self._keyring, "job", bound, body, generation=generation)
        limit = self._settings.max_message_bytes
        if len(body) <= limit:
            return body, generation
        raise MessageTooLargeError(
            f"the call is a job of {shown_size(len(body))}, and the limit is {shown_size(limit)} "
            "(QUEUED_GSPREAD_MAX_MESSAGE_BYTES, here and at the server): it was not sent. Split "
            "it into several calls, with fewer rows each"
        )

    def reply(self, job_id: str, lane: str, job: bytes, message: bytes) -> bytes:
        """Return the content of the reply to a job, as that was sent.

        Raises:
            SignatureError: It is not signed as it must be, or it is signed and this client has no
                key.

        """
        if self._keyring is None:
            if is_signed(message):
                raise SignatureError(
                    f"the reply in {self._where} is signed, and this client has no key to verify "
                    f"it with: set QUEUED_GSPREAD_SIGNING_KEY_FILE or signing_key_file= to a copy "
                    "of the server's. A server with a key makes signed calls alone, and this one "
                    "was not signed"
                )
            return message
        bound = bound_reply(self._settings.namespace, lane, job_id, job)
        try:
            return verify(self._keyring, "reply", bound, message).body
        except SignatureError as error:
            why = _OTHER_KEY if is_signed(message) else _NO_KEY
            raise SignatureError(
                f"a reply in {self._where} is refused: {error}. {why}. {_UNCLEAR}"
            ) from None

    def wanted(self, job_id: str, generation: str, named: bytes) -> bytes | None:
        """Return a renewal of a job that was signed under an earlier generation of the server's.

        Args:
            job_id: The job.
            generation: The generation of the caller's job.
            named: The server's signed generation; empty if it has none.

        Returns:
            None if no renewal is needed.

        """
        current = self._current(named)
        if self._keyring is None or current in ("", generation):
            return None
        self._generation = current
        bound = (self._settings.namespace, job_id)
        return sign(self._keyring, "wanted", bound, generation=current)

    def _current(self, named: bytes) -> str:
        if self._keyring is None or not named:
            return ""
        try:
            bound = (self._settings.namespace,)
            return verify(self._keyring, "generation", bound, named).generation
        except SignatureError:
            return ""  # not signed with our key; verifying the reply will fail with an error

    @property
    def _where(self) -> str:
        return self._settings.callers_place
