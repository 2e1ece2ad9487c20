"""A small HTTP server for a few pages: bounded in connections, bytes and time.

Whatever its clients do, the program that it is part of works on: all of it happens in threads of
its own, which do not keep the program alive.
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from queued_gspread._clock import now
from queued_gspread.server.failure import logged
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Pages: TypeAlias = Mapping[str, Callable[[str], "Page"]]
    """Of each path, what makes its page; it is given what the client accepts."""

__all__ = ["Page", "PageServer"]

_MOST_CONNECTIONS: Final = 16
_LONGEST_HEAD: Final = 8192
# For a client's request, and again for it to take the answer.
_SECONDS: Final = 5.0
_PAUSE: Final = 0.1


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class PageServer(socketserver.ThreadingTCPServer):
    """Serves pages from the moment on at which it is started; it listens from its making on.

    Args:
        host: Where to listen.
        port: The port; 0 for a free one.
        pages: The pages.

    Raises:
        OSError: It cannot listen there.

    """

    daemon_threads = True
    block_on_close = False
    # Elsewhere it would let two servers share a port.
    allow_reuse_address = os.name == "posix"
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family, *_, address = found[0]
        super().__init__(address[:2], _Handler)  # type: ignore[arg-type]  # of either family
        self.pages = pages
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if self.address_family == socket.AF_INET6 else host
        return f"http://{shown!s}:{port}"

    def start(self) -> None:
        """Serve the pages, in a thread."""
        serve = logged(partial(self.serve_forever, _PAUSE))
        threading.Thread(target=serve, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; pause if the system has no more of them, or the loop would spin."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(_PAUSE)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; close the connection at once if there are too many."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.close_request(request)

    def shutdown_request(self, request: Any) -> None:
        """End a connection, however it was answered, and let go of its place."""
        super().shutdown_request(request)
        self._places.release()

    def handle_error(self, *_: Any) -> None:
        """Log what went wrong with a client: mostly that it has gone."""
        LOGGER.debug("a request for metrics failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, then closes the connection."""

    server: PageServer
    timeout = _SECONDS

    def setup(self) -> None:
        """Read the request as a whole, in time: on its own, each read may take that long."""
        super().setup()
        self.rfile.close()
        self.rfile = BytesIO(_head_of(self.connection))
        self.connection.settimeout(_SECONDS)

    def do_GET(self) -> None:
        """Answer."""
        path, pages = self.path.partition("?")[0], self.server.pages
        if path in pages:
            page = pages[path](self.headers.get("Accept", ""))
        else:
            page = Page(404, f"there are only {', '.join(pages)}\n".encode())
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def version_string(self) -> str:
        """Name no version of Python."""
        return "queued_gspread"

    def log_message(self, *_: Any) -> None:
        """Log nothing: it is asked every few seconds."""


def _head_of(connection: socket.socket) -> bytes:
    """Return a request up to its empty line; nothing if that does not come in time."""
    head, end = b"", now() + _SECONDS
    while b"\r\n\r\n" not in head:
        left = end - now()
        if left <= 0 or len(head) > _LONGEST_HEAD:
            return b""
        connection.settimeout(left)
        try:
            more = connection.recv(_LONGEST_HEAD)
        except OSError:
            return b""
        if not more:
            return b""
        head += more
    return head
