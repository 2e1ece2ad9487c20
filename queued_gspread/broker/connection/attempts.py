"""How often a script is sent to a Redis, and what its failures mean. Without I/O.

redis-py's own retries are off: it would retry commands without knowing whether they are idempotent.
This package's scripts are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from queued_gspread._clock import now
from queued_gspread._interrupts import own
from queued_gspread.broker.keys import namespace_of
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings

from .discovery import LOST, REFUSED_FOR_GOOD, NobodyAnswersError, NoMasterError
from .effects import AwaitReply, Core, Joint, Send, Sleep
from .failures import has_most_clients, is_out_of_memory, unavailable
from .pool import MovedAwayError
from .wire import was_sent

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Attempts", "is_passing"]

_LONGEST_FAILOVER: Final = 30.0
_PAUSE: Final = 0.1

_REFUSED_FOR_NOW: Final = (ClusterDownError, ReadOnlyError, AskError, TryAgainError)
# Errors for which redis-py has no class, had none before version 6, or uses none if a script got
# the error: Redis cannot save, has too few replicas, runs a slow script, is or became a replica, or
# lost its master; a Cluster is being repaired, or moves a slot to another node.
_CODES_FOR_NOW: Final = (
    "MISCONF ",
    "NOREPLICAS ",
    "BUSY ",
    "READONLY ",
    "UNBLOCKED ",
    "MASTERDOWN ",
    "CLUSTERDOWN ",
    "ASK ",
    "TRYAGAIN ",
    "non local key",
)


class Attempts:
    """Decides how often a script is sent to one Redis.

    Args:
        url: Its URL, for errors.
        can_fail_over: Whether another Redis may become the master.

    """

    def __init__(self, url: str, *, can_fail_over: bool) -> None:
        self.url = url
        self._can_fail_over = can_fail_over

    def run(
        self,
        name: str,
        keys: Sequence[str],
        args: Sequence[Any],
        *,
        until: float = math.inf,
        patience: float = 0.0,
        ahead: Send | AwaitReply | None = None,
        lost: list[BrokerUnavailableError] | None = None,
        joint: Joint | None = None,
    ) -> Core[Any]:
        """Run a script; retry it once if the connection was lost.

        Args:
            name: The script's name.
            keys: Its keys.
            args: Its arguments.
            until: The moment after which it is not retried.
            patience: Seconds for which to retry while another Redis becomes the master, if there
                are several.
            ahead: The effect that comes next if the script succeeds.
            lost: Collects the failures of tries that may have run all the same.
            joint: What the call has in common with others, if a shell may send them as one.

        Returns:
            The script's result.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses; the cause is redis-py's
                error.

        """
        deadline = now() + min(patience, _LONGEST_FAILOVER)
        lost = [] if lost is None else lost
        call = [len(keys), *keys, *args]
        while True:
            try:
                return (yield from self._twice(name, call, until, ahead, lost, joint))
            except own(BrokerUnavailableError) as error:
                if not self._may_fail_over(error) or now() > deadline or until <= now():
                    error.may_have_run = bool(lost)
                    raise
            yield Sleep(_PAUSE)

    def _twice(
        self,
        name: str,
        call: list[Any],
        until: float,
        ahead: Send | AwaitReply | None,
        lost: list[BrokerUnavailableError],
        joint: Joint | None,
    ) -> Core[Any]:
        try:
            return (yield from _loaded(name, call, ahead, joint))
        except own(RedisError) as error:
            failure = self._failure(error, call, lost)
            if not isinstance(error, LOST) or _is_refused(error) or until <= now():
                raise failure from error
        try:
            return (yield from _loaded(name, call, ahead, joint))
        except own(RedisError) as error:
            raise self._failure(error, call, lost) from error

    def _failure(
        self, error: RedisError, call: list[Any], lost: list[BrokerUnavailableError]
    ) -> BrokerUnavailableError:
        # Namespaces share a connection, so only the first key names the namespace.
        settings = Settings(redis_url=self.url, namespace=namespace_of(call[1]))
        failure = unavailable(settings, error)
        if _may_have_run(error):
            lost.append(failure)
        return failure

    def _may_fail_over(self, error: BrokerUnavailableError) -> bool:
        is_away = isinstance(error.__cause__, NobodyAnswersError)
        return self._can_fail_over and is_passing(error) and not is_away


def _loaded(
    name: str, call: list[Any], ahead: Send | AwaitReply | None, joint: Joint | None
) -> Core[Any]:
    """Run a script by its hash; send its text if Redis does not have it."""
    script = SCRIPTS[name]
    try:
        return (yield Send(["EVALSHA", script.sha, *call], ahead, joint))
    except own(NoScriptError):
        pass  # sent below, outside the handling: errors there would hold this one in a cycle
    return (yield Send(["EVAL", script.text, *call], ahead, joint))


def is_passing(error: BaseException | None) -> bool:
    """Return whether Redis may accept the same command later."""
    if isinstance(error, BrokerUnavailableError):
        error = error.__cause__
    if isinstance(error, REFUSED_FOR_GOOD):
        return False
    if isinstance(error, LOST + _REFUSED_FOR_NOW) or is_out_of_memory(error):
        return True
    return isinstance(error, ResponseError) and any(code in str(error) for code in _CODES_FOR_NOW)


def _failed_to_connect(error: RedisError) -> bool:
    """Return whether a command was not even sent: in redis-py only the error's text says so."""
    return isinstance(error, (*REFUSED_FOR_GOOD, NoMasterError)) or "connecting to" in str(error)


def _may_have_run(error: RedisError) -> bool:
    """Return whether Redis may have run the command although it did not answer."""
    is_lost = isinstance(error, LOST) and not isinstance(error, MovedAwayError)
    return is_lost and was_sent(error) and not _is_refused(error)


def _is_refused(error: RedisError) -> bool:
    """Return whether Redis has certainly not run the command."""
    is_turned_away = isinstance(error, BusyLoadingError) or has_most_clients(error)
    return is_turned_away or _failed_to_connect(error)
