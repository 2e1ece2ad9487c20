"""Write options.md out of the commands' own parsers: ``python docs/options.py``.

A test compares the page with what this makes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queued_gspread.cli import COMMANDS as NAMED
from queued_gspread.cli.options import Parser

if TYPE_CHECKING:
    import argparse

PAGE = Path(__file__).with_name("options.md")

_NAMES = {"server": "queued-gspread-server"}
COMMANDS = {
    _NAMES.get(name, f"queued-gspread {name}"): module
    for name, module, _ in NAMED
    if name != "demo"
}
"""Each command with its module; the demo has no options."""

INTRODUCTION = """\
<!-- `python docs/options.py` writes this page from the options' help. -->

# Options

Every option of every command. The variable beneath an option's name sets it too; the command line
wins. A flag's variable takes `yes` or `no`. `queued-gspread server` is another name of
`queued-gspread-server`, and [`Server`](server.md) in Python takes the same as keyword arguments
(`api_endpoint=`), except those of log and metrics.

What clients read is in [configuration](configuration.md#clients).
"""

MORE = {
    ("queued-gspread-server", "--credentials"): "See [accounts](accounts.md)",
    ("queued-gspread-server", "--service-account"): "See [several "
    "accounts](accounts.md#several-accounts)",
    ("queued-gspread-server", "--oauth"): "See [OAuth](accounts.md#oauth)",
    ("queued-gspread-server", "--subject"): "See [a subject](accounts.md#a-subject)",
    ("queued-gspread-server", "--impersonate"): "See [impersonation](accounts.md#impersonation)",
    ("queued-gspread-server", "--scopes"): "See [scopes](accounts.md#scopes)",
    ("queued-gspread-server", "--redis-url"): "If that is the default and nothing answers there, "
    "the server starts one. [All URLs](configuration.md#redis)",
    ("queued-gspread-server", "--api-endpoint"): "An [emulator](emulator.md)'s, say",
    ("queued-gspread-server", "--no-merge"): "See [merging](quota.md#merging)",
    ("queued-gspread-server", "--no-fair"): "See [fairness](quota.md#fairness)",
    ("queued-gspread-server", "--durability"): "See [what Redis may "
    "forget](guarantees.md#what-redis-may-forget)",
    ("queued-gspread-server", "--max-message-bytes"): "At most 511 MiB",
    ("queued-gspread-server", "--max-memory-bytes"): "Plan [up to 30 times a call's "
    "size](guarantees.md#what-a-server-takes-of-memory)",
    ("queued-gspread-server", "--cache-bytes"): "See [reads that may be some "
    "seconds old](max_age.md)",
    ("queued-gspread-server", "--signing-key-file"): "See [signing](security.md#signing)",
    ("queued-gspread-server", "--replace-account"): "See [the account of a "
    "namespace](security.md#the-account-of-a-namespace)",
    ("queued-gspread-server", "--metrics-port"): "See [metrics](metrics.md)",
    ("queued-gspread emulator", "--append-race"): "See [appends that overwrite each "
    "other](emulator.md#appends-that-overwrite-each-other)",
    ("queued-gspread emulator", "--not-computed"): "See [formulas](emulator.md#formulas)",
    ("queued-gspread emulator", "--service-account-out"): "A file that is there is replaced only "
    "if it is such a key",
    ("queued-gspread emulator", "--lender-out"): "See [several "
    "accounts](emulator.md#several-accounts)",
    ("queued-gspread emulator", "--allow-host"): "See [as a process](emulator.md#as-a-process)",
    ("queued-gspread emulator", "--state"): "See [keeping what is "
    "stored](emulator.md#keeping-what-is-stored)",
}
"""What the page says of an option beyond its help: links, for the most part."""

_VARIABLE = re.compile(r" \[(QUEUED_GSPREAD_\w+)[^]]*\]")
# A default that is no value but a sentence has a colon, and stays where it is.
_DEFAULT = re.compile(r" \(default ([^)]*)\)")


def page() -> str:
    """Return the page."""
    return INTRODUCTION + "".join(_section(*command) for command in COMMANDS.items())


def _section(command: str, module: Any) -> str:
    parser = Parser(command)
    module.add_options(parser)
    tables = (_table(command, group) for group in parser._action_groups)  # noqa: SLF001 - there is no public name
    return f"\n## {command}\n\n{module.ABOUT}\n{''.join(tables)}"


def _table(command: str, group: Any) -> str:
    actions = [action for action in group._group_actions if _is_setting(action)]  # noqa: SLF001 - the same
    rows = [_row(command, action) for action in actions]
    # Those that are in no section of ours are in one of argparse's.
    title = "" if group.title == "options" else f"### {group.title.capitalize()}\n\n"
    head = "| option | meaning | default |\n| --- | --- | --- |\n"
    return "\n" + title + head + "".join(rows) if rows else ""


def _is_setting(action: argparse.Action) -> bool:
    """Return whether an action is an option that a variable can set, too."""
    is_long = any(name.startswith("--") for name in action.option_strings)
    return is_long and action.dest not in {"help", "version"}


def _row(command: str, action: argparse.Action) -> str:
    (name,) = action.option_strings
    value = f" {action.metavar or 'WORD'}" if action.nargs != 0 else ""
    value = f" [{value.strip()}]" if action.nargs == "?" else value
    shown = f"{action.default:g}" if isinstance(action.default, float) else str(action.default)
    text = str(action.help).replace("%(default)s", shown)
    variable, default = (found(text) for found in (_VARIABLE.search, _DEFAULT.search))
    meaning = [_DEFAULT.sub("", _VARIABLE.sub("", text)), MORE.get((command, name), "")]
    called = f"`{name}{value}`" + (f"<br>`{variable[1]}`" if variable else "")
    code = "`{}`".format(default[1].strip("'")) if default else ""
    return f"| {called} | {'. '.join(filter(None, meaning))} | {code} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
