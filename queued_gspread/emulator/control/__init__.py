"""Inspect and configure a running emulator, over HTTP and on a page."""

from __future__ import annotations

from .guard import EmulatorGuard
from .routes import Control

__all__ = ["Control", "EmulatorGuard"]
