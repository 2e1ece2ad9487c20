"""The access token: one thread keeps it fresh, and every request applies what there is.

google-auth refreshes in whatever request finds the token stale, without a lock: eight threads
make eight token requests, and each of them waits. Here nobody waits but for the first token and
while the token endpoint fails.
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
from queued_gspread.server.policy.retry import backoff

from .token_errors import TokenRequest, cleaned, connection_trouble, passes, shown
from .token_state import USABLE, TokenState

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

    from queued_gspread.server.failure import Watch

__all__ = ["Tokens", "refresh_moment"]

# Before google-auth deems a token stale, which is 3 min 45 s ahead of its expiry.
_AHEAD: Final = 300.0
_SHARE_AHEAD: Final = 0.2
_LOOK_AT_FILE: Final = 5.0
# A machine that was suspended, or moved, has clocks that jump.
_LONGEST_SLEEP: Final = 60.0
_AGAIN_AFTER_REFUSAL: Final = 60.0
_MINUTE: Final = 60.0
_PATIENCE_AT_END: Final = 0.5


def refresh_moment(fetched: float, expiry: float | None, refresh_every: float) -> float:
    """Return when a token is to be renewed; infinite if it need not be.

    Args:
        fetched: When it was fetched.
        expiry: When Google stops taking it; None for never.
        refresh_every: Seconds after which it is renewed in any case; 0 for no such time.

    """
    ahead = math.inf
    if expiry is not None:
        ahead = expiry - min(_AHEAD, _SHARE_AHEAD * max(0.0, expiry - fetched))
    return min(ahead, fetched + refresh_every if refresh_every else math.inf)


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
        self.generation = 0
        self._request = TokenRequest(request)
        self._refresh_every = refresh_every
        self._reload = reload
        self._clock = clock
        self._wall = wall
        self._is_fixed = isinstance(credentials, (AnonymousCredentials, APIKeyCredentials))
        self._is_wanted = not credentials.token
        self._fetched = clock()
        self._expires = self._end_of(credentials)
        self._awaited_since = clock()
        self._failing_since: float | None = None
        self._retry_at = -math.inf
        self._failures = 0
        self._error: Exception | None = None
        self._is_permanent = False
        self._is_refused = False
        self._unaccepted = 0
        self._accepted = -1
        self._attempts = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._on_change: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self, watched: Watch = logged) -> None:
        """Begin to keep the token fresh, in a thread; the first token is fetched at once."""
        # One for each thread: one that was stopped may still wait for the token endpoint.
        self._stopping = threading.Event()
        self._awaited_since = self._clock()
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

    def state(self) -> TokenState:
        """Return whether requests can be sent."""
        now = self._clock()
        if self._is_usable(now):
            return USABLE
        # Everybody raises the same error: its traceback would grow with every caller.
        error = self._error and self._error.with_traceback(None)
        if self._is_permanent:
            return TokenState(False, error, math.inf)
        return TokenState(False, error, now - self._waiting_since(now))

    def accepted(self, generation: int) -> None:
        """Say that Google took the token of a generation."""
        self._accepted = max(self._accepted, generation)

    def refused(self, generation: int) -> None:
        """Say that Google did not take the token of a generation, so that there will be another.

        Where that has been replaced already, nothing happens: of many requests that met a 401
        the first is enough. Where not even new tokens are taken, pauses between them grow.
        """
        with self._changed:
            if generation != self.generation or self._is_refused or self._is_fixed:
                return
            now = self._clock()
            if self._failing_since is not None:
                # The token was good so far, and nobody has waited.
                self._failing_since = now
            self._is_refused = True
            self._is_wanted = True
            self._unaccepted = 0 if generation == self._accepted else self._unaccepted + 1
            if self._unaccepted > 1:
                self._retry_at = now + backoff(self._unaccepted - 1, _MINUTE, random.random())  # noqa: S311 - a jitter
            self._changed.notify_all()

    def refresh(self, timeout: float) -> None:
        """Fetch a new token and wait for it.

        Raises:
            GoogleAuthError: There is none; google-auth's own error, or that it took too long.

        """
        if self._is_fixed:
            return
        with self._changed:
            if self._is_permanent and self._error and self._clock() < self._retry_at:
                raise self._error.with_traceback(None)
            before = self._attempts
            self._is_wanted, self._retry_at = True, -math.inf
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._attempts > before or self._stopping.is_set(), timeout
            )
            if self._attempts == before:
                raise TransportError(f"no access token after {timeout:g} s")
            if self._error is not None:
                raise self._error.with_traceback(None)

    def step(self) -> float:
        """Do what is due; return the seconds until something may be."""
        self._look_at_file()
        if self._due() <= self._clock():
            self._fetch()
        return self._delay()

    def _delay(self) -> float:
        longest = _LOOK_AT_FILE if self._reload else math.inf
        return min(longest, max(0.0, self._due() - self._clock()))

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
            self._retry_at = self._clock() + 1.0

    def _due(self) -> float:
        """Return the moment of the next refresh."""
        if self._is_fixed:
            return math.inf
        if self._is_wanted:
            return self._retry_at
        moment = refresh_moment(self._fetched, self._expires, self._refresh_every)
        return max(self._retry_at, moment)

    def _look_at_file(self) -> None:
        try:
            found = self._reload() if self._reload else None
        except Exception:  # noqa: BLE001 - the same
            LOGGER.exception("the key file has changed, and the old key stays in use")
            found = None
        if found is not None:
            self._fetch(found)

    def _fetch(self, credentials: Credentials | None = None) -> None:
        """Fetch a token, with other credentials if there are any; the old one stays until then."""
        chosen = credentials or self.credentials
        error = self._refreshed(chosen)
        with self._changed:
            if error is None:
                self._note_token(chosen)
            else:
                self._note_failure(error)
                if credentials is not None:
                    # The key that was replaced may not work any more.
                    self.credentials, self._is_wanted = _with_token(credentials, self), True
            self._attempts += 1
            self._changed.notify_all()
        self._on_change()

    def _refreshed(self, credentials: Credentials) -> Exception | None:
        """Have google-auth fetch a token; return what it raises, whatever that is."""
        try:
            credentials.refresh(self._request)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers have to know
            return error
        expires = self._end_of(credentials)
        if expires is not None and expires <= self._clock():
            if credentials is self.credentials:
                self._expires = expires  # google-auth has put it in the place of the old one
            return TransportError("the token endpoint granted a token that has expired already")
        return None

    def _note_token(self, credentials: Credentials) -> None:
        if self._error is not None:
            LOGGER.info("there is an access token again")
        self.credentials = credentials
        self._fetched = self._clock()
        self._expires = self._end_of(credentials)
        self._failing_since = None
        self._is_wanted = self._is_permanent = False
        self._error, self._is_refused = None, False
        self._retry_at, self._failures = -math.inf, 0
        self.generation += 1

    def _note_failure(self, error: Exception) -> None:
        is_first = self._error is None or self._is_permanent
        was_permanent = self._is_permanent
        is_permanent = not passes(error)
        trouble = connection_trouble(error)
        self._error = error = cleaned(error)
        if self._failing_since is None:
            self._failing_since = self._clock()
        self._failures += 1
        self._is_permanent = is_permanent
        pause = backoff(self._failures, _MINUTE, random.random())  # noqa: S311 - a jitter
        if self._is_permanent:
            pause = _AGAIN_AFTER_REFUSAL
            if not was_permanent:
                LOGGER.error(_REFUSED, _account(self.credentials), shown(error))
        elif is_first:
            LOGGER.warning(_FAILS, trouble or shown(error))
        self._retry_at = self._clock() + pause

    def _is_usable(self, now: float) -> bool:
        if self._is_fixed:
            return True
        if self._is_refused or not self.credentials.token:
            return False
        return self._expires is None or now < self._expires

    def _waiting_since(self, now: float) -> float:
        since = self._failing_since
        if since is None:
            # The token endpoint may say nothing for minutes before that is a failure.
            since = now if self._is_refused else self._awaited_since
        return since if self._is_refused or self._expires is None else max(since, self._expires)

    def _end_of(self, credentials: Credentials) -> float | None:
        """Return when a token expires, on the monotonic clock; google-auth's time is in UTC."""
        expiry: dt.datetime | None = credentials.expiry
        if expiry is None:
            return None
        left = expiry.replace(tzinfo=dt.timezone.utc).timestamp() - self._wall()
        return self._clock() + left


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


def _account(credentials: Credentials) -> str:
    return getattr(credentials, "service_account_email", None) or "this server"


def _with_token(credentials: Credentials, tokens: Tokens) -> Credentials:
    """Give new credentials the token of the old ones, which is good until it expires."""
    credentials.token = tokens.credentials.token
    credentials.expiry = tokens.credentials.expiry
    return credentials
