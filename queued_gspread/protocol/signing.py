"""Signed messages: proof of who wrote what came through Redis.

A signature is an HMAC-SHA-256 over everything that a message is bound to: its purpose, the
namespace, the job, and its content. Each part is preceded by its length, so that no two lists of
parts look alike. A signed message is

    HS256:GENERATION:SIGNATURE:BODY

with the signature in hexadecimal. A message that is not signed begins with a brace, as JSON does.

A key file has one key per line, of at least 32 characters; blank lines are ignored. The first key
signs, and all of them verify: so a new key can be distributed before it is used, and an old one
dropped once it no longer is.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from queued_gspread._secret_file import content_of
from queued_gspread.errors import ConfigurationError, SignatureError

__all__ = ["Keyring", "Purpose", "SignedMessage", "is_signed", "load_keys", "sign", "verify"]

Purpose: TypeAlias = Literal[
    "job", "reply", "wanted", "generation", "journal", "answered", "promise"
]
"""What a message is for; one signed for another purpose is refused."""

_MARK: Final = b"HS256:"
_SHORTEST_KEY: Final = 32
_MAKE_ONE: Final = "make one with `(umask 077; openssl rand -hex 32 > FILE)`, for all clients too"
_COPY_IT: Final = "copy the server's (its --signing-key-file) there, and `chmod 600` the copy"
# A key given instead of its file's name, perhaps: hexadecimal or base64.
_KEY_LIKE: Final = re.compile(r"[0-9A-Fa-f]{32,}|[\w+/-]{32,}={1,2}|[\w+-][\w+/-]{31,}", re.ASCII)


@dataclass(frozen=True)
class Keyring:
    """The keys of one file: the first signs, all verify. They appear in no ``repr``."""

    keys: tuple[bytes, ...] = field(repr=False)

    def sign(self, purpose: Purpose, *parts: bytes) -> bytes:
        """Return the signature of some parts, in hexadecimal."""
        return _signature(self.keys[0], purpose, parts)

    def verify(self, signature: bytes, purpose: Purpose, *parts: bytes) -> bool:
        """Return whether any of the keys made this signature of these parts."""
        expected = (_signature(key, purpose, parts) for key in self.keys)
        return any(hmac.compare_digest(signature, one) for one in expected)


@dataclass(frozen=True)
class SignedMessage:
    """The content of a signed message, once its signature is verified.

    Attributes:
        generation: The server's generation under which it was signed; '' if none was known.
        body: The content.

    """

    generation: str
    body: bytes


def load_keys(path: str | os.PathLike[str], *, copied: bool) -> Keyring:
    """Return the keys of a file.

    Args:
        path: Where it is.
        copied: Whether it must be a copy of the server's file, as a client's must.

    Raises:
        ConfigurationError: It cannot be read, others may read it, or a line of it is not a key.
            The text names the file and the line, but never a key.

    """
    remedy = _COPY_IT if copied else _MAKE_ONE
    shown = _shown(os.fspath(path))
    content = content_of(path, shown, remedy, "key")
    lines = enumerate((line.strip() for line in content.splitlines()), 1)
    keys = {number: key for number, key in lines if key}
    if not keys:
        raise ConfigurationError(f"{shown} is empty: {remedy}")
    for number, key in keys.items():
        if len(key) < _SHORTEST_KEY:
            raise ConfigurationError(
                f"{shown}: the key in line {number} has {len(key)} bytes, and {_SHORTEST_KEY} are "
                f"the fewest: {remedy}"
            )
    return Keyring(tuple(keys.values()))


def _shown(path: str) -> str:
    if _KEY_LIKE.fullmatch(path):
        return "the signing key file (its name looks like a key: name the file that the key is in)"
    return f"signing key file {path!r}"


def is_signed(message: bytes) -> bool:
    """Return whether a message claims to be signed."""
    return message.startswith(_MARK)


def sign(
    keyring: Keyring,
    purpose: Purpose,
    bound_to: tuple[str | bytes, ...],
    body: bytes = b"",
    *,
    generation: str = "",
) -> bytes:
    """Return a message that holds a body and its signature.

    Args:
        keyring: The keys; the first signs.
        purpose: What the message is for.
        bound_to: What the message belongs to but does not contain, such as namespace and job id.
        body: Its content.
        generation: The server's generation under which it is signed; without a colon.

    """
    signature = keyring.sign(purpose, *_parts(bound_to, generation.encode(), body))
    return b"".join((_MARK, generation.encode(), b":", signature, b":", body))


def verify(
    keyring: Keyring, purpose: Purpose, bound_to: tuple[str | bytes, ...], message: bytes
) -> SignedMessage:
    """Return the content of a message.

    Raises:
        SignatureError: It is not signed, or its signature does not fit. The text says which; the
            caller must add which message it is.

    """
    if not is_signed(message):
        raise SignatureError("it is not signed")
    generation, _, rest = message[len(_MARK) :].partition(b":")
    signature, _, body = rest.partition(b":")
    if not keyring.verify(signature, purpose, *_parts(bound_to, generation, body)):
        raise SignatureError(
            "its signature does not fit: it was altered, or signed with another key"
        )
    return SignedMessage(generation.decode(), body)


def _parts(bound_to: tuple[str | bytes, ...], *more: bytes) -> tuple[bytes, ...]:
    # Names from Redis may contain anything, lone surrogates included.
    texts = (
        part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        for part in bound_to
    )
    return (*texts, *more)


def _signature(key: bytes, purpose: Purpose, parts: tuple[bytes, ...]) -> bytes:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in (purpose.encode(), *parts):
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.hexdigest().encode()
