"""A Redis for tests and the demo that leaves nothing behind."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from queued_gspread._fork import by_owner
from queued_gspread.broker.sandbox import add_temporary, drop_temporary
from queued_gspread.errors import BrokerUnavailableError

from .binaries import find_binary
from .launch import (
    Log,
    redis_config,
    restriction,
    start_redis,
    wait_for_answer,
)
from .lifeline import Lifeline
from .probe import Address, free_port, wait_until
from .state import check_system

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

_ATTEMPTS = 3
_STOPPING = 10.0
_QUIETING = {"loglevel", "logfile"}
_READY = "eady to accept connections"


class TemporaryRedis:
    """A real Redis on a free port, or on a Unix socket, in a folder of its own.

    *binary* is a server program, by default the one that :func:`find_binary` returns. With
    *persistent*, the data is in an append-only file and survives :meth:`kill` and
    :meth:`restart`. *options* are further settings of ``redis.conf``.

    On a port it requires a password, which is part of its URL. The password is random, unless
    *options* have another ``requirepass``; with an empty one, every account of the machine can use
    it. Unless *restricted* is False, no client can make it write files elsewhere or load programs
    as this user, by ``CONFIG SET``, ``MODULE``, ``REPLICAOF`` and the like.

    As a context manager it is started on entry and closed on exit; otherwise it is closed when
    Python ends. It never outlives this process, however that ends. A ^C at the terminal does not
    reach it. A forked child of this process can use it, and does not end it.
    """

    def __init__(
        self,
        binary: Path | str | None = None,
        *,
        persistent: bool = False,
        unix_socket: bool = False,
        options: Mapping[str, str] | None = None,
        restricted: bool = True,
        timeout: float = 15.0,
    ) -> None:
        check_system()
        self._binary = Path(binary) if binary else None
        self._persistent = persistent
        self._unix_socket = unix_socket
        # Every account on this machine can reach the port; only the user can open the socket's
        # folder.
        password = "" if unix_socket else secrets.token_hex(16)
        self._options = {"requirepass": password, **(options or {})}
        # Redis takes access rules either from a file or from its settings.
        self._restricted = restricted and "aclfile" not in self._options
        self._timeout = timeout
        self._directory: Path | None = None
        self._address: Address | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL for a Redis client; it stays the same from the first start to the end."""
        address = self._known_address()
        password = quote(self._options["requirepass"], safe="")
        user = f":{password}@" if password else ""
        if isinstance(address, Path):
            return f"unix://{user}{address}"
        return f"redis://{user}{address[0]}:{address[1]}/0"

    @property
    def port(self) -> int:
        """The TCP port, 0 on a Unix socket."""
        address = self._known_address()
        return 0 if isinstance(address, Path) else address[1]

    @property
    def directory(self) -> Path:
        """The folder with the data and the log; it exists until :meth:`close`."""
        if self._directory is None:
            # A short name: the path of a Unix socket may have 104 bytes in all.
            directory = Path(tempfile.mkdtemp(prefix="queued-gspread-"))
            self._lifeline = Lifeline(directory)
            self._directory = directory
            atexit.register(self.close)
        return self._directory

    @property
    def log(self) -> str:
        """The whole of Redis's log."""
        return (self.directory / "redis.log").read_text(errors="replace")

    @property
    def pid(self) -> int | None:
        """The process id, None while Redis does not run."""
        process = self._process
        if process is None:
            return None
        # A forked child cannot poll its parent's process.
        if self._owner != os.getpid() or process.poll() is None:
            return process.pid
        assert self._lifeline is not None
        self._lifeline.remove(process.pid)  # after poll(), the id may belong to another process
        return None

    def start(self) -> None:
        """Start Redis, with the data that an earlier run left; wait until it answers."""
        if self.pid is not None:
            return
        if self._owner != os.getpid():  # folder and address belong to the parent
            self._owner, self._directory, self._address = os.getpid(), None, None
        self._reap()
        attempts = 1 if self._address or self._unix_socket else _ATTEMPTS
        while not self._started(last=attempts == 1):
            attempts -= 1
        add_temporary(self.url)

    @by_owner
    def stop(self) -> None:
        """End Redis in good order; the folder stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    @by_owner
    def kill(self) -> None:
        """End Redis with SIGKILL, as a crash would; the folder stays."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    @by_owner
    def restart(self) -> None:
        """Stop Redis if it runs, and start it on the same address, in the same folder."""
        self.stop()
        self.start()

    @by_owner
    def close(self) -> None:
        """Stop Redis and remove its folder."""
        self.stop()
        if self._address is not None:
            drop_temporary(self.url)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            assert self._lifeline is not None
            self._lifeline.cut()
            atexit.unregister(self.close)
            self._directory = self._address = self._lifeline = None

    def _started(self, *, last: bool) -> bool:
        try:
            self._launch(self._address or self._new_address())
        except BrokerUnavailableError as error:
            # Another process may take the free port before Redis does.
            if last or "in use" not in str(error):
                raise
            return False
        return True

    def _launch(self, address: Address) -> None:
        binary = self._binary or find_binary()
        config = redis_config(
            binary, address, self.directory, persistent=self._persistent, options=self._options
        )
        if self._restricted:
            config += restriction(binary, self._options["requirepass"])
        log = Log(self.directory / "redis.log")
        self._process = self._child(binary, config, log)
        try:
            wait_for_answer(address, self._process, log, self._timeout)
            self._check_own(log)
        except BaseException:
            self.kill()
            raise
        self._address = address

    def _child(self, binary: Path, config: bytes, log: Log) -> subprocess.Popen[bytes]:
        with log.open() as output:
            process = start_redis(
                binary, config, stdout=output, stderr=output, start_new_session=True, umask=0o077
            )
        assert self._lifeline is not None
        self._lifeline.add(process.pid)
        return process

    def _check_own(self, log: Log) -> None:
        """Raise if another Redis answered, because it had taken the port first."""
        process = self._process
        assert process is not None
        if not _QUIETING.isdisjoint(self._options):
            return  # it may not log that it is ready

        def decided() -> bool:
            return _READY in log.text() or process.poll() is not None

        wait_until(decided, self._timeout)
        if process.poll() is not None:
            raise BrokerUnavailableError(f"the Redis that was started ended: {log.last_lines()}")

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            assert self._lifeline is not None
            self._lifeline.remove(self._process.pid)
        self._process = None

    def _new_address(self) -> Address:
        if self._unix_socket:
            return self.directory / "redis.sock"
        return "127.0.0.1", free_port()

    def _known_address(self) -> Address:
        if self._address is None:
            raise BrokerUnavailableError("this temporary Redis was not started yet")
        return self._address
