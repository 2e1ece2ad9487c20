"""The fence between this server and Google: check once more, then send the whole request at once.

http.client hands a request to the system in two pieces, headers and body. A process that is
stopped in between would send the second when it resumes, even if another server works by then.

The fence is for urllib3's own connection classes. A class that replaces them, such as that of a
vcrpy cassette in a test, is used as it is, without the fence.
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


def _confirm_nothing() -> None:
    """Let a request pass."""


_confirm: ContextVar[Callable[[], None]] = ContextVar("confirm", default=_confirm_nothing)


@contextmanager
def asking(confirm: Callable[[], None]) -> Iterator[None]:
    """Call *confirm* right before each request of this thread; if it raises, nothing is sent."""
    token = _confirm.set(confirm)
    try:
        yield
    finally:
        _confirm.reset(token)


def put_up(adapter: HTTPAdapter) -> HTTPAdapter:
    """Fence an adapter's connections, those to a proxy too, and return the adapter."""
    adapter.poolmanager.pool_classes_by_scheme = _POOLS
    to_proxy = adapter.proxy_manager_for

    def fenced(*args: Any, **kwargs: Any) -> Any:
        manager = to_proxy(*args, **kwargs)
        # A SOCKS manager has its own connection classes.
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager

    adapter.proxy_manager_for = fenced  # type: ignore[method-assign]
    return adapter


class _Connection(HTTPConnection):
    """Holds back the pieces of a request until it has all of them."""

    _pieces: list[Any] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Connect, check once more, and send the whole request."""
        self._pieces = []
        try:
            super().request(*args, **kwargs)
            whole = b"".join(self._pieces)
        finally:
            self._pieces = None
        if self.sock is None:
            self.connect()
        _confirm.get()()
        self.send(whole)

    def send(self, data: Any) -> None:
        """Send data, or hold it back while a request is being put together."""
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
        """The fenced class, if the pool's class is urllib3's own."""
        given = super().ConnectionCls  # type: ignore[misc]  # the pool's
        return _FENCED.get(given, given)


class _Pool(_Fenced, HTTPConnectionPool):  # type: ignore[override]  # urllib3 never assigns it
    """Looks up its connection class each time, since a test may replace it."""


class _SecurePool(_Fenced, HTTPSConnectionPool):  # type: ignore[override]  # the same
    """The same over TLS."""


_POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _SecurePool}
