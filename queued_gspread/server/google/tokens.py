"""The access token: one thread keeps it fresh, and every request applies what there is.

google-auth refreshes in whatever request finds the token stale, without a lock: eight threads
make eight token requests, and each of them waits. Here nobody waits but for the first token and
while the token endpoint fails. :mod:`.token_lifecycle` decides; this carries it out.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import TransportError

from queued_gspread.server.failure import logged
from queued_gspread.server.log import LOGGER

from .token_errors import TokenRequest, cleaned, connection_trouble, passes, shown
from .token_lifecycle import (
    Action,
    RefreshFailed,
    RefreshSucceeded,
    Signal,
    TokenAccepted,
    TokenRefused,
    begin,
    state_at,
    step,
    until_due,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

    from queued_gspread.server.failure import Watch

    from .token_lifecycle import Event
    from .token_state import TokenState

__all__ = ["Tokens"]

_LOOK_AT_FILE: Final = 5.0
# A machine that was suspended, or moved, has clocks that jump.
_LONGEST_SLEEP: Final = 60.0
_PATIENCE_AT_END: Final = 0.5
_REFUSED: Final = (
    "Google refuses the credentials of %s (%s): there will be no new access token. Look whether "
    "the account or its key was disabled or deleted, and whether this machine's clock is right; a "
    "new key file in the place of the old one is noticed"
)
_FAILS: Final = (
    "no access token can be fetched, the token endpoint fails (%s): it is asked again, and calls "
    "wait while there is no valid token. If this goes on, look at this machine's network and "
    "proxy, and at the credentials' token_uri"
)


def _time_of_day() -> float:
    # Looked up as google-auth does: what a test has put in its place holds for both.
    return dt.datetime.now(dt.timezone.utc).timestamp()


class Tokens:
    """Keeps the access token of one account fresh.

    Args:
        credentials: google-auth's credentials.
        request: google-auth's way to the token endpoint.
        refresh_every: Seconds after which the token is renewed in any case; 0 for no such time.
        reload: Returns other credentials when their file has changed, else None.
        clock: A monotonic clock, in seconds; google-auth's expiry is turned into its time at once,
            so that nothing here minds when this machine's time of day is set.
        wall: The time of day, in seconds since 1970.

    """

    def __init__(
        self,
        credentials: Credentials,
        request: Callable[..., Any],
        *,
        refresh_every: float = 0.0,
        reload: Callable[[], Credentials | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = _time_of_day,
    ) -> None:
        self.credentials = credentials
        self._request = TokenRequest(request)
        self._reload = reload
        self._clock = clock
        self._wall = wall
        is_fixed = isinstance(credentials, (AnonymousCredentials, APIKeyCredentials))
        expires = self._end_of(credentials)
        self._life = begin(clock(), expires, refresh_every, is_fixed=is_fixed)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._on_change: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self, watched: Watch = logged) -> None:
        """Begin to keep the token fresh, in a thread; the first token is fetched at once."""
        # One for each thread: one that was stopped may still wait for the token endpoint.
        self._stopping = threading.Event()
        self._take(Signal.STARTED)
        self._thread = threading.Thread(
            target=watched(self._keep), args=(self._stopping,), name="tokens", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread, or let it end by itself if it waits for the token endpoint."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_PATIENCE_AT_END)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have a function called whenever a token was fetched, or could not be."""
        self._on_change = callback

    @property
    def version(self) -> int:
        """The number of the current token."""
        return self._life.version

    def state(self) -> TokenState:
        """Return whether requests can be sent."""
        state = state_at(self._life, self._clock())
        if state.error is not None:
            # Everybody raises the same error: its traceback would grow with every caller.
            state.error.with_traceback(None)
        return state

    def accepted(self, version: int) -> None:
        """Say that Google took the token of a version."""
        # Every request says so: only the first is news.
        if version > self._life.accepted:
            self._take(TokenAccepted(version))

    def refused(self, version: int) -> None:
        """Say that Google did not take the token of a version, so that there will be another.

        Where that has been replaced already, nothing happens: of many requests that met a 401
        the first is enough. Where not even new tokens are taken, pauses between them grow.
        """
        self._take(TokenRefused(version, random.random()))  # noqa: S311 - a jitter

    def refresh(self, timeout: float) -> None:
        """Fetch a new token and wait for it.

        Raises:
            GoogleAuthError: There is none; google-auth's own error, or that it took too long.

        """
        with self._changed:
            before = self._life.attempts
            self._take(Signal.REFRESH_REQUESTED)
            if self._life.due <= self._clock():
                self._changed.wait_for(
                    lambda: self._life.attempts > before or self._stopping.is_set(), timeout
                )
                if self._life.attempts == before:
                    raise TransportError(f"no access token after {timeout:g} s")
            if self._life.trouble is not None:
                raise self._life.trouble.last.error.with_traceback(None)

    def step(self) -> float:
        """Do what is due; return the seconds until something may be."""
        found = self._changed_credentials()
        if found is not None:
            self._take(Signal.KEY_FILE_CHANGED)
        if Action.REFRESH in self._take(Signal.TIME_PASSED):
            self._fetch(found)
        return self._delay()

    def _delay(self) -> float:
        longest = _LOOK_AT_FILE if self._reload else math.inf
        return min(longest, until_due(self._life, self._clock()))

    def _keep(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._safe_step()
            with self._changed:
                delay = self._delay()
                if delay > 0 and not stopping.is_set():
                    self._changed.wait(min(delay, _LONGEST_SLEEP))

    def _safe_step(self) -> None:
        """Do what is due; without this thread no call would ever be made again."""
        try:
            self.step()
        except Exception:  # noqa: BLE001 - whatever it is, the thread has to go on
            LOGGER.exception("an error of this program, please report it")
            self._take(Signal.INTERRUPTED)

    def _take(self, event: Event) -> tuple[Action, ...]:
        """Note what has happened; return what is to be done."""
        with self._changed:
            self._life, actions = step(self._life, event, self._clock())
            self._changed.notify_all()
        return actions

    def _changed_credentials(self) -> Credentials | None:
        try:
            return self._reload() if self._reload else None
        except Exception:  # noqa: BLE001 - the same
            LOGGER.exception("the key file has changed, and the old key stays in use")
            return None

    def _fetch(self, found: Credentials | None) -> None:
        """Fetch a token, with other credentials if there are any; the old one stays until then."""
        result = self._result_of(found or self.credentials)
        if found is not None:
            if isinstance(result, RefreshFailed):
                # The key that was replaced may not work any more; its token still may.
                found.token, found.expiry = self.credentials.token, self.credentials.expiry
            self.credentials = found
        for action in self._take(result):
            self._carry_out(action, result)

    def _result_of(self, credentials: Credentials) -> RefreshSucceeded | RefreshFailed:
        """Have google-auth fetch a token; take whatever it raises for a failure."""
        try:
            credentials.refresh(self._request)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers have to know
            return _failed(error)
        expires = self._end_of(credentials)
        if expires > self._clock():
            return RefreshSucceeded(expires)
        expired = TransportError("the token endpoint granted a token that has expired already")
        # google-auth has put it in the place of the old one.
        return _failed(expired, expires if credentials is self.credentials else None)

    def _carry_out(self, action: Action, result: RefreshSucceeded | RefreshFailed) -> None:
        if action is Action.NOTIFY:
            self._on_change()
        elif isinstance(result, RefreshSucceeded):
            LOGGER.info("there is an access token again")
        elif action is Action.LOG_FAILING:
            LOGGER.warning(_FAILS, result.reason)
        else:
            account = getattr(self.credentials, "service_account_email", None)
            LOGGER.error(_REFUSED, account or "this server", result.reason)

    def _end_of(self, credentials: Credentials) -> float:
        """Return when a token expires, on the monotonic clock; google-auth's time is in UTC."""
        if not credentials.token:
            return -math.inf
        expiry: dt.datetime | None = credentials.expiry
        if expiry is None:
            return math.inf
        left = expiry.replace(tzinfo=dt.timezone.utc).timestamp() - self._wall()
        return self._clock() + left


def _failed(error: Exception, expires: float | None = None) -> RefreshFailed:
    is_permanent = not passes(error)
    # Asked first: an error that was cleaned has no cause.
    trouble = "" if is_permanent else connection_trouble(error)
    error = cleaned(error)
    jitter = random.random()  # noqa: S311 - a jitter
    return RefreshFailed(error, trouble or shown(error), is_permanent, jitter, expires)
