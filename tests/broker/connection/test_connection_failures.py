"""What a user is told of a Redis that does not work: what is wrong, and what to do."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest
import redis
from waiting import PATIENCE

from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.connection.failures import is_locked_out, unavailable
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

SECRET = "hunter2"


def told_by(url, namespace):
    """Return what a client and a server are told by the Redis of a URL, if it is the same."""
    settings = Settings(redis_url=url, namespace=namespace)
    told = set()
    for use in (
        lambda: Producer(settings).call(new_id(), "lane", b"job"),
        lambda: Consumer(settings, "aaaa").check_redis(),
    ):
        with pytest.raises(BrokerUnavailableError) as caught:
            use()
        told.add(str(caught.value).partition("): ")[2])
    (text,) = told
    assert SECRET not in text
    return text


@pytest.fixture
def at(own_redis):
    """Return what puts a user and a database into the URL of a Redis."""
    return lambda user="", database="": f"redis://{user}127.0.0.1:{own_redis.port}/{database}"


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("", "it wants a password: check the user and the password in the URL, which has none"),
        (":wrong@", "it does not let user 'default' in with this password"),
        (f"nobody:{SECRET}@", "it does not let user 'nobody' in with this password"),
        (f"{SECRET}@", "where no colon stands before the @, it is a user's name alone"),
    ],
)
def test_a_redis_that_wants_a_password(user, told, at, own_redis, namespace, redis_of):
    """Who gives no password, or the wrong one, is told which of these it is, and for what user."""
    redis_of(own_redis).config_set("requirepass", SECRET)
    assert told in told_by(at(user), namespace)


def test_a_redis_that_wants_no_password(at, namespace):
    """Who gives a password to a Redis without one is told to take it out."""
    assert "it wants no password" in told_by(at(f":{SECRET}@"), namespace)


def test_a_namespace_that_a_user_may_not_use(at, own_redis, namespace, redis_of):
    """The namespace, the user and the rule are named where Redis's ACL does not allow it."""
    rules = f"ACL SETUSER app on >{SECRET} ~queued-gspread:{{mine}}:* +@all"
    redis_of(own_redis).execute_command(*rules.split())
    told = told_by(at(f"app:{SECRET}@"), namespace)
    assert f"let the user 'app' do this in namespace '{namespace}'" in told
    assert f"~queued-gspread:{{{namespace}}}:* is needed" in told
    assert "docs/security.md" in told


def test_each_namespace_of_one_connection_is_named(at, own_redis, redis_of):
    """Namespaces that share a connection are each told their own name."""
    redis_of(own_redis).execute_command(*f"ACL SETUSER app on >{SECRET} ~x +@all".split())
    for name in ("one", "two"):
        assert f"in namespace '{name}'" in told_by(at(f"app:{SECRET}@"), name)


@pytest.mark.parametrize(
    ("database", "rule"), [("", "+evalsha is needed"), ("1", "+select is needed")]
)
def test_a_command_that_a_user_may_not_run(database, rule, at, own_redis, namespace, redis_of):
    """The command that Redis's ACL does not allow is named as the rule that is needed."""
    redis_of(own_redis).execute_command(*f"ACL SETUSER weak on >{SECRET} ~* +ping".split())
    assert rule in told_by(at(f"weak:{SECRET}@", database), namespace)


def test_a_database_that_is_not_there(at, namespace):
    """A database's number that is too high is told as that, by server and client alike."""
    assert "it has no database of that number" in told_by(at(database="99"), namespace)


DENIED = "this user has no permissions to run the '{}' command"


@pytest.mark.parametrize(
    ("user", "command", "is_told"),
    [
        ("queued-gspread-client", "multi", True),
        ("queued-gspread-observer", "xadd", True),
        ("app", "multi", True),
        ("app", "info", True),
        ("app", "xadd", False),
    ],
)
def test_the_user_of_another_part(user, command, is_told):
    """Where it may be the wrong part's user, which part needs which comes before any rule."""
    error = redis.exceptions.NoPermissionError(DENIED.format(command))
    told = str(unavailable(Settings(f"redis://{user}:{SECRET}@host"), error))
    part = "a server, and `queued-gspread stop`, need the server's user (docs/security.md)"
    assert (part in told) is is_told
    assert f"+{command} is needed" in told
    if is_told:
        assert told.index(part) < told.index("give that user the rules")


@pytest.fixture
def answering():
    """Return what opens a port that answers whatever comes with some bytes, and hangs up."""
    opened = []

    def listen(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(listener, answer))
        thread.start()
        opened.append((listener, thread))
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield listen
    for listener, thread in opened:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def _serve(listener, answer):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):  # it may have hung up
            connection.recv(4096)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            # A close with something unread would take the answer back.
            while connection.recv(4096):
                pass


@pytest.mark.parametrize(
    ("scheme", "answer", "told"),
    [
        ("redis", b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not a Redis, but another program"),
        ("redis", b"SSH-2.0-OpenSSH_9.2\r\n", "is not a Redis, but another program"),
        ("redis", b"", "speaks TLS (take rediss://)"),
        ("rediss", b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks no TLS: take redis://"),
    ],
)
def test_a_port_that_is_no_redis(scheme, answer, told, answering, namespace):
    """Where something else than a Redis answers, or without TLS, that is what the error says."""
    assert told in told_by(f"{scheme}://{answering(answer)}", namespace)


# What redis-py raises is told by its text: these are the servers' own.
TEXTS = {
    "unauthenticated multibulk length": "it wants a password",
    "NOAUTH Authentication required.": "it wants a password",
    "WRONGPASS invalid username-password pair or user is disabled.": "it wants a password",
    "SELECT is not allowed in cluster mode": "redis+cluster://HOST:PORT,HOST:PORT",
    "This instance has cluster support disabled": "it is not a Cluster",
    "unknown command `SENTINEL`, with args": "it is a Redis, not a Sentinel",
    "unknown command 'EVALSHA', with args": "If it is a Sentinel",
    "no Redis is known there by the name 'x'": "check the service in the URL",
    "User me has no permissions to run the 'evalsha' command": "+evalsha is needed",
    "The user executing the script can't access at least one of the keys": "'books': give",
}


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_is_told_in_plain_words(text):
    """Whatever Redis answers in its own words is followed by what it means for a user."""
    error = redis.ResponseError(text)
    assert TEXTS[text] in str(unavailable(Settings("redis://host", "books"), error))
    assert is_locked_out(error) is (TEXTS[text] == "it wants a password")


def test_a_password_of_sentinels_is_none_of_their_redis():
    """A Redis that wants a password does not take the one that is for its Sentinels."""
    error = redis.AuthenticationError("Authentication required.")
    for url, told in {
        "redis+sentinel://one/service?sentinel_password=x": "which has none",
        "redis+sentinel://one/service?password=x": "it does not let user 'default' in",
    }.items():
        assert told in str(unavailable(Settings(url), error))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("Error 1 connecting to h. [SSL: CERTIFICATE_VERIFY_FAILED] x", "the TLS handshake failed"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] x", "ssl_certfile and ssl_keyfile"),
        ("Timeout connecting to server", "It may speak no TLS"),
        ("Error 111 connecting to h. Connection refused.", "start one there"),
    ],
)
def test_what_is_told_over_tls(error, told):
    """Over TLS a certificate, a silence and an empty port are told apart."""
    settings = Settings("rediss://host")
    text = str(unavailable(settings, redis.ConnectionError(error)))
    assert told in text
    assert ("redis-server" in text) is ("refused" in error)
