"""The settings of every Redis that this package starts, and the wait for its first answer."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, BinaryIO

from queued_gspread.errors import BrokerUnavailableError, ConfigurationError

from . import binaries
from .probe import Address, Answer, probe, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOG_LIMIT = 1_000_000
_LOG_PREFIX = re.compile(r"^\d+:\w \d+ \w+ \d+ [\d:.]+ [-.*#] ")


# These commands write files or load programs as the user who runs Redis, or make it follow another
# Redis in everything. No other account can connect; if one does anyway, this keeps it out of the
# user's account.
RESTRICTED = (
    "~* &* +@all -acl -config +config|get -debug -failover -migrate -module -replicaof -slaveof"
)


def start_redis(binary: Path, config: bytes, **options: Any) -> subprocess.Popen[bytes]:
    """Start *binary* in the foreground with these settings; *options* are for :class:`Popen`.

    The settings go through a pipe, since every account can see a command line.
    """
    command = [str(binary), "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, **options)  # noqa: S603 - configured
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(config)
    return process


def redis_config(
    binary: Path,
    address: Address,
    directory: Path,
    *,
    persistent: bool,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Return the settings for *binary* to run in the foreground and log to standard output."""
    settings = {
        **_listening(binary, address),
        "dir": [str(directory)],
        "daemonize": ["no"],
        "logfile": [""],
        "always-show-logo": ["no"],
        "save": [""],
        "appendonly": ["yes" if persistent else "no"],
        "appendfsync": ["everysec"],
        "maxmemory-policy": ["noeviction"],
        **{name: [value] for name, value in (options or {}).items()},
    }
    lines = (" ".join([name, *map(_quoted, values)]) for name, values in settings.items())
    return os.fsencode("\n".join([*lines, ""]))


def restriction(binary: Path, password: str = "") -> bytes:
    """Return the setting that forbids commands that could harm the user's account.

    It is empty for a *binary* that does not know the rules. It also sets the password: Redis then
    ignores the password in other settings.
    """
    if binaries.version(binary) < binaries.CHANNEL_RULES:
        return b""
    digest = hashlib.sha256(os.fsencode(password)).hexdigest()
    return f"user default on {f'#{digest}' if password else 'nopass'} {RESTRICTED}\n".encode()


def check_data(binary: Path, directory: Path) -> None:
    """Refuse a program that would not see a newer one's data, and so would start empty."""
    if not (directory / "appendonlydir").is_dir():
        return
    if binaries.version(binary) < binaries.SEPARATE_AOF_FOLDER:
        raise ConfigurationError(
            f"the data in {directory} was written by Redis 7 or newer, and {binary} is older: "
            "put the newer redis-server on the PATH, or move that folder away"
        )


class Log:
    """A log file that is appended to, and the text written to it since it was opened here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def open(self) -> BinaryIO:
        """Return the file for a child's output; rename one that has grown large first."""
        if self.path.exists() and self.path.stat().st_size > _LOG_LIMIT:
            self.path.replace(self.path.with_suffix(".log.1"))
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._start = os.fstat(descriptor).st_size
        return os.fdopen(descriptor, "wb", buffering=0)

    def text(self) -> str:
        """Return the text written since the file was opened here."""
        with self.path.open("rb") as stream:
            stream.seek(self._start)
            return stream.read().decode(errors="replace")

    def last_lines(self, count: int = 2) -> str:
        """Return the last lines that are not empty, without Redis's time stamps."""
        lines = [line for line in self.text().splitlines() if line.strip()]
        messages = [_LOG_PREFIX.sub("", line).strip() for line in lines]
        return " ".join(messages[-count:]) or "nothing"


def wait_for_answer(
    address: Address, process: subprocess.Popen[bytes], log: Log, seconds: float
) -> None:
    """Return once Redis answers; raise if *process* ends first or is silent for *seconds*.

    A Redis that is reading a large append-only file may take as long as it needs.
    """
    answer = Answer.NOTHING

    def decided() -> bool:
        nonlocal answer
        answer = probe(address)
        return answer is Answer.REDIS or process.poll() is not None

    while not wait_until(decided, seconds):
        if answer is not Answer.LOADING:
            break
    if answer is not Answer.REDIS:
        state = "ended at once" if process.poll() is not None else f"is silent after {seconds:g} s"
        raise BrokerUnavailableError(
            f"the Redis that was started {state}; its log {log.path} says: {log.last_lines()}"
        )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _listening(binary: Path, address: Address) -> dict[str, list[str]]:
    if not isinstance(address, tuple):
        return {"port": ["0"], "unixsocket": [str(address)], "unixsocketperm": ["700"]}
    bind = ["127.0.0.1"]
    if binaries.version(binary) >= binaries.MINUS_PREFIX:
        bind.append("-::1")  # so that "localhost" works where it resolves to ::1 first
    return {"port": [str(address[1])], "bind": bind, "protected-mode": ["yes"]}
