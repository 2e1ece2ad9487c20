"""The access token: one thread keeps it fresh, and every request applies the current one.

google-auth refreshes in every request that finds the token stale, without a lock: eight threads
make eight token requests, and each of them waits. Here requests only wait for the first token, and
while the token endpoint fails. :mod:`.token_lifecycle` decides; this module acts.
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

from queued_gspread.protocol.identity import identity_of
from queued_gspread.server.failure import logged
from queued_gspread.server.log import LOGGER
from queued_gspread.server.timing import Timing

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
from .token_log import log_again, log_failing, log_refused
from .token_state import STOP_WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

    from queued_gspread.server.failure import Watch

    from .token_lifecycle import Event
    from .token_state import TokenState

__all__ = ["Tokens"]

# The clocks of a machine that was suspended or migrated may jump.
_LONGEST_SLEEP: Final = 60.0


def _time_of_day() -> float:
    # Read the way google-auth does, so that a test's replacement holds for both.
    return dt.datetime.now(dt.timezone.utc).timestamp()


class Tokens:
    """Keeps the access token of one account fresh.

    Args:
        credentials: google-auth's credentials.
        request: google-auth's transport for the token endpoint.
        refresh_every: Seconds after which the token is refreshed in any case; 0 for no limit.
        reload: Returns new credentials when their file has changed, else None; with ``again``,
            also if it looks unchanged.
        remedy: Returns how to renew what was refused, by the reason; '' if the log's own advice is
            the best.
        clock: A monotonic clock, in seconds. google-auth's expiry is converted to it at once, so
            that changes to this machine's time of day do not matter.
        wall: The time of day, in seconds since 1970.
        timing: How often to look for a changed key file.
        lends: Whether the account lends its quota, so that no call waits for its tokens; for the
            log.

    """

    def __init__(
        self,
        credentials: Credentials,
        request: Callable[..., Any],
        *,
        refresh_every: float = 0.0,
        reload: Callable[..., Credentials | None] | None = None,
        remedy: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = _time_of_day,
        timing: Timing | None = None,
        lends: bool = False,
    ) -> None:
        self.credentials = credentials
        self._lends = lends
        self._request = TokenRequest(request)
        self._reload = reload
        self._remedy = remedy or (lambda _: "")
        self._clock = clock
        self._wall = wall
        self._key_file_check = (timing or Timing()).key_file_check
        is_fixed = isinstance(credentials, (AnonymousCredentials, APIKeyCredentials))
        expires = self._end_of(credentials)
        self._life = begin(clock(), expires, refresh_every, is_fixed=is_fixed)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._on_change: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self, watched: Watch = logged) -> None:
        """Start a thread that keeps the token fresh; it fetches the first one at once."""
        # A new event for each thread: an earlier one may still wait for the token endpoint.
        self._stopping = threading.Event()
        self._take(Signal.STARTED)
        self._thread = threading.Thread(
            target=watched(self._keep), args=(self._stopping,), name="tokens", daemon=True
        )
        self._thread.start()

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Stop the thread; if it waits for the token endpoint, it ends later by itself."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(within)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Set a function to be called after each refresh, well or not."""
        self._on_change = callback

    @property
    def version(self) -> int:
        """The number of the current token."""
        return self._life.version

    def state(self) -> TokenState:
        """Return whether requests can be sent."""
        state = state_at(self._life, self._clock())
        if state.error is not None:
            # All callers raise this one error, so its traceback would grow with each of them.
            state.error.with_traceback(None)
        return state

    def left(self) -> float | None:
        """Return the seconds until the token expires; None if it does not."""
        left = self._life.expires - self._clock()
        return max(0.0, left) if math.isfinite(left) else None

    def accepted(self, version: int) -> None:
        """Report that Google accepted the token of a version."""
        # Every request reports it, and only the first report matters.
        if version > self._life.accepted:
            self._take(TokenAccepted(version))

    def refused(self, version: int) -> None:
        """Report that Google refused the token of a version, so that another is fetched.

        Nothing happens if that token was already replaced: of many requests with a 401, the first
        is enough. If even new tokens are refused, the pauses between refreshes grow.
        """
        self._take(TokenRefused(version, random.random()))  # noqa: S311 - a jitter

    def refresh(self, timeout: float) -> None:
        """Fetch a new token and wait for it.

        Raises:
            GoogleAuthError: There is none: google-auth's own error, or it took too long.

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
        """Do what is due; return the seconds until something may be due next."""
        found = self._changed_credentials()
        if found is not None:
            self._take(Signal.KEY_FILE_CHANGED)
        actions = self._take(Signal.TIME_PASSED)
        if Action.REREAD in actions and found is None:
            found = self._changed_credentials(again=True)
        if Action.REFRESH in actions:
            self._fetch(found)
        return self._delay()

    def _delay(self) -> float:
        longest = self._key_file_check if self._reload else math.inf
        return min(longest, until_due(self._life, self._clock()))

    def _keep(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._safe_step()
            with self._changed:
                delay = self._delay()
                if delay > 0 and not stopping.is_set():
                    self._changed.wait(min(delay, _LONGEST_SLEEP))

    def _safe_step(self) -> None:
        """Do what is due and survive any error: without this thread, all calls would stop."""
        try:
            self.step()
        except Exception:  # noqa: BLE001 - the thread must go on after any error
            LOGGER.exception("an error of this program, please report it")
            self._take(Signal.INTERRUPTED)

    def _take(self, event: Event) -> tuple[Action, ...]:
        """Apply an event; return the actions to take."""
        with self._changed:
            self._life, actions = step(self._life, event, self._clock())
            self._changed.notify_all()
        return actions

    def _changed_credentials(self, *, again: bool = False) -> Credentials | None:
        try:
            return self._reload(again=again) if self._reload else None
        except Exception:  # noqa: BLE001 - the thread must go on after any error
            LOGGER.exception(
                "the credentials file has changed, and the old credentials stay in use"
            )
            return None

    def _fetch(self, found: Credentials | None) -> None:
        """Fetch a token, with new credentials if there are any; the old token serves until then."""
        result = self._result_of(found or self.credentials)
        if found is not None:
            if isinstance(result, RefreshFailed):
                # The replaced key may no longer work, but its token still may.
                found.token, found.expiry = self.credentials.token, self.credentials.expiry
            self.credentials = found
        for action in self._take(result):
            self._carry_out(action, result)

    def _result_of(self, credentials: Credentials) -> RefreshSucceeded | RefreshFailed:
        """Have google-auth fetch a token; any exception counts as a failure."""
        _drop_source_tokens(credentials)
        try:
            credentials.refresh(self._request)
        except Exception as error:  # noqa: BLE001 - callers must learn of any error
            return self._advised(_failed(error))
        expires = self._end_of(credentials)
        if expires > self._clock():
            return RefreshSucceeded(expires)
        expired = TransportError("the token endpoint granted a token that has expired already")
        # google-auth has already replaced the old token with it.
        return _failed(expired, expires if credentials is self.credentials else None)

    def _advised(self, failed: RefreshFailed) -> RefreshFailed:
        """Put how to renew what was refused on the error that all callers get."""
        if failed.is_permanent and (remedy := self._remedy(failed.reason)):
            # Python 3.10 has no add_note(), but the attribute may be set.
            vars(failed.error)["__notes__"] = [remedy]
        return failed

    def _carry_out(self, action: Action, result: RefreshSucceeded | RefreshFailed) -> None:
        whose = _whose(self.credentials)
        if action is Action.NOTIFY:
            self._on_change()
        elif isinstance(result, RefreshSucceeded):
            log_again(whose, lends=self._lends)
        elif action is Action.LOG_FAILING:
            log_failing(whose, result.reason, lends=self._lends)
        else:
            log_refused(whose, result.reason, self._remedy(result.reason), lends=self._lends)

    def _end_of(self, credentials: Credentials) -> float:
        """Return when a token expires, on the monotonic clock; google-auth gives it in UTC."""
        if not credentials.token:
            return -math.inf
        expiry: dt.datetime | None = credentials.expiry
        if expiry is None:
            return math.inf
        left = expiry.replace(tzinfo=dt.timezone.utc).timestamp() - self._wall()
        return self._clock() + left


def _drop_source_tokens(credentials: Credentials | None) -> None:
    """Have impersonated credentials fetch the token, too, with which they ask for theirs.

    google-auth keeps it for as long as it says, even if Google refuses it.
    """
    for name in ("_source_credentials", "_impersonated_credentials"):
        source: Credentials | None = getattr(credentials, name, None)
        if source is not None:
            source.token = source.expiry = None
            _drop_source_tokens(source)


def _whose(credentials: Credentials) -> str:
    identity = identity_of(credentials)
    return identity.shown if identity.account else "this server"


def _failed(error: Exception, expires: float | None = None) -> RefreshFailed:
    is_permanent = not passes(error)
    # Before cleaning, which removes the error's cause.
    trouble = "" if is_permanent else connection_trouble(error)
    error = cleaned(error)
    jitter = random.random()  # noqa: S311 - a jitter
    return RefreshFailed(error, trouble or shown(error), is_permanent, jitter, expires)
