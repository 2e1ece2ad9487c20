"""What a Redis keeps over a restart and over a failover, by its settings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["warning_of_persistence", "warning_of_replicas"]

_LOGGER: Final = logging.getLogger("queued_gspread.server")
_SNAPSHOTS: Final = (
    "this Redis keeps snapshots and no append-only file: if it is killed, it comes back with "
    "calls that were answered already, and they are made again. Set `appendonly yes`"
)
_FORGETFUL: Final = (
    "this Redis keeps nothing over its restart: calls that wait then are lost. Set `appendonly yes`"
)
_OPEN: Final = (
    "this Redis has replicas ({}) and takes writes without them (min-replicas-to-write is 0): "
    "while it does not know of a failover, or is cut off, it takes calls that the next master "
    "never hears of, and their callers get JobLostError. Set `min-replicas-to-write 1` and "
    "`min-replicas-max-lag 10`, which end that after 10 seconds"
)


def warning_of_persistence(config: Mapping[Any, Any]) -> str | None:
    """Return a warning for a Redis that restarts with an older state; log one that keeps nothing.

    Args:
        config: Its settings ``appendonly`` and ``save``, as far as they can be read.

    """
    if config.get("appendonly") != "no":
        return None
    if config.get("save"):
        return _SNAPSHOTS
    # No warning: a Redis for tests keeps nothing on purpose.
    _LOGGER.info(_FORGETFUL)
    return None


def warning_of_replicas(info: Mapping[str, Any]) -> str | None:
    """Return a warning for a master that takes writes which no replica has.

    Args:
        info: The section ``replication`` of its ``INFO``, which needs no permission for ``CONFIG``.

    """
    # It has this field if both settings are on.
    if info.get("connected_slaves") and "min_slaves_good_slaves" not in info:
        return _OPEN.format(info["connected_slaves"])
    return None
