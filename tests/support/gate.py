"""A gate that stops requests: a test sees each arrive, and decides when and how to answer it."""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import gspread
import requests
from gspread.exceptions import APIError
from waiting import PATIENCE

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"


def cell_of(spreadsheet_id):
    """Return the URL of a cell; the spreadsheet is the lane of requests to it."""
    return f"{SHEETS}/{spreadsheet_id}/values/A1"


def response(body=None, status=200):
    """Return a response like that of gspread's HTTP client."""
    made = requests.Response()
    made.status_code = status
    made.headers["Content-Type"] = "application/json"
    made._content = json.dumps({} if body is None else body).encode()
    return made


def google_error(status, reason="", *, page=False, **headers):
    """Return an error like that of gspread's HTTP client: Google's, as JSON or an HTML page."""
    error = {"code": status, "message": f"message of {status}", "errors": [{"reason": reason}]}
    made = response({"error": error}, status)
    if page:
        made.headers["Content-Type"] = "text/html"
        made._content = f"<html><title>Error {status}</title></html>".encode()
    for name, value in headers.items():
        made.headers[name.replace("_", "-")] = str(value)
    return APIError(made)


@dataclass
class Arrival:
    """A request that waits at the gate."""

    method: str
    endpoint: str
    given: dict[str, Any] = field(default_factory=dict)
    timeout: Any = None
    _outcome: queue.Queue = field(default_factory=queue.Queue)

    @property
    def lane(self):
        """The spreadsheet that the request is for."""
        return self.endpoint.split("/spreadsheets/")[1].split("/")[0]

    def answer(self, body=None, status=200):
        self._outcome.put(response(body, status))

    def fail(self, error):
        self._outcome.put(error)

    def outcome(self):
        return self._outcome.get(timeout=PATIENCE)


class Gate:
    """Stops requests until they are answered; once open, it lets them pass."""

    def __init__(self):
        self._waiting = queue.Queue()
        self._lock = threading.Lock()
        self._open = False
        self.seen = []

    def next(self):
        """Return the next request that was not looked at yet; wait for it."""
        return self._waiting.get(timeout=PATIENCE)

    @property
    def is_idle(self):
        """Whether every request that arrived was looked at."""
        return self._waiting.empty()

    def open(self):
        """Let waiting requests pass, and all later ones."""
        with self._lock:
            self._open = True
            for arrival in self.seen:
                arrival.answer({})

    def pass_through(self, arrival):
        with self._lock:
            self.seen.append(arrival)
            if self._open:
                arrival.answer({})
            else:
                self._waiting.put(arrival)
        return arrival.outcome()


class GatedHTTPClient(gspread.HTTPClient):
    """A test double for a real HTTP client: its requests stop at a gate and go nowhere."""

    def __init__(self, gate, auth=None):
        self.gate = gate
        self.auth = auth
        self.timeout = None

    def request(self, method, endpoint, **given):
        outcome = self.gate.pass_through(Arrival(method, endpoint, given, self.timeout))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def client_over(http):
    """Return a gspread client over an HTTP client."""
    return gspread.Client(None, http_client=lambda auth, session: http)


class GatedGoogle:
    """An HTTP server in Google's place, for servers that are processes of their own."""

    def __init__(self):
        self.gate = Gate()
        gate = self.gate

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                given = {"headers": dict(self.headers), "data": self.rfile.read(length)}
                outcome = gate.pass_through(Arrival(self.command.lower(), self.path, given))
                self.send_response(outcome.status_code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outcome.content)))
                self.end_headers()
                self.wfile.write(outcome.content)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

            def handle(self):
                try:
                    super().handle()
                except ConnectionError:
                    return  # the process that asked was killed

            def log_message(self, *_):
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.gate.open()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
