"""What sees to it that nothing outlives its owner, even one that is killed."""

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
        # Nothing of the environment, and nothing that is installed, has a say in it.
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
            directory.rmdir()  # there is nobody who would remove it later
            raise ConfigurationError(
                f"nothing can be started: what ends it with this process needs {python}, "
                f"which cannot be run ({error.strerror}): see that it is there, on the PATH"
            ) from error

    def add(self, pid: int) -> None:
        """End this process too; it has to be one that leads a session."""
        self._tell(f"{pid}\n")

    def remove(self, pid: int) -> None:
        """Leave this process as it is: its id may soon be another's."""
        self._tell(f"-{pid}\n")

    def cut(self) -> None:
        """Leave everything as it is."""
        self._tell("done\n")
        self._heir.communicate()

    def _tell(self, line: str) -> None:
        assert self._heir.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was ended by somebody else
            self._heir.stdin.write(line.encode())
