"""What a Redis may lose of a queue by its settings: checked when a server starts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError, ResponseError

from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.errors import ConfigurationError

from .persistence import warning_of_persistence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from queued_gspread.broker.connection.client import Connection
    from queued_gspread.broker.connection.master import Master
    from queued_gspread.settings import Settings

__all__ = ["config_of", "warning_of", "warning_of_eviction"]

_OPEN: Final = (
    "this Redis has replicas ({}) and takes writes without them (min-replicas-to-write is 0): "
    "while it does not know of a failover, or is cut off, it takes calls that the next master "
    "never hears of, and their callers get JobLostError. Set `min-replicas-to-write 1` and "
    "`min-replicas-max-lag 10`, which end that after 10 seconds"
)
_PARTIAL: Final = (
    "the user of the Sentinels may not ask them for each other and for replicas, so the hosts in "
    "the URL count as all of them, and one replica as enough: grant it `+sentinel|sentinels "
    "+sentinel|replicas`"
)
_SETTING: Final = (
    "set it to noeviction: `redis-cli config set maxmemory-policy noeviction`, or, where a service "
    "refuses that, the parameter maxmemory-policy of the cluster's parameter group (AWS "
    "ElastiCache), maxmemory-policy under Advanced settings (Azure Cache for Redis; Azure Managed "
    "Redis calls it eviction policy), the configuration maxmemory-policy of the instance (Google "
    "Memorystore)"
)
_VOLATILE: Final = (
    "Redis at {} has maxmemory-policy {!r}: once its memory is full, it drops what has an expiry. "
    "Calls that wait have none and are kept. But an answer that its caller has not read may go "
    "(JobLostError, and the call was made), and so may a request to stop and the word of a signed "
    "call's caller that it still waits. If you can, "
)
# Seconds in which a majority must name the master.
_ASKING: Final = 1.0


def warning_of(connection: Connection, settings: Settings) -> str | None:
    """Return what a Redis may lose by its settings; None if nothing was found.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or refuses.
        ConfigurationError: The Redis evicts waiting calls when its memory is full.

    """
    try:
        warnings = [
            *_of_memory(connection.redis, settings),
            *_of_discovery(connection.master),
            *_of_replicas(connection.redis),
        ]
    except RedisError as error:
        raise unavailable(settings, error) from error
    return "; ".join(filter(None, warnings)) or None


def _of_memory(redis: Redis, settings: Settings) -> Iterator[str | None]:
    """Refuse a Redis that drops calls when it is full; warn of one that forgets at a restart."""
    try:
        config = config_of(redis)
    except ResponseError:
        yield "could not ask Redis for its maxmemory-policy: make sure that it is noeviction"
        return
    yield warning_of_eviction(config.get("maxmemory-policy", "noeviction"), settings)
    yield warning_of_persistence(config)


def warning_of_eviction(policy: str, settings: Settings) -> str | None:
    """Return what may be dropped under a policy for a Redis whose memory is full, if anything.

    Raises:
        ConfigurationError: Calls that wait may be.

    """
    if policy == "noeviction":
        return None
    if policy.startswith("volatile-"):
        return _VOLATILE.format(settings.shown_url, policy) + _SETTING
    raise ConfigurationError(
        f"Redis at {settings.shown_url} has maxmemory-policy {policy!r}, under which it "
        f"may drop waiting calls: {_SETTING}"
    )


def config_of(redis: Redis) -> dict[Any, Any]:
    """Return the settings that matter, as far as the user may see them.

    Raises:
        ResponseError: The user may see none of them.

    """
    config: dict[Any, Any] = {}
    try:
        for name in ("maxmemory-policy", "save", "appendonly"):
            config |= redis.config_get(name)
    except ResponseError:
        # CONFIG GET reveals passwords, so not every server is permitted to use it.
        return {"maxmemory-policy": redis.info("memory")["maxmemory_policy"]}
    return config


def _of_discovery(master: Master) -> Iterator[str]:
    if master.is_guided:
        with suppress(RedisError):  # the first beat will raise it
            master.named(_ASKING)
        if master.is_partial:
            yield _PARTIAL


def _of_replicas(redis: Redis) -> Iterator[str]:
    try:
        info = redis.info("replication")
    except ResponseError:
        return  # INFO is not permitted
    # INFO has this field if both settings are on, and needs no permission for CONFIG.
    if info.get("connected_slaves") and "min_slaves_good_slaves" not in info:
        yield _OPEN.format(info["connected_slaves"])
