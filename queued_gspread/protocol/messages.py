"""The two messages of the queue: a client's job and the server's reply.

Both are maps in the wire format of :mod:`queued_gspread.protocol.codec`.

Job::

    v         int         version of the wire format: 1, or 2 under an idempotency key
    versions  [str, str]  of queued_gspread and of gspread, at the client
    kind      str         which of gspread's classes: client, spreadsheet, worksheet, http_client;
                          or lock, for a job that asks for one
    target    map | null  {"spreadsheet": map, "properties": map} of the object
    method    str         the public name that is called
    args      list        positional arguments stay positional
    kwargs    map
    caller    [str, int]  host and process, for logs and errors; before the host, the client's own
                          name and an @ if it has one
    identity  list | null [e-mail, subject, scopes] of the client's credentials
    http_timeout          what set_timeout was given: a number, a tuple or null
    timeout   num | null  seconds after the enqueue at which the caller gives up
    unattended            true if nobody waits for the reply; absent otherwise
    once      [str, int, num]  idempotency key, the call's place in its block, and the seconds for
                          which its answer is kept; absent without a key
    max_age   num         seconds: how old the answers to its reads may be; absent if they must be
                          fresh. A reader that does not know it asks Google, which is right too
    traceparent  str      the caller's span, as W3C's Trace Context writes it; absent where the
                          caller does not trace. A reader that does not know it does without

Reply::

    v         int
    result    any         what the method returned; absent if it raised
    error     exception   what it raised; absent if it returned
    warnings  list        [[category, text], …] in the order in which they were raised
    changes   list        of the object's properties, see :mod:`.property_changes`
    requests  number      the call's share of the requests sent for it; absent if there were none

The job's id and the time of its enqueue are kept by the queue, outside the message.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, cast

import gspread

from queued_gspread._version import __version__
from queued_gspread.errors import CodecError, VersionMismatchError

from . import codec
from .identity import ANYONE, Identity

__all__ = [
    "LOCK",
    "LONGEST_KEEP",
    "LONGEST_KEY",
    "UNATTENDED_TIMEOUT",
    "Job",
    "NoObjects",
    "Once",
    "Reply",
    "caller_named",
    "check_http_timeout",
    "new_id",
]

UNATTENDED_TIMEOUT: Final = 24 * 3600.0
"""Seconds after its enqueue until which a call that nobody waits for may be begun."""

LOCK: Final = "lock"
"""The kind of a job that asks for the lock of its lane's spreadsheet, and makes no call."""

LONGEST_KEY: Final = 200
"""The characters of the longest idempotency key."""

LONGEST_KEEP: Final = 31 * 86_400.0
"""The longest time, in seconds, for which an answer is kept under one."""

_FIRST_VERSION: Final = 1
_MOST_CALLS: Final = 10**9
_HOST: Final = socket.gethostname()
_LONGEST_TIMEOUT: Final = 1e12


def check_http_timeout(value: object) -> None:
    """Raise :class:`TypeError` for a value of ``set_timeout`` that a job cannot carry."""
    if not _is_http_timeout(value):
        raise TypeError(
            f"set_timeout({value!r}) cannot be used: take seconds, a pair of seconds, or None"
        )


def caller_named(name: str | None) -> tuple[str, int]:
    """Return a job's ``caller`` for this process, and the client's own name if it has one."""
    return (f"{name}@{_HOST}" if name else _HOST), os.getpid()


def new_id() -> str:
    """Return an id that no other process will make, not even a forked one."""
    return os.urandom(16).hex()


class NoObjects:
    """Refuses gspread's objects in a message that has none: of a job that asks for a lock."""

    def spreadsheet(self, *_: dict[str, Any]) -> NoReturn:
        """Refuse it."""
        raise CodecError("a spreadsheet is in a message that has none")

    worksheet = spreadsheet


@dataclass(frozen=True)
class Once:
    """The idempotency key that a call is under.

    Attributes:
        key: The key.
        number: The call's place among the writes of its block, from 0.
        keep: Seconds for which its answer is kept.

    """

    key: str
    number: int
    keep: float


@dataclass
class Job:
    """One gspread call. Its fields are those of the message above."""

    kind: str
    method: str
    target: dict[str, Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    identity: Identity = ANYONE
    http_timeout: Any = None
    timeout: float | None = None
    caller: tuple[str, int] = field(default_factory=lambda: caller_named(None))
    versions: tuple[str, str] = (__version__, gspread.__version__)
    is_unattended: bool = False
    once: Once | None = None
    traceparent: str | None = None
    max_age: float = 0.0

    @property
    def name(self) -> str:
        """The method with the kind of its object: ``worksheet.append_row``."""
        return f"{self.kind}.{self.method}"

    def encode(self) -> bytes:
        """Return the message.

        Raises:
            codec.Unencodable: An argument cannot travel.

        """
        who = self.identity
        identity = None if who == ANYONE else [who.email, who.subject, who.scopes]
        rare: dict[str, Any] = {"unattended": True} if self.is_unattended else {}
        if self.once is not None:
            rare["once"] = [self.once.key, self.once.number, self.once.keep]
        if self.traceparent is not None:
            rare["traceparent"] = self.traceparent
        if self.max_age:
            rare["max_age"] = self.max_age
        return codec.dumps(
            {
                "v": _FIRST_VERSION if self.once is None else codec.WIRE_VERSION,
                **rare,
                "versions": list(self.versions),
                "kind": self.kind,
                "target": self.target,
                "method": self.method,
                "args": list(self.args),
                "kwargs": self.kwargs,
                "caller": list(self.caller),
                "identity": identity,
                "http_timeout": self.http_timeout,
                "timeout": self.timeout,
            },
            in_job=True,
        )

    def without_arguments(self) -> Job:
        """Return it without the arguments, which may be large.

        A client call's first argument is kept: it is a spreadsheet's title or key.
        """
        args = self.args[:1] if self.kind == "client" else ()
        return Job(**{**vars(self), "args": args, "kwargs": {}})

    @classmethod
    def decode(cls, body: bytes, objects: codec.Objects) -> Job:
        """Return the job of a message.

        Raises:
            CodecError: The message is not a job.
            VersionMismatchError: It was written by a newer version.

        """
        message = _message(body, objects, in_job=True)
        identity = message.get("identity")
        try:
            job = cls(
                kind=message["kind"],
                method=message["method"],
                target=message["target"],
                args=tuple(message["args"]),
                kwargs=message["kwargs"],
                identity=ANYONE if identity is None else Identity(*identity),
                http_timeout=message["http_timeout"],
                timeout=message["timeout"],
                caller=tuple(message["caller"]),
                versions=tuple(message["versions"]),
                is_unattended=message.get("unattended", False),
                once=Once(*message["once"]) if "once" in message else None,
                traceparent=message.get("traceparent"),
                max_age=message.get("max_age", 0.0),
            )
        except (KeyError, TypeError) as error:
            raise CodecError(f"a job's field is missing or of the wrong kind: {error}") from error
        job.check()
        return job

    def check(self) -> None:
        """Raise :class:`CodecError` unless every field is of its documented kind."""
        target = self.target
        wrong = [
            name
            for name, right in {
                "kind": isinstance(self.kind, str),
                "method": isinstance(self.method, str),
                "target": target is None or _is_target(target),
                "kwargs": _is_str_dict(self.kwargs),
                "timeout": self.timeout is None or _is_seconds(self.timeout),
                "http_timeout": _is_http_timeout(self.http_timeout),
                "caller": len(self.caller) == 2,  # noqa: PLR2004 - host and process
                "versions": len(self.versions) == 2,  # noqa: PLR2004 - ours and gspread's
                "identity": _is_identity(self.identity),
                "unattended": isinstance(self.is_unattended, bool),
                "once": self.once is None or _is_once(self.once),
                "traceparent": self.traceparent is None or isinstance(self.traceparent, str),
                "max_age": _is_seconds(self.max_age) and self.max_age >= 0,
            }.items()
            if not right
        ]
        if wrong:
            raise CodecError(f"a job's fields are of the wrong kind: {', '.join(wrong)}")


@dataclass
class Reply:
    """The outcome of a call. Its fields are those of the message above."""

    result: Any = None
    error: BaseException | None = None
    warnings: list[Any] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    requests: float = 0.0

    def encode(self) -> bytes:
        """Return the message.

        Raises:
            codec.Unencodable: The result cannot travel.

        """
        outcome = {"result": self.result}
        if self.error is not None:
            outcome = {"error": codec.Raised(self.error)}
        share = {"requests": round(self.requests, 6)} if self.requests else {}
        return codec.dumps(
            {
                "v": _FIRST_VERSION,
                **outcome,
                "warnings": self.warnings,
                "changes": self.changes,
                **share,
            }
        )

    @classmethod
    def decode(cls, body: bytes, objects: codec.Objects) -> Reply:
        """Return the reply of a message.

        Raises:
            CodecError: The message is not a reply.
            VersionMismatchError: It was written by a newer version.

        """
        message = _message(body, objects, in_job=False)
        error = message.get("error")
        warnings, changes = message.get("warnings"), message.get("changes")
        requests = message.get("requests", 0.0)
        is_raised = error is None or isinstance(error, Exception)
        if not (is_raised and _is_number(requests)) or not (
            isinstance(warnings, list) and isinstance(changes, list)
        ):
            raise CodecError("a reply's fields are of the wrong kind")
        return cls(message.get("result"), error, warnings, changes, requests)


def _message(body: bytes, objects: codec.Objects, *, in_job: bool) -> dict[str, Any]:
    try:
        message = codec.loads(body, objects, in_job=in_job)
    except CodecError:
        # A newer version's message may not even be readable.
        _check_version(_plain(body))
        raise
    if not isinstance(message, dict) or type(message.get("v")) is not int:
        raise CodecError("a message is not a map with a version")
    _check_version(message)
    return message


def _plain(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _check_version(message: Any) -> None:
    version = message.get("v") if isinstance(message, dict) else None
    if not isinstance(version, int) or version <= codec.WIRE_VERSION:
        return
    versions = message.get("versions")
    writer = versions[0] if isinstance(versions, list) and versions else None
    known = f"queued_gspread {writer:.40}" if isinstance(writer, str) else "a newer version"
    raise VersionMismatchError(
        f"a message of wire format {version}, written by {known}, cannot be "
        f"read by {__version__}: install the same version on both sides"
    )


def _is_target(target: object) -> bool:
    return (
        isinstance(target, dict)
        and _is_str_dict(target.get("spreadsheet"))
        and isinstance(target.get("properties"), dict)
    )


def _is_once(once: Once) -> bool:
    key: object = once.key
    number, keep = once.number, once.keep
    is_key = isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and _is_unicode(key)
    is_place = type(number) is int and 0 <= number < _MOST_CALLS
    return is_key and is_place and _is_number(keep) and 0 < keep <= LONGEST_KEEP


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False  # it has a surrogate without its pair
    return True


def _is_str_dict(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    # Redis calculates with its milliseconds, in floats.
    return _is_number(value) and abs(cast("float", value)) < _LONGEST_TIMEOUT


def _is_http_timeout(value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(part is None or _is_number(part) for part in parts)


def _is_identity(identity: Identity) -> bool:
    scopes: object = identity.scopes
    texts: tuple[object, ...] = (identity.email, identity.subject)
    if not isinstance(scopes, (tuple, list, type(None))):
        return False
    return all(text is None or isinstance(text, str) for text in (*texts, *(scopes or ())))
