"""The queued HTTP client. Its annotations are read at run time, so they must not be strings."""

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import gspread
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from requests import Session

from queued_gspread.protocol.identity import ANYONE, Identity, Scoped, identity_of
from queued_gspread.protocol.kinds import HTTP_CLIENT
from queued_gspread.settings import Settings

from .base import queued
from .call import send_request
from .caller import Caller
from .remote_warnings import user_level

__all__ = ["BackOffHTTPClient", "HTTPClient"]

_NO_CREDENTIALS: Final = (str, bytes, os.PathLike, Mapping, int, float, list, tuple)
_REQUEST_CODE: Final = getattr(HTTP_CLIENT.originals.get("request"), "__code__", None)


@queued(HTTP_CLIENT)
class HTTPClient(gspread.HTTPClient):
    """A :class:`gspread.HTTPClient` whose calls are made by the server.

    Args:
        auth: The credentials; they stay in this process. None means the server's account.
        session: google-auth's, whose credentials are used. Any other is refused: it would send
            requests past the queue.
        redis_url: See :class:`queued_gspread.settings.Settings`, as for the next six.
        namespace: See there.
        timeout: See there.
        grace: See there.
        signing_key_file: See there.
        caller: See there.
        max_age: See there.

    Raises:
        TypeError: Another session was given, or ``auth`` is not credentials.
        ConfigurationError: A setting cannot be used.

    """

    def __init__(
        self,
        auth: Credentials | None = None,
        session: Session | None = None,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        grace: float | None = None,
        signing_key_file: str | Path | None = None,
        caller: str | None = None,
        max_age: float | None = None,
    ) -> None:
        auth = _credentials(auth, session)
        settings = Settings.resolve(
            redis_url=redis_url,
            namespace=namespace,
            timeout=timeout,
            grace=grace,
            signing_key_file=signing_key_file,
            caller=caller,
            max_age=max_age,
        )
        self.auth: Credentials | None = auth  # type: ignore[assignment]  # None: the server's
        self.timeout = None
        vars(self)["_self_caller"] = _caller(settings, auth)

    @property
    def _self_caller(self) -> Caller:
        """The way into the queue, made now if the client was built without its constructor."""
        kept = vars(self)
        if "_self_caller" not in kept:  # no lock: a fork might leave it locked in the child
            kept["_self_caller"] = _caller(Settings.resolve(), kept.get("auth"))
        caller: Caller = kept["_self_caller"]
        return caller

    def __getattr__(self, name: str) -> Any:
        if name == "session":
            if sys._getframe(1).f_code is _REQUEST_CODE:
                return _Session(self)
            raise AttributeError(
                "a queued HTTP client has no session, since its requests are sent by the "
                "server: use its request() method"
            )
        text = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=self)  # for Python's suggestions

    def __reduce_ex__(self, protocol: Any) -> Any:
        reduced = super().__reduce_ex__(protocol)
        if isinstance(reduced, str):
            return reduced
        make, arguments, *state = reduced
        return (make, arguments, *map(_without_credentials, state))


def _without_credentials(state: Any) -> Any:
    """Return an object's state for a copy, without credentials: they stay in the process."""
    if type(state) is tuple:  # the state of __dict__ and that of slots
        return tuple(map(_without_credentials, state))
    return {**state, "auth": None} if isinstance(state, dict) and "auth" in state else state


class _Session:
    """The session of gspread's own ``request``, which runs if patched code calls it."""

    def __init__(self, http: HTTPClient) -> None:
        self._http = http

    def request(self, *, method: str, url: str, timeout: Any, **parts: Any) -> Any:  # noqa: ARG002 - the job has the time-out
        """Send a request through the queue."""
        return send_request(self._http, method, url, **parts)


class BackOffHTTPClient(HTTPClient, gspread.BackOffHTTPClient):
    """A :class:`gspread.BackOffHTTPClient`; the server does the waiting and retrying."""


def _credentials(auth: Credentials | None, session: object) -> Credentials | None:
    """Return the credentials, if need be those of google-auth's session, as gspread makes it.

    Any other session might send requests in its own way, past the queue.
    """
    if isinstance(auth, _NO_CREDENTIALS):
        # Without the value, which may be a key.
        raise TypeError(
            f"credentials of type {type(auth).__name__} cannot be used: take an object of "
            "google-auth's, service_account(filename=...) for a key file, "
            "service_account_from_dict(...) for what is in one, or nothing for the server's account"
        )
    if session is None:
        return auth
    if type(session) is AuthorizedSession:
        return cast("Credentials", session.credentials)
    raise TypeError(
        f"session={type(session).__name__} cannot be used: requests are sent by "
        "queued-gspread-server, with the server's own session. Leave it out, and give the "
        "server its credentials instead"
    )


_warned = False


def _caller(settings: Settings, auth: Credentials | None) -> Caller:
    return Caller(settings, _identity(auth))


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
