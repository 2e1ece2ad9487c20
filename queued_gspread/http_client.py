"""gspread's ``http_client`` module with its classes queued: nothing here sends to Google."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import gspread.http_client as _gspread
from gspread.http_client import FileType, HTTPClientType, ParamsType

from .catalogue import HTTP_CLIENT
from .identity import ANYONE, Identity, Scoped, identity_of
from .objects import bare
from .proxy import Proxy
from .rewarn import user_level
from .settings import Settings
from .surface import passing_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from google.auth.credentials import Credentials
    from typing_extensions import Self

__all__ = ["BackOffHTTPClient", "FileType", "HTTPClient", "HTTPClientType", "ParamsType"]

__getattr__ = passing_on(_gspread)


class HTTPClient(Proxy, kind=HTTP_CLIENT):
    """A :class:`gspread.HTTPClient` whose calls are made by the server.

    Args:
        auth: The credentials; they stay in this process. None means the server's account.
        session: Not accepted: a session would send requests past the queue.
        redis_url: See :class:`queued_gspread.settings.Settings`, as for the next three.
        namespace: See there.
        timeout: See there.
        signing_key_file: See there.

    Raises:
        TypeError: A session was given.
        ConfigurationError: A setting cannot be used.

    """

    _real: ClassVar[type[_gspread.HTTPClient]] = _gspread.HTTPClient
    # The queued method itself, whatever a library puts in the place of ``request``.
    _queued_request: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        auth: Credentials | None = None,
        session: None = None,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        signing_key_file: str | Path | None = None,
    ) -> None:
        from .call import Caller  # noqa: PLC0415 - Redis and the codec come with the first client

        refuse_session(session)
        settings = Settings.resolve(
            redis_url=redis_url,
            namespace=namespace,
            timeout=timeout,
            signing_key_file=signing_key_file,
        )
        super().__init__(bare(self._real, auth=auth, timeout=None))
        self._self_caller = Caller(settings, _identity(auth))

    def __getattr__(self, name: str) -> Any:
        if name == "session":
            raise AttributeError(
                "a queued HTTP client has no session, since its requests are sent by the "
                "server: use its request() method"
            )
        return super().__getattr__(name)

    def _state(self) -> dict[str, Any]:
        # Credentials stay in the process, so a copy for another one does without.
        state = super()._state()
        state["real"]["auth"] = None
        return {**state, "caller": self._self_caller}

    @classmethod
    def _restored(cls, real: type[Any], state: dict[str, Any]) -> Self:
        http = super()._restored(real, state)
        http._self_caller = state["caller"]
        return http


HTTPClient._queued_request = vars(HTTPClient)["request"]


class BackOffHTTPClient(HTTPClient):
    """A :class:`gspread.BackOffHTTPClient`; it is the server that waits and sends again."""

    _real = _gspread.BackOffHTTPClient


def refuse_session(session: object) -> None:
    """Raise :class:`TypeError` for a session: it would send requests past the queue."""
    if session is not None:
        raise TypeError(
            "session= cannot be used: requests are sent by queued-gspread-server, with the "
            "server's own session. Leave it out, and give the server its credentials instead"
        )


_warned = False


def _identity(auth: Credentials | None) -> Identity:
    if auth is None:
        return ANYONE
    identity = identity_of(auth)
    if identity.email is None and not isinstance(auth, Scoped):
        _warn_once()
    return identity


def _warn_once() -> None:
    global _warned  # noqa: PLW0603 - once for the process
    if not _warned:
        _warned = True
        warnings.warn(
            "these credentials do not tell whose they are, so the server cannot check that its "
            "account is the same: all calls are made with the server's account",
            stacklevel=user_level(),
        )
