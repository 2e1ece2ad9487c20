"""The fixtures of these tests are those of ``tests/support/queue_fixtures.py``."""

from __future__ import annotations

from queue_fixtures import *  # noqa: F403 - pytest finds fixtures by the names that are here
