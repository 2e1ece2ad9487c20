"""What operators have asked for, for the server's log: the entries of a stream in Redis, as data.

Anyone may have written them, so they are cut to one printable line each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from .connection.client import as_text
from .pauses import one_line

__all__ = ["Action", "actions_of", "asked_of"]

# As note_action of common.lua writes it.
_LINE: Final = re.compile(r"(\d{1,15}) (\S+) (.*)\t(.*)", re.ASCII)


@dataclass(frozen=True)
class Action:
    """What somebody has asked for.

    Attributes:
        action_id: Its entry in the stream, or just when it was put there, in milliseconds.
        by: Who: user and host.
        what: What, in words.
        why: The reason that was given; '' for none.

    """

    action_id: str
    by: str
    what: str
    why: str

    @property
    def at(self) -> float:
        """When, in seconds of Redis's clock."""
        return int(self.action_id.partition("-")[0]) / 1000

    @property
    def shown(self) -> str:
        """What, and why, in words."""
        return self.what + (f" ({self.why})" if self.why else "")


def actions_of(entries: Any) -> tuple[Action, ...]:
    """Return the actions in what Redis has answered."""
    return tuple(_action(entry, fields) for entry, fields in entries)


def asked_of(text: bytes | str) -> tuple[Action, ...]:
    """Return the latest actions as the hash ``server`` has them, the latest first."""
    matches = map(_LINE.fullmatch, reversed(as_text(text).split("\n")))
    return tuple(Action(*map(one_line, match.groups())) for match in matches if match)


def _action(entry: bytes, fields: list[bytes]) -> Action:
    texts = [one_line(as_text(each)) for each in fields]
    told = dict(zip(texts[::2], texts[1::2], strict=False))
    return Action(as_text(entry), *(told.get(name, "") for name in ("by", "what", "why")))
