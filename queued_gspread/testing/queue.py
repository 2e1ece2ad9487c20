"""A queue for a test: all tests of a run share a Redis; each has its own namespace and server."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

import queued_gspread
from queued_gspread._variables import ENV_PREFIX
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.sandbox import Own, begun, drop_temporary
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import ConfigurationError
from queued_gspread.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queued_gspread.broker.sandbox import Sandbox
    from queued_gspread.emulator import Emulator

__all__ = ["OneRedis", "Queue", "running"]

_NO_QUOTA: Final = {
    "reads_per_minute": 0,
    "writes_per_minute": 0,
    "project_reads_per_minute": 0,
    "project_writes_per_minute": 0,
}


@dataclass(frozen=True)
class Queue:
    """A running queue.

    Attributes:
        redis_url: The URL of its Redis.
        namespace: Its namespace there.
        server: The server that makes its calls.
        emulator: The emulator that the server sends them to.

    """

    redis_url: str
    namespace: str
    server: Server
    emulator: Emulator

    def client(self, **options: Any) -> queued_gspread.Client:
        """Return a client; the options are those of :func:`queued_gspread.authorize`."""
        where = {"redis_url": self.redis_url, "namespace": self.namespace}
        return queued_gspread.authorize(**{**where, **options})


class OneRedis:
    """A Redis that runs from its first use to the end of the session."""

    def __init__(self) -> None:
        self._redis: TemporaryRedis | None = None

    @property
    def url(self) -> str:
        """The URL of the Redis, which is started if needed: a test may have ended it."""
        if self._redis is None or self._redis.pid is None:
            self.close()
            self._redis = _started()
        return self._redis.url

    def close(self) -> None:
        """Stop Redis if it runs."""
        if self._redis is not None:
            self._redis.close()
            self._redis = None


def _started() -> TemporaryRedis:
    try:
        server = TemporaryRedis()
        server.start()
    except ConfigurationError as error:
        missing = str(error)
    else:
        # It belongs to the session, not to one test: each test may reach only its own queue.
        drop_temporary(server.url)
        return server
    # Outside the except clause, where pytest would also show the causes.
    remedy = "or let the fixture gspread_queue_settings return {'redis_url': ...}"
    pytest.fail(f"gspread_queue: {missing}; {remedy}.", pytrace=False)


@contextlib.contextmanager
def running(
    shared: OneRedis,
    emulator: Emulator,
    sandbox: Sandbox,
    settings: Mapping[str, Any],
    patch: pytest.MonkeyPatch,
) -> Iterator[Queue]:
    """Run a server on the emulator; every call of this process and its children goes there.

    *patch* is the test's own monkeypatch, so what the test sets by it wins over what is set here,
    whichever comes first.
    """
    owner = os.getpid()
    own_url, own_namespace = settings.get("redis_url"), settings.get("namespace")
    url, namespace = own_url or shared.url, own_namespace or f"test-{os.urandom(8).hex()}"
    key = settings.get("signing_key_file")
    own = Own(url, namespace, None if key is None else os.fspath(key))
    options = {**_NO_QUOTA, **settings, "redis_url": url, "namespace": namespace}
    _set_environment(patch, own)
    with begun(replace(sandbox, own=own)):
        server = Server(emulator.gspread_client(), **options)
        server.start()
        try:
            yield Queue(url, namespace, server, emulator)
        finally:
            _stop(server, emulator)
            # A forked child deletes nothing of its parent's. A queue that the test named itself may
            # be in use elsewhere.
            if os.getpid() == owner and not (own_url and own_namespace):
                _empty(own)


def _set_environment(patch: pytest.MonkeyPatch, own: Own) -> None:
    """Set the variables in which clients look for the queue and its signing key."""
    patch.setenv(f"{ENV_PREFIX}REDIS_URL", own.redis_url)
    patch.setenv(f"{ENV_PREFIX}NAMESPACE", own.namespace)
    patch.delenv(f"{ENV_PREFIX}SIGNING_KEY_FILE", raising=False)
    if own.signing_key_file is not None:
        patch.setenv(f"{ENV_PREFIX}SIGNING_KEY_FILE", own.signing_key_file)


def _stop(server: Server, emulator: Emulator) -> None:
    server.request_stop()
    if emulator.under_way:
        # The test made Google not answer, and is over: nothing waits for that answer now.
        emulator.reset()
    server.stop()


def _empty(own: Own) -> None:
    """Delete what the test left in its namespace, unless it has ended the Redis."""
    connection = connect(own.redis_url, own.namespace)
    with contextlib.suppress(redis.ConnectionError):
        for key in connection.redis.scan_iter(Keys(own.namespace).pattern, count=1000):
            connection.redis.unlink(key)
