"""Commands in one write, answers that nobody waits for, and what becomes of the connections."""

from __future__ import annotations

import signal
import socket
from unittest import mock

import pytest
import redis
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import ResponseError

from queued_gspread.broker.connection.pool import _Plain
from queued_gspread.broker.connection.wire import Wire
from queued_gspread.embedded import TemporaryRedis


def wire_to(url):
    return Wire(redis.ConnectionPool.from_url(url, protocol=2, connection_class=_Plain))


@pytest.fixture
def wire(redis_url):
    wire = wire_to(redis_url)
    yield wire
    wire.close()


@pytest.fixture
def connections(raw):
    """Return what counts the connections of the Redis that are new, whatever others end."""

    def present():
        return {client["id"] for client in raw.client_list()}

    before = present()
    return lambda: len(present() - before)


def test_the_first_answer_comes_before_the_second_is_there(wire, raw, namespace):
    """Of two commands in one write the first is answered while the second still waits."""
    key = f"{namespace}:list"
    answer, pending = wire.ask_and_go_on(["PING"], ["BLPOP", key, 20])
    assert answer == b"PONG"
    raw.rpush(key, "x")
    assert pending.read() == [key.encode(), b"x"]


def test_no_command_is_packed_in_c(wire, monkeypatch):
    """No number is left to be made text of by a parser in C, which a signal's handler may end."""
    wire.ask(["PING"])  # connecting is redis-py's
    monkeypatch.setattr(redis.Connection, "pack_commands", None)
    given = [
        "text",
        b"bytes",
        7,
        2.5,
        "",
        b"\r\n$1\r\n",
        "\N{GRINNING FACE}",
        "\udcff",
        b"x" * 100_000,
    ]
    assert wire.ask(["EVAL", "return ARGV", 1, "key", *given]) == [
        *(b"text", b"bytes", b"7", b"2.5", b"", b"\r\n$1\r\n"),
        *("\N{GRINNING FACE}".encode(), b"\xff", b"x" * 100_000),
    ]


def test_a_line_is_used_again(wire, connections):
    """Commands one after the other share a connection, whatever came of them."""
    assert wire.ask(["PING"]) == b"PONG"
    with pytest.raises(ResponseError, match="unknown command"):
        wire.ask(["NONSENSE"])
    _, pending = wire.ask_and_go_on(["PING"], ["PING"])
    assert pending.read() == b"PONG"
    assert connections() == 1


def test_an_answer_that_nobody_waits_for_is_not_taken_for_another(wire, raw, namespace):
    """What was told is done, refused or not, and the next command gets its own answer."""
    wire.tell(["SET", f"{namespace}:key", "value"])
    wire.tell(["NONSENSE"])
    assert wire.ask(["ECHO", "mine"]) == b"mine"
    assert raw.get(f"{namespace}:key") == "value"


def test_an_answer_that_is_given_up_ends_its_connection(wire, namespace, connections):
    """Where the second answer is not wanted any more, it can reach nobody else."""
    _, pending = wire.ask_and_go_on(["PING"], ["BLPOP", f"{namespace}:list", 20])
    pending.drop()
    pending.drop()
    assert wire.ask(["PING"]) == b"PONG"
    assert connections() == 1


def test_a_refusal_of_the_first_command_gives_the_second_up(wire, namespace):
    """Where the first command fails, nobody waits for the second, nor gets its answer."""
    with pytest.raises(ResponseError, match="unknown command"):
        wire.ask_and_go_on(["NONSENSE"], ["BLPOP", f"{namespace}:list", 20])
    assert wire.ask(["PING"]) == b"PONG"


def test_lines_to_a_redis_that_has_ended_are_not_used():
    """Nothing is sent on a connection that has ended while nobody used it."""
    with TemporaryRedis() as own:
        wire = wire_to(own.url)
        pending = [wire.ask_and_go_on(["PING"], ["PING"])[1] for _ in range(3)]
        assert [one.read() for one in pending] == 3 * [b"PONG"]
        wire.tell(["SET", "key", "value"])
        own.restart()
        assert wire.ask(["PING"]) == b"PONG"
        wire.close()


def test_a_lost_redis_is_met_once():
    """When a connection is lost in the middle, the others that are idle are given up with it."""
    with TemporaryRedis() as own:
        wire = wire_to(own.url)
        waiting, other = (wire.ask_and_go_on(["PING"], ["BLPOP", key, 20])[1] for key in "ab")
        wire.ask(["LPUSH", "b", "x"])
        assert other.read() == [b"b", b"x"]
        assert wire.idle
        own.restart()
        with pytest.raises(Lost):
            waiting.read()
        assert not wire.idle
        wire.close()


def test_a_strangers_text_goes_back_as_it_came(wire, namespace):
    """What is no UTF-8 is sent as the bytes that it was."""
    key = f"{namespace}:odd"
    wire.ask(["SET", key, b"\xff\xfe".decode(errors="surrogateescape")])
    assert wire.ask(["GET", key]) == b"\xff\xfe"


def test_a_line_on_which_redis_has_refused_is_looked_at(wire, connections):
    """A connection that Redis closes behind an error is not used, however fresh it is."""
    assert wire.ask(["PING"]) == b"PONG"
    with pytest.raises(ResponseError):
        wire.ask(["NONSENSE"])
    (line,) = wire.idle
    line.connection._sock.shutdown(socket.SHUT_RD)
    assert wire.ask(["PING"]) == b"PONG"
    assert wire.idle != [line]


@pytest.mark.parametrize("raised", [TimeoutError, BlockingIOError, ConnectionResetError])
def test_what_a_handler_raises_while_a_line_is_looked_at_comes_out(wire, raised):
    """A signal's handler may raise what sockets do, while a line is tried before it is used."""
    error = raised("a handler's")

    def handle(*_):
        raise error

    with pytest.raises(ResponseError):
        wire.ask(["NONSENSE"])  # after which a line is not fresh
    (line,) = wire.idle
    own = mock.Mock(wraps=line.connection._sock._own)

    def interrupted(*_):
        own.recv.side_effect = None
        signal.raise_signal(signal.SIGUSR1)

    own.recv.side_effect = interrupted
    line.connection._sock._own = own
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(raised) as caught:
            wire.ask(["PING"])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value is error
    assert wire.ask(["PING"]) == b"PONG"
