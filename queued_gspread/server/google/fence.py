"""The fence between this server and Google: a last question, and then the whole request at once.

http.client hands a request to the system in two pieces, headers and body. A process that is
stopped in between would send the second when it goes on, though another server works by then.

This holds for urllib3's own connection classes. Another class that was put in their place, such as
a cassette's of vcrpy in a test, is used as it is, without the fence.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from urllib3 import ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests.adapters import HTTPAdapter

__all__ = ["asking", "put_up"]


def _ask_nobody() -> None:
    """Let a request pass."""


_question: ContextVar[Callable[[], None]] = ContextVar("question", default=_ask_nobody)


@contextmanager
def asking(confirm: Callable[[], None]) -> Iterator[None]:
    """Have this thread's requests ask once more; what *confirm* raises keeps them back."""
    token = _question.set(confirm)
    try:
        yield
    finally:
        _question.reset(token)


def put_up(adapter: HTTPAdapter) -> HTTPAdapter:
    """Return the adapter after its connections were given the fence, those to a proxy too."""
    adapter.poolmanager.pool_classes_by_scheme = _POOLS
    to_proxy = adapter.proxy_manager_for

    def fenced(*args: Any, **kwargs: Any) -> Any:
        manager = to_proxy(*args, **kwargs)
        # One for SOCKS has connections of its own.
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager

    adapter.proxy_manager_for = fenced  # type: ignore[method-assign]
    return adapter


class _Connection(HTTPConnection):
    """Holds back the pieces of a request until there are all of them."""

    _pieces: list[Any] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request: connect, ask, and hand all of it over."""
        self._pieces = []
        try:
            super().request(*args, **kwargs)
            whole = b"".join(self._pieces)
        finally:
            self._pieces = None
        if self.sock is None:
            self.connect()
        _question.get()()
        self.send(whole)

    def send(self, data: Any) -> None:
        """Hand data over, or hold it back."""
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


_FENCED: Final[dict[Any, Any]] = {
    HTTPConnection: _Connection,
    HTTPSConnection: _SecureConnection,
}


class _Fenced:
    @property
    def ConnectionCls(self) -> Any:  # noqa: N802 - urllib3's name
        """The class with the fence, where it is still urllib3's own."""
        given = super().ConnectionCls  # type: ignore[misc]  # the pool's
        return _FENCED.get(given, given)


class _Pool(_Fenced, HTTPConnectionPool):  # type: ignore[override]  # urllib3 never assigns it
    """Looks up each time which class its connections are of."""


class _SecurePool(_Fenced, HTTPSConnectionPool):  # type: ignore[override]  # the same
    """The same over TLS."""


_POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _SecurePool}
