"""What a Redis keeps over a restart, by its settings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lost_at_a_restart", "warning_of_persistence"]

_LOGGER: Final = logging.getLogger("queued_gspread.server")
_SNAPSHOTS: Final = (
    "this Redis keeps snapshots and no append-only file: if it is killed, it comes back with "
    "calls that were answered already, and they are made again. Set `appendonly yes`"
)
_FORGETFUL: Final = (
    "this Redis keeps nothing over its restart: calls that wait then are lost. Set `appendonly yes`"
)


def warning_of_persistence(config: Mapping[Any, Any]) -> str | None:
    """Return a warning for a Redis that restarts with an older state; log one that keeps nothing.

    Args:
        config: Its settings ``appendonly`` and ``save``, as far as they can be read.

    """
    lost = lost_at_a_restart(config)
    if lost == _FORGETFUL:
        # No warning: a Redis for tests keeps nothing on purpose.
        _LOGGER.info(_FORGETFUL)
        return None
    return lost


def lost_at_a_restart(config: Mapping[Any, Any]) -> str | None:
    """Return what a Redis with these settings may lose at a restart, if anything."""
    if config.get("appendonly") != "no":
        return None
    return _SNAPSHOTS if config.get("save") else _FORGETFUL
