"""What operators have asked for, for the server's log: the entries of a stream in Redis, as data.

Anyone may have written them, so they are cut to one printable line each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .connection.client import as_text
from .pauses import one_line

__all__ = ["Action", "actions_of"]


@dataclass(frozen=True)
class Action:
    """What somebody has asked for.

    Attributes:
        action_id: Its entry in the stream.
        by: Who: user and host.
        what: What, in words.
        why: The reason that was given; '' for none.

    """

    action_id: str
    by: str
    what: str
    why: str

    @property
    def shown(self) -> str:
        """What, and why, in words."""
        return self.what + (f" ({self.why})" if self.why else "")


def actions_of(entries: Any) -> tuple[Action, ...]:
    """Return the actions in what Redis has answered."""
    return tuple(_action(entry, fields) for entry, fields in entries)


def _action(entry: bytes, fields: list[bytes]) -> Action:
    texts = [one_line(as_text(each)) for each in fields]
    told = dict(zip(texts[::2], texts[1::2], strict=False))
    return Action(as_text(entry), *(told.get(name, "") for name in ("by", "what", "why")))
