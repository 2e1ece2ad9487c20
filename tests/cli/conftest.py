"""The fixtures of these tests are those of ``tests/support``."""

from __future__ import annotations

from marked import marked  # noqa: F401 - pytest finds fixtures by the names that are here
from queue_fixtures import *  # noqa: F403 - the same
