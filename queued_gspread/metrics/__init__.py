"""Metrics of a queue for Prometheus, and whether a server lives and is ready, over HTTP."""

from __future__ import annotations

from .exporter import Exporter

__all__ = ["Exporter"]
