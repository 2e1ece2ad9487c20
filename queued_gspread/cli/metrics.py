"""The server's options for its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.metrics import Exporter
from queued_gspread.settings import Settings

from .options import port

if TYPE_CHECKING:
    import argparse

    from queued_gspread.server import Server

    from .options import Parser

__all__ = ["add_options", "serve"]


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.section("metrics and health")
    parser.option(
        "--metrics-port",
        "serve metrics for Prometheus, /livez and /readyz on this port; 0 for a free one, which "
        "the log names (default: none is served)",
        type=port,
        metavar="PORT",
    )
    parser.option(
        "--metrics-host",
        "the address to serve them on (default %(default)s)",
        default="127.0.0.1",
        metavar="ADDRESS",
    )


def serve(server: Server, options: argparse.Namespace) -> None:
    """Serve metrics until the process ends, so that whoever asks then is answered."""
    if options.metrics_port is not None:
        settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
        Exporter(server, settings, options.metrics_host, options.metrics_port).start()
