"""When the access token is refreshed, and what the server is told meanwhile. Pure.

:func:`step` takes the state, an event and the time, and returns the next state and the actions to
take. :class:`.tokens.Tokens` has the thread, the clock and the network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from queued_gspread.server.policy.retry import backoff

from .token_state import USABLE, TokenState

__all__ = ["Action", "Event", "Lifecycle", "Signal", "begin", "state_at", "step", "until_due"]

# Earlier than google-auth takes a token for stale, which is 3 min 45 s before its expiry.
_AHEAD: Final = 300.0
_SHARE_AHEAD: Final = 0.2
_PAUSE_IF_PERMANENT: Final = 60.0
_PAUSE_AFTER_ERROR: Final = 1.0
_MINUTE: Final = 60.0


class Signal(Enum):
    """Events without data."""

    STARTED = auto()
    # The thread checks whether a refresh is due.
    TIME_PASSED = auto()
    REFRESH_REQUESTED = auto()
    # Comes from the thread that refreshes, so never during a refresh.
    KEY_FILE_CHANGED = auto()
    # A bug in this program ended what the thread was doing.
    INTERRUPTED = auto()


@dataclass(frozen=True)
class RefreshSucceeded:
    """There is a new token; *expires* is infinite if it never expires."""

    expires: float


@dataclass(frozen=True)
class RefreshFailed:
    """There is no new token.

    Attributes:
        error: The error that callers get.
        reason: The reason, for the log.
        is_permanent: Whether the credentials themselves are refused.
        jitter: 0 to 1; see :func:`queued_gspread.server.policy.retry.backoff`.
        expires: When the current token expires, if the attempt has changed that.

    """

    error: Exception
    reason: str
    is_permanent: bool
    jitter: float
    expires: float | None = None


@dataclass(frozen=True)
class TokenAccepted:
    """Google has accepted the token of a version."""

    version: int


@dataclass(frozen=True)
class TokenRefused:
    """Google has refused the token of a version; jitter is 0 to 1."""

    version: int
    jitter: float


Event: TypeAlias = Signal | RefreshSucceeded | RefreshFailed | TokenAccepted | TokenRefused


class Action(Enum):
    """What the thread must do."""

    REFRESH = auto()
    # Before that: read the credentials' file again, since what it held was refused.
    REREAD = auto()
    # Tell the server that a refresh has ended, well or not.
    NOTIFY = auto()
    LOG_RECOVERED = auto()
    LOG_FAILING = auto()
    LOG_REFUSED = auto()


@dataclass(frozen=True)
class Trouble:
    """Refreshes that have failed in a row.

    Attributes:
        last: The latest failure.
        since: When the first one failed, or when Google later refused the current token.
        count: The number of failures.

    """

    last: RefreshFailed
    since: float
    count: int = 1


@dataclass(frozen=True)
class Lifecycle:
    """The state of the access token. All moments are on one monotonic clock.

    Attributes:
        awaited_since: When the first token was requested.
        due: When the next refresh is due; infinite if none is.
        expires: When the current token expires; infinite for never, minus infinity without one.
        refresh_every: Seconds after which a token is refreshed in any case; 0 for no limit.
        is_fixed: Whether the credentials need no token, as an API key does not.
        version: The number of the current token.
        is_refused: Whether Google has refused the current token.
        is_refreshing: Whether a refresh is under way.
        attempts: How many refreshes have ended, well or not.
        accepted: The latest version that Google has accepted.
        unaccepted: How many versions in a row were refused without ever having been accepted.
        trouble: The refreshes that have failed since the last success.

    """

    awaited_since: float
    due: float
    expires: float
    refresh_every: float = 0.0
    is_fixed: bool = False
    version: int = 0
    is_refused: bool = False
    is_refreshing: bool = False
    attempts: int = 0
    accepted: int = -1
    unaccepted: int = 0
    trouble: Trouble | None = None


_Stepped: TypeAlias = tuple[Lifecycle, tuple[Action, ...]]


def begin(now: float, expires: float, refresh_every: float, *, is_fixed: bool) -> Lifecycle:
    """Return the first state; the parameters are attributes of :class:`Lifecycle`."""
    if is_fixed:
        return Lifecycle(now, due=math.inf, expires=math.inf, is_fixed=True)
    return Lifecycle(now, refresh_moment(now, expires, refresh_every), expires, refresh_every)


def step(life: Lifecycle, event: Event, now: float) -> _Stepped:
    """Return the state after an event, and the actions to take, in order."""
    if life.is_fixed:
        return life, ()
    match event:
        case Signal.TIME_PASSED if life.due <= now and not life.is_refreshing:
            first = (Action.REREAD,) if _are_refused(life) else ()
            return replace(life, is_refreshing=True), (*first, Action.REFRESH)
        case RefreshSucceeded():
            return _succeeded(life, event, now)
        case RefreshFailed():
            return _failed(life, event, now)
        case TokenRefused() if event.version == life.version and not life.is_refused:
            return _refused(life, event, now), ()
    return _noted(life, event, now), ()


def until_due(life: Lifecycle, now: float) -> float:
    """Return the seconds until a refresh is due; infinite if only an event can make it due."""
    return math.inf if life.is_refreshing else max(0.0, life.due - now)


def state_at(life: Lifecycle, now: float) -> TokenState:
    """Return whether requests can be sent at a moment."""
    if not life.is_refused and now < life.expires:
        return USABLE
    trouble = life.trouble
    # The token endpoint may be silent for minutes before that counts as a failure.
    since = now if life.is_refused else life.awaited_since
    since = since if trouble is None else trouble.since
    waited = now - (since if life.is_refused else max(since, life.expires))
    if trouble is None:
        return TokenState(False, None, waited)
    return TokenState(False, trouble.last.error, math.inf if trouble.last.is_permanent else waited)


def refresh_moment(fetched: float, expires: float, refresh_every: float) -> float:
    """Return when a token must be refreshed; infinite if never.

    Args:
        fetched: When it was fetched.
        expires: When Google stops accepting it; infinite for never.
        refresh_every: Seconds after which it is refreshed in any case; 0 for no limit.

    """
    ahead = expires - min(_AHEAD, _SHARE_AHEAD * max(0.0, expires - fetched))
    return min(ahead, fetched + refresh_every if refresh_every else math.inf)


def _noted(life: Lifecycle, event: Event, now: float) -> Lifecycle:
    """Return the state after an event that needs no action."""
    match event:
        case Signal.STARTED:
            # An earlier thread that was stopped may still wait for the token endpoint.
            return replace(life, awaited_since=now, is_refreshing=False)
        case Signal.KEY_FILE_CHANGED:
            return replace(life, due=now)
        case Signal.REFRESH_REQUESTED if not _is_hopeless(life, now):
            return replace(life, due=now)
        case Signal.INTERRUPTED:
            return replace(life, due=max(life.due, now + _PAUSE_AFTER_ERROR), is_refreshing=False)
        case TokenAccepted(version):
            return replace(life, accepted=max(life.accepted, version))
    return life


def _succeeded(life: Lifecycle, event: RefreshSucceeded, now: float) -> _Stepped:
    after = replace(
        life,
        due=refresh_moment(now, event.expires, life.refresh_every),
        expires=event.expires,
        version=life.version + 1,
        is_refused=False,
        is_refreshing=False,
        attempts=life.attempts + 1,
        trouble=None,
    )
    return after, (Action.LOG_RECOVERED, Action.NOTIFY) if life.trouble else (Action.NOTIFY,)


def _failed(life: Lifecycle, event: RefreshFailed, now: float) -> _Stepped:
    before = life.trouble
    trouble = Trouble(event, now)
    if before is not None:
        trouble = Trouble(event, before.since, before.count + 1)
    pause = backoff(trouble.count, _MINUTE, event.jitter)
    after = replace(
        life,
        due=now + (_PAUSE_IF_PERMANENT if event.is_permanent else pause),
        expires=life.expires if event.expires is None else event.expires,
        is_refreshing=False,
        attempts=life.attempts + 1,
        trouble=trouble,
    )
    if before is not None and before.last.is_permanent == event.is_permanent:
        return after, (Action.NOTIFY,)
    log = Action.LOG_REFUSED if event.is_permanent else Action.LOG_FAILING
    return after, (log, Action.NOTIFY)


def _refused(life: Lifecycle, event: TokenRefused, now: float) -> Lifecycle:
    """Make a refresh due: at once, or with growing pauses if even new tokens are refused."""
    unaccepted = 0 if event.version == life.accepted else life.unaccepted + 1
    due = life.due if life.trouble else now
    if unaccepted > 1:
        due = now + backoff(unaccepted - 1, _MINUTE, event.jitter)
    # The token was good until now, so no call has waited yet.
    trouble = life.trouble and replace(life.trouble, since=now)
    return replace(life, due=due, is_refused=True, unaccepted=unaccepted, trouble=trouble)


def _are_refused(life: Lifecycle) -> bool:
    """Return whether Google has refused the credentials, or even tokens that it granted them."""
    return life.unaccepted > 1 or (life.trouble is not None and life.trouble.last.is_permanent)


def _is_hopeless(life: Lifecycle, now: float) -> bool:
    """Return whether the credentials were refused so recently that another refresh is no use."""
    return life.trouble is not None and life.trouble.last.is_permanent and now < life.due
