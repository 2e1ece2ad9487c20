"""The servers' side of what is published: :mod:`.published` has its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread._clock import now
from queued_gspread.broker.connection.deadline import until

from .fencing import FencedScripts
from .permits import KINDS
from .published import card_in

if TYPE_CHECKING:
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
