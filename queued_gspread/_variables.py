"""The environment variables of this package, and a warning about names that look misspelt."""

from __future__ import annotations

import logging
import os
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from queued_gspread._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ENV_PREFIX", "slips", "warn_of_slips"]

ENV_PREFIX: Final = "QUEUED_GSPREAD_"

# Clients, servers and the other commands share one list: on a machine with both, each side sees the
# other's variables.
_CLIENTS: Final = (
    "CALLER GRACE MAX_AGE MAX_MESSAGE_BYTES NAMESPACE QUIET REDIS_URL SIGNING_KEY_FILE TIMEOUT"
)
_SERVERS: Final = (
    "ADC API_ENDPOINT API_KEY CACHE_BYTES CREDENTIALS CREDENTIALS_JSON DURABILITY IMPERSONATE "
    "INTERVAL LATE_WRITE_GUARD LEASE LINGER LOG_FORMAT LOG_LEVEL MAX_KEY_BYTES MAX_KEYS "
    "MAX_MEMORY_BYTES MAX_QUEUE METRICS_HOST METRICS_PORT NO_FAIR "
    "NO_MERGE OAUTH PROJECT_READS_PER_MINUTE PROJECT_WRITES_PER_MINUTE QUOTA_WINDOW "
    "READS_PER_MINUTE REFRESH_EVERY REPLACE_ACCOUNT REQUEST_TIMEOUT RETRY_FOR SCOPES "
    "SERVICE_ACCOUNT SHUTDOWN_TIMEOUT STOP_TIMEOUT SUBJECT WRITES_PER_MINUTE"
)
_OTHERS: Final = (
    "ALLOW_HOST APPEND_RACE BREAK DASHBOARD_TOKEN DASHBOARD_TOKEN_FILE HEALTH_TIMEOUT HOST JSON "
    "LATENCY LENDER_OUT LIMIT MAX_CALL_AGE NOT_COMPUTED NO_STORAGE OPERATOR_REDIS_URL PORT "
    "QUOTA_MOVEMENT READS REASON SERVICE_ACCOUNT_OUT SHARE SHARED_DRIVE SPREADSHEET STATE WAIT "
    "WATCH WRITES"
)
_NAMES: Final = frozenset(f"{_CLIENTS} {_SERVERS} {_OTHERS}".split())

_WHOLE: Final = [ENV_PREFIX + name for name in sorted(_NAMES)]
# Allows a letter or two: a name less similar may be another program's.
_ALIKE: Final = 0.9

_LIKE_OURS: Final = re.compile(r"QUEUED?_?GSPREAD_(\w*)", re.ASCII | re.IGNORECASE)
_LOGGER: Final = logging.getLogger("queued_gspread")
_IGNORED: Final = "queued_gspread %s has no such environment variable, and ignores it: %s"

# The names that this process has warned about, and the call that did.
_warned: dict[str, object] = {}


def warn_of_slips() -> None:
    """Log environment variables that look like this package's but are not.

    Each name is logged once per process; one record lists all new ones. It is a log record because
    a Python warning would end a program that turns warnings into errors.
    """
    mine = object()
    new = {name: near for name, near in slips(os.environ) if _warned.setdefault(name, mine) is mine}
    if new:
        meant = (f"{name} (is {near} meant?)" if near else name for name, near in new.items())
        _LOGGER.warning(_IGNORED, __version__, ", ".join(meant))


def slips(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return names that look like this package's but are not, each with the nearest real one."""
    misspelt: list[tuple[str, str]] = []
    for name in names:
        like = _LIKE_OURS.fullmatch(name)
        if like and not (name.startswith(ENV_PREFIX) and like[1] in _NAMES):
            near = get_close_matches(like[1].upper(), _NAMES, n=1)
            misspelt.append((name, ENV_PREFIX + near[0] if near else ""))
        elif not like and name[:1] in "Qq":
            # A slip in the prefix itself; a name with something before it is another program's.
            near = get_close_matches(name.upper(), _WHOLE, n=1, cutoff=_ALIKE)
            misspelt += [(name, one) for one in near]
    return misspelt
