"""What a waiting caller sees of the queue, put together from one look at it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker.waiting.holdups import MOST_NAMED, PAUSED
from queued_gspread.broker.waiting.reason import Sight

from .locks import spreadsheet_lane
from .pauses import pause_of
from .withdrawal import started_by

if TYPE_CHECKING:
    from queued_gspread.broker.waiting.signs_of_life import Seen
    from queued_gspread.broker.waiting.wait import Wait
    from queued_gspread.settings import Settings

__all__ = ["sight_of"]

# A server names the lanes that a pause holds up with its beats, once a second.
_TOLD_BY: Final = 3.0


def sight_of(settings: Settings, wait: Wait, seen: Seen, *, has_begun: bool = False) -> Sight:
    """Return what a caller sees.

    Args:
        settings: Where the queue is.
        wait: The caller's wait.
        seen: Its look at the queue, in which it has asked why it waits.
        has_begun: Whether a request of its call is known to have been sent.

    """
    age = 0.0 if seen.server is None else seen.server.age
    terms = (settings.place, started_by(settings), settings.grace, spreadsheet_lane(wait.lane))
    moment = seen.moment / 1000
    sight = Sight(*terms, silence=wait.silence, age=age, moment=moment, **seen.why)
    is_new = not has_begun and now() - wait.began < _TOLD_BY
    is_held_up = _is_parked(sight, is_new=is_new)
    return replace(sight, pause=pause_of(seen.pauses, sight.lane, is_held_up=is_held_up))


def _is_parked(sight: Sight, *, is_new: bool) -> bool:
    """Return whether a pause may hold the lane up, which only the server knows for sure."""
    lanes = sight.holdups.lanes
    if sight.lane in lanes:
        return lanes[sight.lane][0] == PAUSED
    # It does not name all of them, and none at once.
    return is_new or sum(word == PAUSED for word, _ in lanes.values()) >= MOST_NAMED
