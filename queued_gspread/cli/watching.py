"""What the commands that show a snapshot share: their options, and looking again and again."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread.broker.sandbox import check_server
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.monitor import look
from queued_gspread.settings import Settings

from .output import columns, draw, say
from .screen import keep_places
from .tables import cut

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from queued_gspread.monitor import Snapshot

    from .options import Parser

__all__ = ["View", "add_options", "changed_lines", "on_screen", "show"]

_EVERY: Final = 1.0
_CLEAR, _TO_END, _BELOW = "\x1b[2J", "\x1b[K", "\x1b[J"


@dataclass(frozen=True)
class View:
    """What a command shows of a snapshot.

    Attributes:
        lines: Returns the lines of a snapshot, given the queue's place in words, the names that
            were shown before, and the width of the terminal, if there is one.
        names: Returns the names in a snapshot whose rows keep their places.
        part: Which part of it is shown as JSON; '' for all.

    """

    lines: Callable[[Snapshot, str, Sequence[str], int | None], list[str]]
    names: Callable[[Snapshot], list[str]]
    part: str = ""


@dataclass
class _Watcher:
    """Looks at a queue, and remembers what it has shown."""

    view: View
    settings: Settings
    is_json: bool
    indent: int | None
    names: list[str] = field(default_factory=list)
    has_seen: bool = False

    def look(self) -> list[str]:
        """Return what is seen, as lines."""
        try:
            snapshot = look(self.settings)
        except BrokerUnavailableError as error:
            if not self.has_seen:
                raise
            return [str(error)]  # Redis may come back
        self.has_seen = True
        if self.is_json:
            return [self._json(snapshot)]
        lines = self.view.lines(snapshot, self.settings.place, self.names, columns())
        self.names = keep_places(self.names, self.view.names(snapshot))
        return lines

    def _json(self, snapshot: Snapshot) -> str:
        part = self.view.part
        if not part:
            return snapshot.to_json(self.indent)
        return json.dumps([asdict(each) for each in getattr(snapshot, part)], indent=self.indent)


def add_options(parser: Parser) -> None:
    """Add the options of a command that shows a snapshot."""
    parser.queue_options()
    parser.flag("--json", "print JSON instead")
    parser.flag("--watch", "look again every second, until Ctrl-C")


def show(options: argparse.Namespace, view: View) -> int:
    """Show a snapshot, or one after the other; return the exit status.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    check_server(settings)
    indent = None if options.watch else 2
    watcher, before = _Watcher(view, settings, options.json, indent), list[str]()
    is_screen = options.watch and not options.json and sys.stdout.isatty()
    while True:
        lines = watcher.look()
        if is_screen:
            lines = on_screen(lines, *shutil.get_terminal_size())
            draw(changed_lines(before, lines))
            before = lines
        else:
            say("\n".join(lines))
        if not options.watch:
            return 0
        time.sleep(_EVERY)


def on_screen(lines: Sequence[str], width: int, height: int) -> list[str]:
    """Return what fits on a screen, and how much does not."""
    room = height - 1
    if len(lines) > room:
        left_out = len(lines) - room + 1
        lines = [*lines[: room - 1], f"… {left_out} more lines: make the window higher"]
    return [cut(line, width) for line in lines]


def changed_lines(before: Sequence[str], now: Sequence[str]) -> str:
    """Return what to send to a terminal that shows some lines, so that it shows others.

    Lines that have not changed are left alone.
    """
    parts = [] if before else [_CLEAR]
    for number, line in enumerate(now, 1):
        if number > len(before) or before[number - 1] != line:
            parts.append(f"\x1b[{number};1H{line}{_TO_END}")
    end = f"\x1b[{len(now) + 1};1H"
    return "".join([*parts, end, _BELOW if len(now) < len(before) else ""])
