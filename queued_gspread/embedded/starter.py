"""Start a Redis for this user, under a guard that outlives the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from queued_gspread.errors import BrokerUnavailableError, ConfigurationError
from queued_gspread.settings import DEFAULT_PORT, data_directory

from .binaries import bundled_binary, find_binary
from .launch import Log, check_data, wait_for_answer
from .probe import Address, Answer, settled
from .state import FileLock, Files, check_system, make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_IDLE = 10.0
DEFAULT_TIMEOUT = 15.0
MAX_PORT = 65535


def ensure_running(
    port: int = DEFAULT_PORT,
    directory: Path | None = None,
    *,
    binary: Path | None = None,
    idle: float = DEFAULT_IDLE,
    timeout: float = DEFAULT_TIMEOUT,
    tell: Callable[[str], object] | None = None,
) -> bool:
    """Make sure that ``redis://localhost:PORT`` leads to a Redis; return whether one was started.

    It is started for this user alone, on a socket that clients of that URL try first. None is
    started if one answers there or on the port. *directory* replaces the user's state directory.
    *binary* replaces the extra's program or, without the extra, the system's. The Redis ends once
    it has had no client for *idle* seconds. It starts within *timeout* seconds, or an error says
    why not. *tell* is called with the one line that a user should read.
    """
    _check_numbers(port, idle)
    launch = _Launch(port, Files(data_directory(port, directory)), idle, timeout)
    if not launch.files.socket.exists() and launch.port_answers():
        return False  # another Redis answers: not even a folder is needed
    check_system()
    launch.files.check_socket()
    make_private(launch.files.directory)
    started = launch.run(binary)
    if started and tell is not None:
        tell(launch.line())
    return started


@dataclass(frozen=True)
class _Launch:
    port: int
    files: Files
    idle: float
    timeout: float

    def run(self, binary: Path | None) -> bool:
        with self._gate() as is_held:
            if _answers(self.files.socket):
                if is_held and self.files.unguarded():
                    self._spawn("--adopt")
                return False
            if self.port_answers():
                return False
            if not is_held:
                raise BrokerUnavailableError(
                    f"another process has been starting Redis in {self.files.directory} for more "
                    f"than {self.timeout:g} s: end it, or look into {self.files.log}"
                )
            # The extra's program goes first: an older system program that is installed later could
            # not read its data.
            self._start(binary or bundled_binary() or find_binary())
        return True

    def port_answers(self) -> bool:
        return _answers(("localhost", self.port))

    def line(self) -> str:
        return (
            "started Redis for your account on this machine only; its socket and its data are in "
            f"{self.files.directory}; it ends {self.idle:g} s after its last client"
        )

    @contextmanager
    def _gate(self) -> Iterator[bool]:
        lock = FileLock(self.files.gate)
        try:
            held = lock.acquire(self.timeout)
        except OSError as error:
            raise ConfigurationError(f"no place for Redis's files: {error}") from error
        try:
            yield held
        finally:
            lock.release()

    def _start(self, binary: Path) -> None:
        check_data(binary, self.files.directory)
        log = Log(self.files.log)
        guard = self._spawn("--binary", str(binary), log=log)
        try:
            wait_for_answer(self.files.socket, guard, log, self.timeout)
        except BaseException:
            guard.terminate()
            raise

    def _spawn(self, *options: str, log: Log | None = None) -> subprocess.Popen[bytes]:
        settings = ["--directory", self.files.directory, "--idle", self.idle]
        command = [_python(), "-m", "queued_gspread.embedded", *map(str, settings), *options]
        with (log or Log(self.files.log)).open() as output:
            guard = subprocess.Popen(  # noqa: S603 - this very package
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                umask=0o077,
            )
        # The guard may end long before this process, so a thread waits to collect its exit status.
        threading.Thread(target=guard.wait, name="redis-guard", daemon=True).start()
        return guard


def _answers(address: Address) -> bool:
    answer = settled(address)
    if answer in {Answer.OTHER, Answer.CLOSED}:
        place = address if isinstance(address, Path) else f"{address[0]}:{address[1]}"
        raise ConfigurationError(
            f"{place} is taken, and not by a Redis that answers "
            f"({answer.value}): stop what listens there, or configure another Redis URL"
        )
    return answer is not Answer.NOTHING


def _check_numbers(port: int, idle: float) -> None:
    if not 0 < port <= MAX_PORT:
        raise ConfigurationError(f"{port} is not a TCP port")
    if not idle > 0:
        raise ConfigurationError(f"idle is {idle}: it must be more than 0 seconds")


def _python() -> str:
    if not sys.executable:
        raise ConfigurationError("Redis cannot be started: this Python has no sys.executable")
    return sys.executable


def _environment() -> dict[str, str]:
    """Return an environment in which the guard imports the same modules from another folder."""
    places = [str(Path(place).absolute()) for place in sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "PYTHONSAFEPATH": "1"}
