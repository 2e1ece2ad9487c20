"""Real processes of this package: its commands, and clients in their own Python."""

from __future__ import annotations

import os
import subprocess
import sys

from waiting import PATIENCE, eventually

PYTHON = [sys.executable, "-W", "error"]
COMMAND = [*PYTHON, "-m", "queued_gspread"]
_MAIN = "import sys; from queued_gspread.cli import main; sys.exit(main())"

forks = None
"""What forks processes, if anything does; the tests set it, and programs start fresh ones."""


def environment(**variables):
    """Return an environment that configures only the given variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QUEUED_GSPREAD_", "GOOGLE_", "PYTEST_"))
    }
    return {**inherited, **{f"QUEUED_GSPREAD_{key}": value for key, value in variables.items()}}


def start(code, *arguments, fresh=False, **options):
    """Start a Python process that runs a program given as text.

    It is forked from one that has imported the package, unless it has to be *fresh*: because the
    test is about imports, or about what goes before them, such as options of Python's and what
    this package reads from the environment once; because it reads the process's command line; or
    because the process has to be this one's very child.
    """
    if fresh or not forks:
        return subprocess.Popen([*PYTHON, "-c", code, *map(str, arguments)], **options)
    return forks.start(code, arguments, **options)


def start_command(*arguments, fresh=False, **options):
    """Start a command of the package; see :func:`start`."""
    if fresh or not forks:
        return subprocess.Popen([*COMMAND, *map(str, arguments)], **options)
    return start(_MAIN, *arguments, **options)


def run(*arguments, fresh=False, **variables):
    """Run a command of the package and wait for its end; see :func:`start`."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    pipes["stdin"] = subprocess.DEVNULL
    with start_command(*arguments, fresh=fresh, env=environment(**variables), **pipes) as process:
        try:
            told = process.communicate(timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, *told)


def start_python(code, *, fresh=False, **variables):
    """Start a Python process that runs a program given as text, with pipes; see :func:`start`."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return start(code, fresh=fresh, text=True, env=environment(**variables), **pipes)


class ServerProcess:
    """``queued-gspread server`` as a process; its log goes to a file.

    Args:
        log: The file.
        options: The command's options.
        patch: Python code to run before the server.
        fresh: See :func:`start`.
        variables: See :func:`environment`.

    """

    def __init__(self, log, *options, patch="", fresh=False, **variables):
        self._log = log
        own = {"fresh": fresh, "stdin": subprocess.DEVNULL, "env": environment(**variables)}
        with log.open("w") as stream:
            own |= {"stdout": stream, "stderr": stream}
            if patch:
                self.process = start(f"{patch}\n{_MAIN}", "server", *options, **own)
            else:
                self.process = start_command("server", *options, **own)

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
