"""A request is handed over whole, after a last question."""

from __future__ import annotations

import socket
import threading
from functools import partial

import gspread
import pytest
import requests
from waiting import PATIENCE

from queued_gspread.broker import StaleEpochError
from queued_gspread.server.google.fence import _Connection, asking, put_up
from queued_gspread.server.google.token_state import NoTokens
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.request import Request

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def listener():
    """Return what listens, and answers what comes; its ``seen`` is what came in one piece each."""

    class Listener:
        def __init__(self):
            self.seen = []
            self._socket = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
            self._thread = threading.Thread(target=self._serve)
            self._thread.start()

        def _serve(self):
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed before anybody was let in
            with connection:
                while piece := connection.recv(2**20):
                    self.seen.append(piece)
                    connection.sendall(ANSWER)

        def close(self):
            self._socket.close()
            self._thread.join(PATIENCE)

    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture
def session():
    with requests.Session() as session:
        put_up(session.get_adapter("http://"))
        yield session


def test_a_request_is_one_piece(listener, session):
    """Headers and body arrive together, on a new connection and on one that is kept."""
    for number in range(20):
        assert session.post(listener.url, data=f"body {number}", timeout=PATIENCE).text == "ok"
    assert [piece.split(b"\r\n\r\n")[1] for piece in listener.seen] == [
        f"body {number}".encode() for number in range(20)
    ]


def test_a_question_keeps_a_request_from_being_sent(listener, session):
    """What the question raises comes to the sender as it is, and nothing goes out."""

    def refuse():
        raise StaleEpochError

    session.get(listener.url, timeout=PATIENCE)
    with asking(refuse), pytest.raises(StaleEpochError):
        session.post(listener.url, data="body", timeout=PATIENCE)
    assert len(listener.seen) == 1


def test_the_way_to_google_asks_at_the_fence(listener, session):
    """What was let go before the connection was made is asked about again before it is sent."""
    asked = []

    def confirm():
        asked.append(len(listener.seen))
        if len(asked) > 1:
            raise StaleEpochError

    http = gspread.HTTPClient(None, session=session)
    http.api_endpoint = listener.url.rstrip("/")
    transport = Transport(http, NoTokens(http), confirm=confirm)
    with pytest.raises(StaleEpochError):
        transport.send(Request("get", f"{listener.url}v4"), None)
    assert asked == [0, 0]
    assert listener.seen == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_of_both_kinds_have_the_fence(session, scheme):
    """With TLS and without, a pool's connections are urllib3's, with the fence."""
    pool = session.get_adapter("http://").poolmanager.connection_from_host("host", scheme=scheme)
    made = pool.ConnectionCls("host")
    assert isinstance(made, type(pool).__mro__[2].ConnectionCls)
    assert isinstance(made, _Connection)


@pytest.mark.parametrize("body", [None, b"", "text", {"a": "form"}, iter([b"of ", b"pieces"])])
def test_bodies_of_all_kinds(listener, session, body):
    """Whatever requests can send arrives."""
    assert session.post(listener.url, data=body, timeout=PATIENCE).text == "ok"
    assert len(listener.seen) == 1


def test_a_question_is_asked_behind_a_proxy_too(listener, session):
    """What goes out by way of a proxy is handed over whole, after the same question."""

    def refuse():
        raise StaleEpochError

    session.proxies = {"http": listener.url}
    send = partial(session.post, "http://host.invalid/", data="body", timeout=PATIENCE)
    assert send().text == "ok"
    with asking(refuse), pytest.raises(StaleEpochError):
        send()
    (piece,) = listener.seen
    assert piece.startswith(b"POST http://host.invalid/ ")
    assert piece.endswith(b"\r\n\r\nbody")
