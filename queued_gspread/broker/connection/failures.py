"""What a failure of Redis means, and what a user can do about it.

Most failures differ only in their text, which comes from Redis, from OpenSSL or from redis-py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from redis.exceptions import (
    InvalidResponse,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)

from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import HIDDEN, hide_password

from .discovery import REFUSED_FOR_GOOD
from .master import NoMajorityError
from .pool import MovedAwayError

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["has_most_clients", "is_denied", "is_locked_out", "is_out_of_memory", "unavailable"]

_DENIED: Final = ("permission", "can't run this command", "can't access at least one")
# Redis 7 has its own text for a script of a client that has not logged in.
_LOCKED_OUT: Final = ("unauthenticated", "NOAUTH", "WRONGPASS")

_FORM: Final = "redis://USER:PASSWORD@HOST:PORT/DB, or redis://:PASSWORD@HOST:PORT/DB for no user"
_START: Final = (
    "start one there (`redis-server`), or correct the URL (redis_url=, --redis-url or "
    "QUEUED_GSPREAD_REDIS_URL; rediss:// where it speaks TLS, and only there). "
    "`queued-gspread-server` with no URL configured starts one for your account on its machine"
)
_CHECK: Final = "check its settings and what this user may do"
_NO_REDIS: Final = (
    "what listens there is not a Redis, but another program, such as a web server: correct the "
    "host and the port in the URL"
)
_HUNG_UP: Final = (
    "what listens there closed the connection. If it is a Redis, it has just ended, or it speaks "
    "TLS (take rediss://), or it lets no other machine in without a password (its protected-mode); "
    "if it is something else, correct the host and the port in the URL"
)
_NO_TLS: Final = "It may speak no TLS: then take redis:// in the place of rediss://"
_TLS: Final = (
    "Over TLS, its certificate must name the host, and be signed by a CA that is known here or "
    "that ?ssl_ca_certs=FILE in the URL names; ssl_certfile and ssl_keyfile are for a client "
    "certificate that it requires"
)

# The remedy for each text; the first entry with words that are in it counts.
_BY_TEXT: Final = {
    ("DB index is out of range",): (
        "it has no database of that number (they are 0 to 15, where its `databases` says nothing "
        "else): take another in the URL"
    ),
    ("SELECT is not allowed in cluster",): (
        "it is a node of a Cluster, which has database 0 alone: take "
        "redis+cluster://HOST:PORT,HOST:PORT"
    ),
    ("cluster support disabled",): "it is not a Cluster: take redis://HOST:PORT/DB",
    ("unknown command 'SENTINEL'", "unknown command `SENTINEL`"): (
        "it is a Redis, not a Sentinel: take redis://HOST:PORT/DB"
    ),
    ("unknown command 'EVALSHA'", "unknown command `EVALSHA`"): (
        "it runs no scripts. If it is a Sentinel, take redis+sentinel://HOST:PORT/SERVICE; else "
        "let it have EVAL and EVALSHA"
    ),
    ("no Redis is known there by the name",): (
        "check the service in the URL (redis+sentinel://HOST:PORT/SERVICE): it is the name behind "
        "`sentinel monitor` in their configuration"
    ),
    ("command not allowed when used memory",): (
        "give it more memory, or let the server empty the queue"
    ),
    ("loading the dataset",): "wait until it has read its data, and call again",
    ("max number of clients",): (
        "let it have more (its maxclients), or close some, and call again"
    ),
}
_BY_TEXT_OF_LOST: Final = {
    ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"): (
        "what listens there speaks no TLS: take redis:// in the place of rediss://"
    ),
    ("SSL: ",): f"the TLS handshake failed. {_TLS}",
}
# The users in docs/security.md, and the commands that neither clients nor observers need.
_USERS: Final = (
    *("queued-gspread-client", "queued-gspread-server", "queued-gspread-observer"),
    "queued-gspread-operator",
)
_SERVERS_ALONE: Final = ("multi", "exec", "info", "wait", "expire")
_PARTS: Final = (
    "a server, and `queued-gspread stop`, need the server's user (docs/security.md), where the "
    "operator's will do for what acts on a queue, and clients the client's. If it is the right "
    "one, "
)
_CLOSED: Final = ("closed by server", "reset by peer", "Broken pipe", "aborted")


def unavailable(settings: Settings, error: RedisError) -> BrokerUnavailableError:
    """Return the error that says what is wrong with Redis and what to do."""
    # redis-py's own texts name hosts and reasons, never a password.
    remedy = _remedy(settings.redis_url, error, settings.namespace)
    return BrokerUnavailableError(
        f"Redis at {settings.shown_url} cannot be used ({error}): {remedy}"
    )


def _remedy(url: str, error: RedisError, namespace: str) -> str:
    """Return what to do about an error of redis-py's."""
    known = _by_text(_BY_TEXT, error)
    if known:
        return known
    if isinstance(error, (MovedAwayError, NoMajorityError)):
        return error.remedy
    if is_locked_out(error):
        return _of_lockout(url, error)
    if isinstance(error, InvalidResponse):
        return _NO_REDIS
    if isinstance(error, ResponseError):
        return _of_denial(url, error, namespace) if is_denied(error) else _CHECK
    return _of_lost(url, error)


def _by_text(table: dict[tuple[str, ...], str], error: RedisError) -> str:
    reason = str(error)
    return next((text for words, text in table.items() if any(map(reason.__contains__, words))), "")


def _of_lost(url: str, error: RedisError) -> str:
    reason = str(error)
    is_tls = url.startswith("rediss")
    if is_tls and "Timeout" in reason:
        return f"what listens there does not answer. {_NO_TLS}. {_TLS}"
    if not is_tls and any(word in reason for word in _CLOSED):
        return _HUNG_UP
    return _by_text(_BY_TEXT_OF_LOST, error) or (f"{_START}. {_TLS}" if is_tls else _START)


def _of_lockout(url: str, error: RedisError) -> str:
    check = "check the user and the password in the URL"
    if "without any password configured" in str(error):
        return f"it wants no password: {check}, and take them out, or give Redis a password"
    if not _has_login(url):
        return f"it wants a password: {check}, which has none ({_FORM})"
    if _user(url) == HIDDEN:
        return f"{check}: where no colon stands before the @, it is a user's name alone ({_FORM})"
    return f"{check}: it does not let user {_user(url)!r} in with this password"


def _of_denial(url: str, error: RedisError, namespace: str) -> str:
    whom = "" if _user(url) == HIDDEN else f" {_user(url)!r}"
    return (
        f"its ACL does not let the user{whom} do this in namespace {namespace!r}"
        f"{_needed(str(error), namespace)}: {_of_parts(url, str(error))}give that user the rules "
        "for this namespace (docs/security.md, Users of Redis, has those of clients and of "
        "servers), or name the namespace that the user is for (namespace=, --namespace or "
        "QUEUED_GSPREAD_NAMESPACE)"
    )


def _of_parts(url: str, reason: str) -> str:
    """Return which side needs which user, if it may well be the wrong side's user."""
    command = _command(reason).partition("|")[0]
    return _PARTS if _user(url) in _USERS or command in _SERVERS_ALONE else ""


def _command(reason: str) -> str:
    # The texts of the versions of Redis have this much in common.
    match = re.search(r"run the '([\w|-]+)' command", reason)
    return match[1].lower() if match else ""


def _needed(reason: str, namespace: str) -> str:
    command = _command(reason)
    if command:
        return f", for which +{command} is needed"
    # For a script, Redis does not say which command is denied.
    return "" if "script" in reason else f", for which ~queued-gspread:{{{namespace}}}:* is needed"


def _has_login(url: str) -> bool:
    return "@" in url or bool(re.search(r"[?&]password=", url))


def _user(url: str) -> str:
    """Return the user in a URL; three stars if it may be a password."""
    userinfo, at, _ = hide_password(url).partition("://")[2].rpartition("@")
    if not at:
        return HIDDEN if "username=" in url else "default"
    return userinfo.partition(":")[0] or "default"


def is_locked_out(error: BaseException | None) -> bool:
    """Return whether Redis rejected the user or the password."""
    if isinstance(error, BrokerUnavailableError):
        error = error.__cause__
    return isinstance(error, REFUSED_FOR_GOOD) or any(word in str(error) for word in _LOCKED_OUT)


def is_denied(error: BaseException | None) -> bool:
    """Return whether Redis denies the user this command or key."""
    if isinstance(error, BrokerUnavailableError):
        error = error.__cause__
    # Each version of Redis has its own words for it, and others if a script got the error.
    reason = str(error)
    return isinstance(error, ResponseError) and any(words in reason for words in _DENIED)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether Redis is out of memory."""
    # If a script got the error, redis-py does not use its class.
    return isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error)


def has_most_clients(error: RedisError) -> bool:
    """Return whether Redis has as many clients as it accepts."""
    return "max number of clients" in str(error)
