"""The servers' side of what is published: :mod:`.published` has its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread._clock import now
from queued_gspread.broker.connection.client import as_text
from queued_gspread.broker.connection.deadline import until

from .fencing import FencedScripts
from .permits import KINDS
from .published import card_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .published import Card, Publication

__all__ = ["Publishing"]


class Publishing(FencedScripts):
    """Publishes what only a server knows."""

    def publish(self, server_id: str, publication: Publication, seconds: float) -> Card | None:
        """Publish within some seconds; return the working server's card, if it is another one.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        keys = self._keys
        places = [keys.published, keys.depth, *(keys.slots(kind) for kind in KINDS)]
        args = publication.args(server_id, KINDS)
        with until(now() + seconds):
            found = card_in(self._run("publish", places, args))
        return None if found is None else found[1]

    def heads(self, lanes: Sequence[str], drawn: int, seconds: float) -> dict[str, float]:
        """Return the age of the first call of some lanes, and of others, drawn at random.

        Nothing, if another server works by now.

        Args:
            lanes: These lanes.
            drawn: How many others.
            seconds: For how long Redis may be waited for.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        keys = self._keys
        places = [keys.active, keys.progress, keys.lane("")]
        with until(now() + seconds):
            found: Any = self._run("heads", places, [drawn, *lanes])
        pairs = zip(found[::2], found[1::2], strict=True)
        return {as_text(lane): int(age) / 1000 for lane, age in pairs}
