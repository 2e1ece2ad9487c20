"""The servers' side of signed jobs: who still waits for them, and which of them were answered."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError

from queued_gspread.broker.connection.failures import unavailable

from .answered import AnsweredIds, Vouched
from .fencing import FencedScripts

__all__ = ["Vouching"]


class Vouching(FencedScripts):
    """What a server has to know of signed jobs, and vouches for."""

    def renewal(self, job_id: str) -> bytes | None:
        """Return the renewal that a signed job's caller has sent since, if any.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        try:
            message: Any = self._connection.redis.get(self._keys.renewal(job_id))
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        return message if isinstance(message, bytes) else None

    def answered(self) -> AnsweredIds:
        """Return the signed jobs that nobody waited for and that were answered, as Redis has them.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        # Not a transaction, which a Redis that is out of memory refuses.
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.hget(self._keys.server, "answered")
        pipeline.zrange(self._keys.answered, 0, -1, withscores=True)
        pipeline.time()
        try:
            return AnsweredIds.of(*pipeline.execute(raise_on_error=False))
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def vouch(self, vouched: Vouched) -> None:
        """Replace what Redis has of them."""
        self._fenced("vouch", [self._keys.answered], [vouched.encode()])
