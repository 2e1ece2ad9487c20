"""The emulator as a server: in a thread of its own, or until a signal ends it."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

from .control import Control
from .faults import Seconds, checked_seconds
from .handler import Handler, Share
from .ids import Ids
from .listener import Listener
from .project import LIFETIME, Project
from .quotas import Meter, Quotas
from .store import Store
from .timestamps import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from .account import Account
    from .ledger import Served
    from .switchboard import Faults


class Emulator:
    """A local server with Google's Sheets v4 and Drive v3 APIs and a token endpoint.

    `port=0` takes a free port. With the same `seed` and `clock`, two emulators that get the
    same requests answer the same bytes, tokens aside. What is stored outlives a stop.

    `clock` gives the times in answers, `monotonic` the seconds that quotas, tokens, latency and
    the ledger go by. The other arguments are attributes too, and can be set while it runs, from
    any thread: `quotas`, `latency`, `apply_share`, `token_lifetime`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        seed: int | None = None,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        quotas: Quotas | None = None,
        latency: Seconds = 0.0,
        apply_share: Share = 0.5,
        token_lifetime: float = LIFETIME,
    ) -> None:
        self._project = Project(monotonic, lambda: self.url)
        self._store = Store(Ids(seed), clock, self._project.first.email)
        self._handler = Handler(self._store, self._project, monotonic, seed)
        control = Control(self, self._store, self._handler.ledger, host)
        self._listener = Listener(host, port, self._handler, control)
        self.quotas = quotas or Quotas()
        self.latency = latency
        self.apply_share = apply_share
        self.token_lifetime = token_lifetime

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, `http://HOST:PORT`, once the emulator was started."""
        return self._listener.url

    @property
    def quotas(self) -> Quotas:
        """What accounts and their project may do; to set it starts counting afresh."""
        return self._handler.meter.quotas

    @quotas.setter
    def quotas(self, quotas: Quotas) -> None:
        self._handler.meter = Meter(quotas)

    @property
    def latency(self) -> Seconds:
        """The seconds from arrival to answer of an API request, or (lowest, highest)."""
        return self._handler.latency

    @latency.setter
    def latency(self, seconds: Seconds) -> None:
        self._handler.latency = checked_seconds(seconds)

    @property
    def apply_share(self) -> Share:
        """The share of its latency, 0 to 1, after which a request is applied, or `random`."""
        return self._handler.apply_share

    @apply_share.setter
    def apply_share(self, share: Share) -> None:
        if share != "random" and not 0 <= share <= 1:
            raise ValueError(f"apply_share={share!r} cannot be used: take 0 to 1, or random.")
        self._handler.apply_share = share

    @property
    def token_lifetime(self) -> float:
        """The seconds after which an access token that is granted from now on expires."""
        return self._project.token_lifetime

    @token_lifetime.setter
    def token_lifetime(self, seconds: float) -> None:
        checked_seconds(seconds)
        self._project.token_lifetime = seconds

    @property
    def faults(self) -> Faults:
        """What requests are made to meet: see its `add`, `remove` and `clear`."""
        return self._handler.faults

    @property
    def ledger(self) -> list[Served]:
        """A copy of the list of all API requests so far, in the order of their answers."""
        return self._handler.ledger.api

    @property
    def token_requests(self) -> list[Served]:
        """A copy of the list of all token requests so far, in the order of their answers."""
        return self._handler.ledger.token

    @property
    def refusals(self) -> int:
        """How many requests of the ledger a quota refused; a fault's 429 is none."""
        return sum(served.refused_by != "" for served in self.ledger)

    @property
    def under_way(self) -> int:
        """How many requests have arrived and are not in the ledger yet."""
        return self._handler.ledger.under_way

    def clear_ledger(self) -> None:
        """Forget the API and token requests answered so far."""
        self._handler.ledger.clear()

    def wait_for(
        self, predicate: Callable[[Served], bool], *, count: int = 1, timeout: float = 10.0
    ) -> list[Served]:
        """Return the API requests for which it is true as soon as there are `count` of them.

        Those that are in the ledger already count. Raises TimeoutError after `timeout` real
        seconds.
        """
        return self._handler.ledger.wait_for(predicate, count, timeout)

    def wait_until_under_way(self, count: int = 1, *, timeout: float = 10.0) -> None:
        """Return as soon as `count` requests are under way at once.

        Raises TimeoutError after `timeout` real seconds.
        """
        self._handler.ledger.wait_until_under_way(count, timeout)

    def service_account_info(self) -> dict[str, str]:
        """Return the first service account's JSON for google-auth; its tokens come from here."""
        return self._project.first.service_account_info()

    def write_service_account(self, path: str | Path) -> None:
        """Write the first account's JSON to a file that only its owner may read."""
        self._project.first.write_service_account(path)

    def add_account(self) -> Account:
        """Add a service account to the project: it has a user's quotas of its own."""
        return self._project.add_account()

    def rotate_key(self) -> None:
        """Make a new key for the first account and accept its old one no more.

        Tokens granted so far stay valid.
        """
        self._project.first.rotate_key()

    def revoke_tokens(self) -> None:
        """Make every access token granted so far invalid."""
        self._project.revoke_all()

    def add_private_file(self, file_id: str) -> None:
        """Let a spreadsheet exist that is not shared: Sheets answers 403, Drive 404."""
        self._store.private.add(file_id)

    def start(self) -> None:
        """Begin to listen, in a thread; raise OSError where the port is taken."""
        self._listener.start()

    def stop(self) -> None:
        """Close all connections and end the thread; a second call does nothing.

        A request that waits for its moment is reset, and not applied.
        """
        self._listener.stop()

    def serve_forever(self, on_listening: Callable[[], None] | None = None) -> None:
        """Start, report, and return once SIGTERM or SIGINT came; for the main thread only."""
        ended = threading.Event()
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, lambda *_: ended.set()) for number in signals}
        try:
            with self:
                if on_listening:
                    on_listening()
                ended.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
