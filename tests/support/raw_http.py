"""An HTTP server that parses requests by RFC 9112 alone, and keeps its connections open."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Received:
    """A request as it was framed on the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    connection: int = 0

    def named(self, name):
        return [value for known, value in self.headers if known == name]


@dataclass
class RawServer:
    """Answers each request with its number, and keeps what it received, in order.

    Attributes:
        answer: The status line and extra headers of every answer.
        body: The body of every answer; None for its number as JSON.

    """

    answer: str = "HTTP/1.1 200 OK"
    body: bytes | None = None
    received: list[Received] = field(default_factory=list)

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Closing a socket does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._connections):
            each.close()

    def _accept(self):
        try:
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                number = len(self._connections)
                threading.Thread(target=self._talk, args=(connection, number), daemon=True).start()
        except OSError:
            return

    def _talk(self, connection, number):
        with connection, connection.makefile("rb") as stream:
            try:
                while line := stream.readline():
                    self.received.append(_read(stream, line, number))
                    body = self.body
                    if body is None:
                        body = json.dumps({"number": len(self.received)}).encode()
                    is_head = line.startswith(b"HEAD ")
                    head = f"{self.answer}\r\nContent-Type: application/json\r\n"
                    head += f"Content-Length: {len(body)}\r\n\r\n"
                    connection.sendall(head.encode() + (b"" if is_head else body))
            except OSError:
                return


@contextmanager
def listening(answer):
    """Answer one request with these bytes; yield the address."""

    def serve():
        connection = listener.accept()[0]
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


def _read(stream, line, number):
    """Read one request: chunked framing overrides a length (RFC 9112, 6.3)."""
    found = Received(line.decode("latin-1").rstrip("\r\n"), [], connection=number)
    while (header := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = header.partition(":")
        found.headers.append((name.lower(), value.strip()))
    if "chunked" in "".join(found.named("transfer-encoding")).lower():
        while size := int(stream.readline(), 16):
            found.body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        found.body = stream.read(int((found.named("content-length") or ["0"])[0]))
    return found
