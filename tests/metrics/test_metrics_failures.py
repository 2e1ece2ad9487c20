"""The port for metrics while Redis, the server, its clients or the extra fail."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import sys
import threading
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from accounts import OPEN
from calls import write
from gate import GatedHTTPClient, client_over
from processes import run
from scraping import get, samples
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer
from queued_gspread.broker.connection import client as connection
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import QueuedGspreadError
from queued_gspread.metrics import Exporter, exporter, pages
from queued_gspread.server import Server, pulse
from queued_gspread.settings import Settings


@pytest.fixture
def own_redis():
    """Return a Redis that may go away."""
    with TemporaryRedis(options=OPEN, restricted=False) as server:
        yield server


@pytest.fixture
def freeze(own_redis, serve):
    """Return what stops and continues the Redis; it goes on before servers end."""
    yield lambda number: os.kill(own_redis.pid, number)
    if own_redis.pid:
        os.kill(own_redis.pid, signal.SIGCONT)


@pytest.fixture
def port(serve, export, monkeypatch):
    """Return what serves metrics with other bounds than the usual ones; it returns the address."""

    def start(**bounds):
        for name, value in bounds.items():
            monkeypatch.setattr(pages, name, value)
        return export(serve()).url

    return start


def connected(url):
    """Return a connection that sends nothing."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), PATIENCE)


def loopback():
    """Return another address of this machine than the usual one, if there is one."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "::1"
    except OSError:
        return "127.0.0.1"


def is_alive(url):
    """Return whether a server is alive; not if it does not answer."""
    try:
        return get(f"{url}/livez")[0] == 200
    except OSError:
        return False


def test_a_server_that_works_and_one_that_stands_by(serve, export):
    """Both are alive and ready, and show the namespace's figures; one that stops is not ready."""
    worker, standby = serve(), serve()
    asks = [export(worker), export(standby, loopback())]
    eventually(
        lambda: [ask("/readyz")[1] for ask in asks] == ["ok: it works\n", "ok: it stands by\n"]
    )
    assert [ask("/livez")[0] for ask in asks] == [200, 200]

    def servers(ask):
        found = samples(ask("/metrics")[1])
        return [found["queued_gspread_servers", state] for state in ("working", "standing_by")]

    for ask in asks:
        eventually(lambda ask=ask: servers(ask) == [1, 1])
    worker.stop()
    assert asks[0]("/readyz") == (503, "not ok: it stops\n")
    eventually(lambda: asks[1]("/readyz")[1] == "ok: it works\n")
    eventually(lambda: samples(asks[1]("/metrics")[1])["queued_gspread_takeovers_total",] == 1)


@pytest.mark.parametrize("way", ["killed", "frozen"])
def test_a_redis_that_does_not_answer(
    way, new_connections, own_redis, serve, export, freeze, monkeypatch
):
    """A scrape has what is known without Redis, and the server lives; it is ready later."""
    monkeypatch.setitem(connection.OPTIONS, "socket_timeout", 600.0)
    monkeypatch.setattr(exporter, "_LONGEST_LOOK", 0.2)
    ask = export(serve(redis_url=own_redis.url), redis_url=own_redis.url)
    eventually(lambda: samples(ask("/metrics")[1])["queued_gspread_up",] == 1)
    assert ask("/readyz")[0] == 200
    if way == "killed":
        own_redis.kill()
    else:
        freeze(signal.SIGSTOP)

    def told():
        found = samples(ask("/metrics")[1])
        return found["queued_gspread_up",] == 0 and {name for name, *_ in found}

    assert eventually(told) == {"queued_gspread_up", "queued_gspread_build_info"}
    eventually(lambda: ask("/readyz") == (503, "not ok: it waits for Redis\n"))
    assert ask("/livez")[0] == 200
    if way == "killed":
        own_redis.start()
    else:
        freeze(signal.SIGCONT)
    eventually(lambda: ask("/readyz")[0] == 200)
    eventually(lambda: samples(ask("/metrics")[1])["queued_gspread_up",] == 1)


def test_a_server_that_has_not_begun(redis_url, namespace, gate, auth, export):
    """A server that starts is alive, so that nobody ends it, and not ready."""
    client = client_over(GatedHTTPClient(gate, auth))
    ask = export(Server(client, redis_url=redis_url, namespace=namespace))
    assert ask("/livez")[0] == 200
    assert ask("/readyz") == (503, "not ok: it starts\n")


def test_a_loop_that_hangs_is_not_alive(ask, monkeypatch):
    """Once the server's thread has not begun a beat for long, it is neither alive nor ready."""
    monkeypatch.setattr(pulse, "_FROZEN", 1.0)
    goes_on = threading.Event()
    beat = Consumer.beat

    def hang(*args, **given):
        goes_on.wait(PATIENCE)
        return beat(*args, **given)

    eventually(lambda: ask("/livez")[0] == 200)
    monkeypatch.setattr(Consumer, "beat", hang)
    eventually(lambda: ask("/livez")[0] == 503)
    assert ask("/readyz")[0] == 503
    goes_on.set()
    eventually(lambda: [ask("/livez")[0], ask("/readyz")[0]] == [200, 200])


def test_a_client_that_is_slow_is_cut_off(port):
    """One that sends its request byte by byte is cut off in time, and holds nobody else up."""
    url = port(_SECONDS=0.5)
    with connected(url) as slow:
        slow.settimeout(0.05)
        sent = iter(b"GET /livez HTTP/1.1\r\nX: " + b"x" * 4000)

        def is_cut_off():
            try:
                slow.send(bytes([next(sent)]))
                return slow.recv(1) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        assert not is_cut_off()
        assert get(f"{url}/livez")[0] == 200
        eventually(is_cut_off)


def test_clients_that_are_too_many_are_sent_away(port):
    """Beyond so many connections a further one is closed at once; one that ends makes room."""
    url = port(_MOST_CONNECTIONS=2, _SECONDS=PATIENCE)
    with connected(url) as first, connected(url):
        with connected(url) as third:
            assert third.recv(1) == b""
        first.shutdown(socket.SHUT_RDWR)
        eventually(lambda: is_alive(url))


@pytest.mark.parametrize(
    ("method", "error"),
    [("get_request", OSError("too many open files")), ("process_request", RuntimeError("thread"))],
)
def test_a_system_that_has_no_more_to_give(port, monkeypatch, method, error):
    """Where a connection or a thread cannot be had, those are answered that come later."""
    url, left, slept = port(_MOST_CONNECTIONS=1), [error] * 3, []
    works = getattr(socketserver.ThreadingTCPServer, method)

    def fail(*args):
        if left:
            raise left.pop()
        return works(*args)

    monkeypatch.setattr(socketserver.ThreadingTCPServer, method, fail)
    monkeypatch.setattr(pages, "time", SimpleNamespace(sleep=slept.append))
    eventually(lambda: is_alive(url))
    assert len(slept) == (3 if method == "get_request" else 0)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\xff\r\n\r\n", b""),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /other HTTP/1.1\r\n\r\n", b"404"),
        (b"HEAD /livez HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /" + b"x" * 9000 + b"\r\n", b""),
    ],
)
def test_odd_requests_are_answered_or_cut_off(port, client, gate, sent, status):
    """Whatever is sent, the next request is answered, and calls are made."""
    url = port()
    with connected(url) as odd:
        odd.sendall(sent)
        try:
            answer = b"".join(iter(lambda: odd.recv(4096), b""))
        except ConnectionError:
            answer = b""
    assert (answer[9:12] if answer.startswith(b"HTTP/") else b"") == status
    assert not sent.startswith(b"HEAD") or answer.endswith(b"\r\n\r\n")
    assert get(f"{url}/livez")[0] == 200
    gate.open()
    assert write(client) is not None


def test_without_the_extra(monkeypatch, serve, export, caplog):
    """Without prometheus-client log and /metrics name the extra; the health checks are there."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    ask = export(serve())
    status, told = ask("/metrics")
    assert status == 501
    assert "[metrics]" in told
    assert told.strip() in caplog.text
    assert [ask("/livez")[0], ask("/readyz")[0]] == [200, 200]


def test_a_host_that_is_not_here_is_named(serve, redis_url, namespace):
    """An address of another machine is refused, with the option that names it."""
    for host in ("192.0.2.1", "x" * 64):
        with pytest.raises(QueuedGspreadError, match=rf"'{host}'.*--metrics-host"):
            Exporter(serve(), Settings(redis_url, namespace), host, 0)


def test_the_command_serves_metrics(start_process, key_file):
    """The server's command serves them where it is told; another one there says so and ends."""
    server = start_process("--metrics-port", 0)
    log = server.until_log("metrics, /livez and /readyz are at http://").log
    url = log.partition("/readyz are at ")[2].split()[0]
    assert get(f"{url}/readyz") == (200, "ok: it works\n")
    assert samples(get(f"{url}/metrics")[1])["queued_gspread_servers", "working"] == 1
    other = run("server", "--service-account", key_file, "--metrics-port", urlsplit(url).port)
    assert other.returncode == 1
    assert "no metrics can be served at port" in other.stderr
    assert "in use" in other.stderr
    with connected(url):
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0
