"""Checks Redis: whether it answers, what it may lose, and whether a server works there."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from redis.exceptions import RedisError, ResponseError

from queued_gspread._version import __version__
from queued_gspread.broker import Producer
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.persistence import lost_at_a_restart
from queued_gspread.broker.published import published_of
from queued_gspread.broker.redis_check import config_of, warning_of_eviction
from queued_gspread.embedded import find_binary
from queued_gspread.errors import ConfigurationError, QueuedGspreadError

from .findings import Finding, failed, ok, skipped, warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

    from queued_gspread.broker import AccountAtWork
    from queued_gspread.broker.waiting.signs_of_life import Seen
    from queued_gspread.settings import Settings

__all__ = ["Queue"]

_OLDEST: Final = (6, 2)
# In a server's description.
_ACCOUNT: Final = re.compile(
    r" \(as (.+?)(?: and \d+ that lends?)?(?: at http\S+)?, queued_gspread "
)
_MAY_NOT: Final = "its user may not ask for it"


class Queue:
    """A queue as far as it can be seen without its server.

    Attributes:
        server: The description of the server that works; '' for none.
        owner: The account that the namespace belongs to; '' for none yet, or if it is not known.
        quota: What that server assumes of the quota; '' if it does not say.
        accounts: Its accounts, as it has published them; empty if there is one, or if this user may
            not read what servers publish.

    """

    def __init__(self, settings: Settings, *, is_default: bool) -> None:
        self._settings = settings
        self._is_default = is_default
        self.server = ""
        self.owner = ""
        self.quota = ""
        self.accounts: Sequence[AccountAtWork] = ()

    def findings(self) -> Iterator[Finding]:
        """Yield what is found."""
        redis: Any = None
        try:
            redis = connect(self._settings.redis_url, self._settings.namespace).redis
            redis.time()  # whatever else its user may not do
            found = [self._version(redis), *self._settings_of(redis)]
            self._look(redis)
        except ConfigurationError as error:
            yield failed("redis", self._settings.shown_url, str(error))
        except RedisError as error:
            yield self._away(error)
        else:
            yield from found
            yield self._server()
            return
        for name in ("eviction", "persistence", "server"):
            yield skipped(name, "no Redis to ask")

    def _look(self, redis: Redis) -> None:
        """Look at what is written about the namespace, as far as the user may."""
        keys, found = Keys(self._settings.namespace), cast("Any", redis)
        with suppress(ResponseError):
            epoch, quota = map(_text, found.hmget(keys.server, "epoch", "quota"))
            # An earlier version's server does not renew what its predecessor has written.
            of, _, quota = quota.partition(" ")
            self.quota = quota if of == epoch else ""
        with suppress(ResponseError):
            self.owner = _text(found.get(keys.account))
        with suppress(ResponseError):
            names = [b"work", b"resources"]
            parts = zip(names, found.hmget(keys.published, names), strict=True)
            has = {name: part for name, part in parts if part is not None}
            self.accounts = published_of(has, 0.0).work.accounts

    def _away(self, error: RedisError) -> Finding:
        if self._is_default and _can_be_started():
            return skipped(
                "redis",
                f"none is configured and none answers at {self._settings.shown_url}: "
                "queued-gspread-server starts one by itself",
            )
        told, _, remedy = str(unavailable(self._settings, error)).partition("): ")
        return failed("redis", f"{told})", remedy or told)

    def _version(self, redis: Redis) -> Finding:
        url = self._settings.shown_url
        try:
            info: dict[str, Any] = redis.info("server")
        except ResponseError:
            return ok("redis", f"{url} answers; its version: {_MAY_NOT}")
        found = str(info.get("redis_version", ""))
        valkey = info.get("valkey_version")
        name = f"Valkey {valkey}" if valkey else f"Redis {found}"
        numbers = tuple(int(number) for number in re.findall(r"\d+", found)[:2])
        if numbers < _OLDEST:
            return failed("redis", f"{url}: {name}", "install Redis 6.2 or later, or Valkey")
        return ok("redis", f"{url}: {name}")

    def _settings_of(self, redis: Redis) -> Iterator[Finding]:
        try:
            config = config_of(redis)
        except ResponseError:
            yield skipped("eviction", f"{_MAY_NOT}: maxmemory-policy should be noeviction")
            yield skipped("persistence", f"{_MAY_NOT}: appendonly should be yes")
            return
        yield self._eviction(str(config.get("maxmemory-policy", "noeviction")))
        lost = lost_at_a_restart(config)
        if lost:
            yield warned("persistence", "no append-only file", lost)
        elif "appendonly" in config:
            yield ok("persistence", "appendonly yes")
        else:
            yield skipped("persistence", _MAY_NOT)

    def _eviction(self, policy: str) -> Finding:
        try:
            warning = warning_of_eviction(policy, self._settings)
        except ConfigurationError as error:
            return failed("eviction", policy, str(error))
        return warned("eviction", policy, warning) if warning else ok("eviction", policy)

    def _server(self) -> Finding:
        try:
            seen = Producer(self._settings).see()
        except QueuedGspreadError as error:
            return failed("server", "its signs of life cannot be read", str(error))
        server = seen.server
        if server is not None and server.age <= self._settings.grace:
            self.server = server.about
            named = _ACCOUNT.search(server.about)
            self.owner = self.owner or (named[1] if named else "")
            return ok("server", f"{server.about} works here")
        return self._none(seen)

    def _none(self, seen: Seen) -> Finding:
        for other in seen.others:
            return failed(
                "server",
                f"{other.about} works here, for queue format {other.number}",
                f"calls of this queued_gspread {__version__} need a server of the same format: "
                "upgrade that server (docs/upgrading.md)",
            )
        return skipped(
            "server", f"none works in {self._settings.place}: its options are checked instead"
        )


def _can_be_started() -> bool:
    try:
        find_binary()
    except ConfigurationError:
        return False
    return True


def _text(value: bytes | str | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
