"""Make sure that no process or folder outlives its owner, even if the owner is killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from queued_gspread.errors import ConfigurationError

_HEIR = Path(__file__).with_name("heir.py")


class Lifeline:
    """Ends processes and removes *directory* if this process dies, even by SIGKILL.

    A child process that was forked from this one does not keep them alive.
    """

    def __init__(self, directory: Path) -> None:
        python = sys.executable or "python3"
        # Isolated: neither the environment nor installed packages can change what it does.
        command = [python, "-I", "-S", str(_HEIR), str(os.getpid()), str(directory)]
        try:
            self._heir = subprocess.Popen(  # noqa: S603 - a script of our own
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            directory.rmdir()  # nothing would remove it later
            raise ConfigurationError(
                f"nothing can be started: {python} is needed to end it with this process, and "
                f"cannot be run ({error.strerror}): make sure that it is there, on the PATH"
            ) from error

    def add(self, pid: int) -> None:
        """Also end this process, which must lead a session."""
        self._send(f"{pid}\n")

    def remove(self, pid: int) -> None:
        """Leave this process alone: its id may soon belong to another one."""
        self._send(f"-{pid}\n")

    def cut(self) -> None:
        """Leave everything as it is, and end the watchdog."""
        self._send("done\n")
        self._heir.communicate()

    def _send(self, line: str) -> None:
        assert self._heir.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # another process ended the watchdog
            self._heir.stdin.write(line.encode())
