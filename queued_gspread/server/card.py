"""What a server says of itself to those who look at the queue, and to its standbys."""

from __future__ import annotations

import os
import platform
import socket
from typing import TYPE_CHECKING, Any

import gspread

from queued_gspread._clock import now
from queued_gspread._version import __version__
from queued_gspread.broker import KINDS, Card

if TYPE_CHECKING:
    from .assembly import Parts

__all__ = ["card_of"]


def card_of(parts: Parts, lease: float, max_queue: int, began: float) -> Card:
    """Return what a run of a server says of itself.

    Args:
        parts: The server's parts.
        lease: Seconds after which it counts as gone if it is silent.
        max_queue: How many calls may wait.
        began: When it was started, on this machine's monotonic clock.

    """
    account = parts.account
    return Card(
        socket.gethostname(),
        os.getpid(),
        __version__,
        gspread.__version__,
        platform.python_version(),
        account.shown,
        round(now() - began, 1),
        lease,
        account.token_state().is_usable,
        account.token_left(),
        {**_options_of(parts), "lease": lease, "max_queue": max_queue},
        {kind: parts.quota.limit(kind) for kind in KINDS},
    )


def _options_of(parts: Parts) -> dict[str, Any]:
    """Return the options that change how calls are made, under their names."""
    quota, policy = parts.quota, parts.retry_policy
    return {
        "reads_per_minute": quota.reads,
        "writes_per_minute": quota.writes,
        "project_reads_per_minute": quota.project_reads,
        "project_writes_per_minute": quota.project_writes,
        "quota_window": quota.window,
        "interval": quota.interval,
        "fair": quota.is_fair,
        "merge": parts.merges,
        "linger": parts.linger,
        "retry_for": policy.retry_for,
        "late_write_guard": policy.late_write_guard,
        "durability": policy.durability,
        "cache_bytes": parts.remembering.at_work.limit,
        "max_message_bytes": parts.settings.max_message_bytes,
        "signing": parts.admission.keyring is not None,
        "api_endpoint": parts.account.endpoint,
        "lenders": len(parts.lenders),
    }
