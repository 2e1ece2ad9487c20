"""Real processes of this package: its commands, and clients in their own Python."""

from __future__ import annotations

import os
import subprocess
import sys

from waiting import PATIENCE, eventually

PYTHON = [sys.executable, "-W", "error"]
COMMAND = [*PYTHON, "-m", "queued_gspread"]
_MAIN = "from queued_gspread.cli import main; raise SystemExit(main())"


def environment(**variables):
    """Return an environment that configures only the given variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QUEUED_GSPREAD_", "GOOGLE_", "PYTEST_"))
    }
    return {**inherited, **{f"QUEUED_GSPREAD_{key}": value for key, value in variables.items()}}


def run(*arguments, **variables):
    """Run a command of the package and wait for its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=environment(**variables),
    )


def start_python(code, **variables):
    """Start a Python process that runs a program given as text."""
    return subprocess.Popen(
        [*PYTHON, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**variables),
    )


class ServerProcess:
    """``queued-gspread server`` as a process; its log goes to a file.

    Args:
        log: The file.
        options: The command's options.
        patch: Python code to run before the server.
        variables: See :func:`environment`.

    """

    def __init__(self, log, *options, patch="", **variables):
        command = [*PYTHON, "-c", f"{patch}\n{_MAIN}"] if patch else COMMAND
        self._log = log
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                [*command, "server", *map(str, options)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=environment(**variables),
            )

    @property
    def log(self):
        return self._log.read_text()

    def until_log(self, text):
        """Wait until the log contains a text."""
        eventually(
            lambda: text in self.log or self.process.poll() is not None,
            f"the log says {text!r}; it says {self.log!r}",
        )
        assert text in self.log
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def exit_status(self):
        return self.process.wait(PATIENCE)

    def end(self):
        if self.process.poll() is None:
            self.kill()
