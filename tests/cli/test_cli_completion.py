"""Completion, as shells do it: what is typed before a Tab is completed by the script."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys

import pytest
from processes import run
from waiting import PATIENCE

from queued_gspread import cli
from queued_gspread.cli.completion import SHELLS
from queued_gspread.cli.options import Parser

INTERACTIVE = {
    "bash": (["--norc", "--noprofile", "-i"], ". {}"),
    # No file of the machine is read, and none is written.
    "zsh": (["-f", "-i"], "fpath=({0.parent} $fpath) && autoload -U compinit && compinit -D -u"),
}
# What is typed, and what is there after a Tab.
TYPED = {
    "sta": "status",
    "jobs canc": "jobs cancel",
    "pause --wri": "pause --writes",
    "server --log-format js": "server --log-format json",
    "completion fi": "completion fish",
}


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """Return what makes the script of a shell that is there, as a file."""
    pytest.importorskip("shtab", reason="the extra completion is not installed")
    folder = tmp_path_factory.mktemp("completion")

    def make(shell):
        if shutil.which(shell) is None:
            pytest.skip(f"there is no {shell}")
        # No variable of a server's, whatever is wrong with it, changes the script.
        done = run("completion", shell, LEASE="never", NAMESPACE="secret")
        assert (done.returncode, done.stderr) == (0, "")
        assert "secret" not in done.stdout
        path = folder / {"zsh": "_queued-gspread"}.get(shell, shell)
        path.write_text(done.stdout)
        return path

    return make


class Terminal:
    """A shell at a terminal of its own."""

    def __init__(self, shell, folder):
        arguments, self._source = INTERACTIVE[shell]
        own, theirs = pty.openpty()
        self._end = own
        variables = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "PS1": "% "}
        self._process = subprocess.Popen(
            [shell, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=variables,
            cwd=folder,
        )
        os.close(theirs)

    def source(self, path):
        """Read a script; return once that is done."""
        self.type(self._source.format(path) + "\necho rea''dy\n")
        self.until("ready")

    def type(self, text):
        os.write(self._end, text.encode())

    def until(self, text):
        """Wait until the screen has a text; fail with what it has if that does not come."""
        shown = ""
        while text not in shown:
            is_there, _, _ = select.select([self._end], [], [], PATIENCE)
            assert is_there, shown
            shown += re.sub(r"\x1b\[[\d;?]*\w|\r", "", os.read(self._end, 65_536).decode())

    def close(self):
        self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._end)


@pytest.mark.parametrize("shell", INTERACTIVE)
def test_a_shell_completes_what_is_typed(shell, script, tmp_path):
    """A Tab completes commands, options and their words, in the shell itself."""
    path = script(shell)
    terminal = Terminal(shell, tmp_path)
    try:
        terminal.source(path)
        for typed, completed in TYPED.items():
            terminal.type(f"queued-gspread {typed}\t")
            terminal.until(f"queued-gspread {completed}")
            # Clears the line.
            terminal.type("\x15")
    finally:
        terminal.close()


def test_fish_completes_what_is_typed(script):
    """Commands, options and their words are what fish offers."""
    path = script("fish")
    for typed, completed in TYPED.items():
        command = f"source {path}; complete --do-complete 'queued-gspread {typed}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", command], check=True, capture_output=True, text=True
        )
        offered = [line.split("\t")[0] for line in done.stdout.splitlines()]
        assert offered == [completed.split()[-1]]


def test_files_are_completed_where_an_option_takes_one(script, tmp_path):
    """A Tab after an option that takes a file completes the file's name."""
    (tmp_path / "key-of-orders.json").touch()
    terminal = Terminal("bash", tmp_path)
    try:
        terminal.source(script("bash"))
        terminal.type("queued-gspread server --service-account key-o\t")
        terminal.until("key-of-orders.json")
    finally:
        terminal.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_completed(shell, script):
    """The script of each shell names every command."""
    text = script(shell).read_text()
    assert [name for name, _, _ in cli.COMMANDS if not re.search(rf"\b{name}\b", text)] == []


def test_without_the_package_the_remedy_is_told(monkeypatch, capsys):
    """Without the extra, the error says what to install, in one line."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert cli.main(["completion", "bash"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert 'pip install ".[completion]"' in shown.err


def test_the_help_of_every_command_has_examples(capsys):
    """Each command's help ends with examples of it, which its own parser takes."""
    for name, module, _ in cli.COMMANDS:
        parser = Parser(name)
        module.add_options(parser)
        assert parser._examples, name
        with pytest.raises(SystemExit):
            parser.parse_args(["--help"])
        shown = capsys.readouterr().out.partition("\nexamples:\n")[2]
        for command, about in parser._examples:
            assert re.search(rf"^  {re.escape(command)} +{re.escape(about)}$", shown, re.MULTILINE)
            program, called, *words = shlex.split(re.split(r" (?:>|\|\|?) ", command)[0])
            assert (program, called) == ("queued-gspread", name)
            parser.parse_args(words)
