"""Where the queue is and how long to wait: from arguments, else environment, else defaults."""

from __future__ import annotations

import math
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from queued_gspread._variables import ENV_PREFIX, warn_of_slips
from queued_gspread.errors import ConfigurationError

__all__ = [
    "DEFAULT_MAX_MESSAGE_BYTES",
    "DEFAULT_NAMESPACE",
    "DEFAULT_PORT",
    "DEFAULT_REDIS_URL",
    "LONGEST_SOCKET_PATH",
    "Settings",
    "check_namespace",
    "checked_flag",
    "checked_message_bytes",
    "checked_seconds",
    "data_directory",
    "has_stray_at",
    "hide_password",
    "own_socket",
    "state_directory",
]

DEFAULT_PORT: Final = 6379
DEFAULT_REDIS_URL: Final = f"redis://localhost:{DEFAULT_PORT}/0"
DEFAULT_NAMESPACE: Final = "default"
DEFAULT_GRACE: Final = 10.0
DEFAULT_LEASE: Final = 5.0
"""Seconds without a sign of life from a server after which another may take over."""
DEFAULT_MAX_MESSAGE_BYTES: Final = 64 * 1024**2

_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})

# Redis takes values of up to 512 MiB; the signature and the entry's fields need some of it.
_LARGEST_MESSAGE: Final = 511 * 1024**2

# The limit of macOS, the smallest of all systems.
LONGEST_SOCKET_PATH: Final = 103

# In seconds, some thirty years: Python cannot wait for more than about nine times that.
_LONGEST: Final = 1_000_000_000

HIDDEN: Final = "***"
_SCHEME: Final = re.compile(r"[a-z+]+")
_USER: Final = re.compile(r"[\w.%-]*")
_HOST: Final = re.compile(r"([\w.%-]*|\[[\w:.%]*\])(:\d*)?")
_SECRETS: Final = ("password", "sentinel_password", "ssl_password")
_HARMLESS: Final = re.compile(
    r"(?:db|protocol|ssl_cert_reqs|ssl_check_hostname|ssl_ca_certs|ssl_certfile|ssl_keyfile)"
    r"=[\w./-]*"
)

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Settings:
    """What a client needs to reach its server.

    Attributes:
        redis_url: The Redis that holds the queue. It may contain a password, so ``repr`` leaves it
            out, and errors and logs show :attr:`shown_url`.
        namespace: The queue within that Redis; one namespace is one Google account.
        timeout: Seconds that a caller waits for an answer; None waits as long as a server is
            alive.
        grace: Seconds without a living server after which a waiting caller gives up.
        max_message_bytes: How large a job or a reply may be.
        signing_key_file: The file with the keys that sign jobs and replies, see
            :mod:`queued_gspread.protocol.signing`; None if they are not signed.
        quiet: Whether to be silent about calls that wait for long.
        caller: The client's own name, which logs and errors show; None if it has none.
        max_age: Seconds: how old the answers to reads may be; with 0, Google is always asked.

    """

    redis_url: str = field(default=DEFAULT_REDIS_URL, repr=False)
    namespace: str = DEFAULT_NAMESPACE
    timeout: float | None = None
    grace: float = DEFAULT_GRACE
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    signing_key_file: str | None = None
    quiet: bool = False
    caller: str | None = None
    max_age: float = 0.0

    @classmethod
    def resolve(
        cls,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        grace: float | None = None,
        max_message_bytes: int | None = None,
        signing_key_file: str | os.PathLike[str] | None = None,
        caller: str | None = None,
        max_age: float | None = None,
    ) -> Settings:
        """Return the settings from the arguments, else the environment, else the defaults.

        A variable whose name looks misspelt is logged.

        Raises:
            ConfigurationError: A value cannot be used; the text names it and its source.

        """
        warn_of_slips()
        return cls(
            redis_url=_text("redis_url", redis_url, environment("REDIS_URL") or DEFAULT_REDIS_URL),
            namespace=check_namespace(
                _text("namespace", namespace, environment("NAMESPACE") or DEFAULT_NAMESPACE)
            ),
            timeout=_seconds("timeout", timeout, "TIMEOUT", None),
            grace=_seconds("grace", grace, "GRACE", DEFAULT_GRACE) or DEFAULT_GRACE,
            max_message_bytes=_message_bytes(max_message_bytes),
            signing_key_file=_path(signing_key_file or environment("SIGNING_KEY_FILE")),
            quiet=checked_flag("QUIET", environment("QUIET")),
            caller=_caller(caller),
            max_age=_seconds("max_age", max_age, "MAX_AGE", 0.0, zero=True) or 0.0,
        )

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return hide_password(self.redis_url)

    @property
    def place(self) -> str:
        """The queue in words."""
        return f"namespace {self.namespace!r} at {self.shown_url}"

    @property
    def callers_place(self) -> str:
        """The same, and the client's own name if it has one."""
        return self.place + (f" (caller {self.caller})" if self.caller else "")


def environment(name: str) -> str | None:
    """Return the environment variable of an option; an empty one counts as not set."""
    return os.environ.get(ENV_PREFIX + name) or None


def checked_flag(variable: str, text: str | None) -> bool:
    """Return whether an environment variable says yes.

    Raises:
        ConfigurationError: It says neither yes nor no.

    """
    word = (text or "no").lower()
    if word not in _YES | _NO:
        message = f"{ENV_PREFIX}{variable}={text!r} cannot be used: take yes or no"
        raise ConfigurationError(message)
    return word in _YES


def state_directory() -> Path:
    """Return the folder for this package's state; it need not exist yet."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    if sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = home / ".local" / "state"
    configured = Path(os.environ.get("XDG_STATE_HOME", ""))
    # The XDG specification: a relative path is invalid and must be ignored.
    return (configured if configured.is_absolute() else base) / "queued-gspread"


def data_directory(port: int, state: Path | None = None) -> Path:
    """Return the data folder of the Redis that stands in for *port*, one for each port."""
    return (state or state_directory()) / "redis" / str(port)


def own_socket(port: int, state: Path | None = None) -> Path:
    """Return the socket of the Redis that was started for this user in place of *port*.

    A client of ``redis://localhost:PORT`` looks here first.
    """
    return data_directory(port, state) / "redis.sock"


def check_namespace(namespace: str) -> str:
    """Return the namespace, or raise :class:`ConfigurationError` if it has odd characters."""
    return _checked_name("namespace", namespace)


def _checked_name(what: str, name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise ConfigurationError(
        f"{what} {name!r} cannot be used: take 1 to 64 letters, digits, dots, dashes or underscores"
    )


def hide_password(url: str) -> str:
    """Return a Redis URL with every part that may be a password as three stars.

    Hidden entirely: text that is not a URL, everything after the scheme if an unescaped ``@``
    follows the host, and a host that cannot be one, such as a password given alone. Of the
    options, only those known to be harmless are shown.
    """
    scheme, mark, rest = url.partition("://")
    if not (mark and _SCHEME.fullmatch(scheme)):
        return HIDDEN
    if has_stray_at(url):
        return f"{scheme}{mark}{HIDDEN}"
    userinfo, at, place = rest.rpartition("@")
    place, question, query = place.partition("#")[0].partition("?")
    hosts, slash, path = place.partition("/")
    host = _shown_hosts(hosts)
    # After an invalid host, an apparent path may be the rest of a password.
    if HIDDEN in host:
        slash, path, question, query = "", "", "", ""
    shown = [_shown_user(userinfo) if at else "", at, host, slash, path, question]
    options = "&".join(_shown_option(option) for option in query.split("&")) if query else ""
    return "".join([scheme, mark, *shown, options])


def has_stray_at(url: str) -> bool:
    """Return whether an ``@`` follows the host: then it is unclear where the password ends."""
    authority = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return url.count("@") > authority.count("@")


def _shown_user(userinfo: str) -> str:
    user, colon, _ = userinfo.partition(":")
    # A name without a password may be a password without a name.
    return f"{user}:{HIDDEN}" if colon and _USER.fullmatch(user) else HIDDEN


def _shown_hosts(hosts: str) -> str:
    return ",".join(host if _HOST.fullmatch(host) else HIDDEN for host in hosts.split(","))


def _shown_option(option: str) -> str:
    if _HARMLESS.fullmatch(option):
        return option
    name, equals, _ = option.partition("=")
    # After an unescaped &, an apparent name is the rest of a password.
    return f"{name}={HIDDEN}" if equals and name in _SECRETS else HIDDEN


def checked_seconds(value: float | str, shown: str, *, zero: bool = False) -> float:
    """Return seconds above 0 (or 0, with ``zero``) that threads and sockets can wait for.

    Raises:
        ConfigurationError: It is not such a number; the text contains ``shown``.

    """
    try:
        # A bool is a number to Python, and a mistake here.
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if seconds <= _LONGEST and (seconds > 0 or (zero and seconds == 0)):
        return seconds
    expected = f"{'0 or more' if zero else 'above 0'}, and at most {_LONGEST}"
    raise ConfigurationError(f"{shown} cannot be used: take a number of seconds, {expected}")


def checked_count(value: int | str, shown: str) -> int:
    """Return a whole number, 0 or more.

    Raises:
        ConfigurationError: It is not one; the text contains ``shown``.

    """
    text = str(value)
    if text.isascii() and text.isdecimal():
        return int(text)
    raise ConfigurationError(f"{shown} cannot be used: take a whole number, 0 or more")


def checked_message_bytes(value: int | str, shown: str) -> int:
    """Return the size of the largest message.

    Raises:
        ConfigurationError: Redis could not hold it, or it is not a size; the text contains
            ``shown``.

    """
    text = str(value)
    if text.isascii() and text.isdecimal() and 0 < int(text) <= _LARGEST_MESSAGE:
        return int(text)
    raise ConfigurationError(
        f"{shown} cannot be used: take a number of bytes from 1 to {_LARGEST_MESSAGE}, since "
        "Redis holds no more in one value"
    )


def _message_bytes(value: int | None) -> int:
    if value is not None:
        return checked_message_bytes(value, f"max_message_bytes={value!r}")
    text = environment("MAX_MESSAGE_BYTES")
    if text is None:
        return DEFAULT_MAX_MESSAGE_BYTES
    return checked_message_bytes(text, f"{ENV_PREFIX}MAX_MESSAGE_BYTES={text!r}")


def _text(option: str, value: object, default: str) -> str:
    if not isinstance(value, (str, type(None))):
        # Without the value, which may contain a password.
        raise ConfigurationError(f"{option} is of type {type(value).__name__}: take a str")
    # redis-py and an f-string would each spell a member of a (str, Enum) differently.
    return str.__str__(value) if value else default


def _caller(given: str | None) -> str | None:
    name = _text("caller", given, environment("CALLER") or "")
    return _checked_name("caller", name) if name else None


def _path(path: str | os.PathLike[str] | None) -> str | None:
    if path is None:
        return None
    return os.path.expanduser(path)  # noqa: PTH111 - Path's own raises where there is no home


def _seconds(
    option: str,
    value: float | None,
    variable: str,
    default: float | None,
    *,
    zero: bool = False,
) -> float | None:
    if value is not None:
        return checked_seconds(value, f"{option}={value!r}", zero=zero)
    text = environment(variable)
    if text is None:
        return default
    return checked_seconds(text, f"{ENV_PREFIX}{variable}={text!r}", zero=zero)
