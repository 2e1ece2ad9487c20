"""The emulator as a server: in its own thread, or until a signal ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import gspread
from gspread.auth import DEFAULT_SCOPES

from queued_gspread._fork import by_owner
from queued_gspread.emulator.accounts.changes import Changes
from queued_gspread.emulator.accounts.project import LIFETIME, Project
from queued_gspread.emulator.book.ids import Ids
from queued_gspread.emulator.book.not_computed import ON_GAP
from queued_gspread.emulator.book.store import Store
from queued_gspread.emulator.book.timestamps import utc_now
from queued_gspread.emulator.faults import Seconds, checked_seconds, checked_span
from queued_gspread.emulator.http.handler import ApplyShare, Handler
from queued_gspread.emulator.http.listener import Listener
from queued_gspread.emulator.limits.quotas import Meter, Quotas
from queued_gspread.emulator.storage.keeper import Keeper

from .client import Clients
from .control import Control, EmulatorGuard
from .people import People
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from queued_gspread.emulator.accounts.account import Account
    from queued_gspread.emulator.book.not_computed import OnGap
    from queued_gspread.emulator.http.fault_rules import Faults
    from queued_gspread.emulator.http.ledger import Served


class Emulator(World, People):
    """A local server with Google's Sheets v4 and Drive v3 APIs and a token endpoint.

    `port=0` takes a free port. With the same `seed` and `clock`, two emulators that get the
    same requests answer the same bytes, apart from tokens. Spreadsheets outlive a stop. With
    `state`, the path of a file, they outlive the process too: the emulator begins with the file's
    content and keeps saving there. Raises StateError if the file cannot be used.

    Requests from foreign web pages are refused. So are requests that name another host than an
    address of this machine, localhost, `host` or one of `allowed_hosts`, where `*` is any name.

    `clock` gives the times in answers; quotas, tokens, latency and the ledger use the seconds of
    `monotonic`. The other arguments are also attributes, which can be set while it runs, from any
    thread: `quotas`, `latency`, `apply_share`, `append_race`, `token_lifetime`, `storage`,
    `disabled_apis`, `clock_ahead`, `not_computed`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        seed: int | None = None,
        state: str | Path | None = None,
        allowed_hosts: Iterable[str] = (),
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        quotas: Quotas | None = None,
        latency: Seconds = 0.0,
        apply_share: ApplyShare = 0.5,
        append_race: float = 0.0,
        token_lifetime: float = LIFETIME,
        storage: bool = True,
        disabled_apis: Iterable[str] = (),
        clock_ahead: float = 0.0,
        not_computed: OnGap = "warn",
    ) -> None:
        self._seed = seed
        self._changes = Changes()
        self._project = Project(monotonic, lambda: self.url, self._changes)
        self._store = Store(Ids(seed), clock, self._project.first.email)
        self._keeper = (
            None if state is None else Keeper(state, self._store, self._project, self._changes)
        )
        self._handler = Handler(self._store, self._project, self._changes, monotonic, seed)
        guard = EmulatorGuard(host, allowed_hosts)
        control = Control(self, self._store, self._handler.ledger, guard)
        self._listener = Listener(host, port, self._handler, control.add_to)
        self._clients = Clients()
        self._turn = threading.Lock()
        self._given: dict[str, Any] = {
            "quotas": Quotas() if quotas is None else quotas,
            "latency": latency,
            "apply_share": apply_share,
            "append_race": append_race,
            "token_lifetime": token_lifetime,
            "storage": storage,
            "disabled_apis": disabled_apis,
            "clock_ahead": clock_ahead,
            "not_computed": not_computed,
        }
        self._set_as_given()

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
        """The base URL, ``http://HOST:PORT``, once the emulator was started.

        If it listens on all addresses of its machine, this is the URL for that machine.
        """
        return self._listener.url

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._listener.is_running

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach it."""
        return self._listener.exposed

    @property
    def quotas(self) -> Quotas:
        """How many requests accounts and their project may make; setting it restarts counting."""
        return self._handler.meter.quotas

    @quotas.setter
    def quotas(self, quotas: Quotas) -> None:
        if not isinstance(quotas, Quotas):
            raise TypeError(f"quotas={quotas!r} cannot be used: take Quotas(writes=60), say.")
        self._handler.meter = Meter(quotas)

    @property
    def latency(self) -> Seconds:
        """The seconds from arrival to answer of an API request, or (lowest, highest)."""
        return self._handler.latency

    @latency.setter
    def latency(self, seconds: Seconds) -> None:
        self._handler.latency = checked_span("latency", seconds)

    @property
    def apply_share(self) -> ApplyShare:
        """The share of its latency, 0 to 1, after which a request is applied, or `random`."""
        return self._handler.apply_share

    @apply_share.setter
    def apply_share(self, share: ApplyShare) -> None:
        if not _is_share(share):
            raise ValueError(f"apply_share={share!r} cannot be used: take 0 to 1, or random.")
        self._handler.apply_share = share

    @property
    def append_race(self) -> float:
        """The seconds between an append's search for its place and its write.

        Appends to one sheet that overlap in this time find the same place and overwrite each
        other, as the real API's do; each is answered with success. With 0 they take turns.
        """
        return self._handler.append_race

    @append_race.setter
    def append_race(self, seconds: float) -> None:
        self._handler.append_race = checked_seconds("append_race", seconds)

    @property
    def not_computed(self) -> OnGap:
        """What happens when a formula is read that Google can compute and the emulator cannot.

        `warn`: the cell and all that depend on it are `#NAME?`, and a warning is logged. `error`:
        the request is answered with 501.
        """
        return self._store.gaps.mode

    @not_computed.setter
    def not_computed(self, mode: OnGap) -> None:
        if mode not in ON_GAP:
            raise ValueError(f"not_computed={mode!r} cannot be used: take {' or '.join(ON_GAP)}.")
        self._store.gaps.mode = mode

    @property
    def faults(self) -> Faults:
        """The faults that requests meet; it has `add`, `remove` and `clear`."""
        return self._handler.faults

    @property
    def ledger(self) -> list[Served]:
        """The API requests so far, the last 100,000 of all, in the order of their answers."""
        return self._handler.ledger.api

    @property
    def token_requests(self) -> list[Served]:
        """The token requests so far, likewise."""
        return self._handler.ledger.token

    @property
    def refusals(self) -> int:
        """How many requests a quota refused since the ledger was cleared, without faults' 429s."""
        return self._handler.ledger.tally.refused

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
        """Return the API requests that match as soon as there are `count` of them.

        Requests that are in the ledger already count. Raises TimeoutError after `timeout` real
        seconds.
        """
        return self._handler.ledger.wait_for(predicate, count, timeout)

    def wait_until_under_way(self, count: int = 1, *, timeout: float = 10.0) -> None:
        """Return as soon as `count` requests are unanswered at the same time.

        Raises TimeoutError after `timeout` real seconds.
        """
        self._handler.ledger.wait_until_under_way(count, timeout)

    def gspread_client(
        self,
        account: Account | None = None,
        *,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        http_client: type[gspread.HTTPClient] = gspread.HTTPClient,
    ) -> gspread.Client:
        """Return a plain gspread client of an account, the first if none is given, logged in.

        Its requests to Google's hosts come here; none leaves for another host of Google's. Its
        connections are closed when the emulator is stopped or reset. Raises RuntimeError before
        the emulator was started, since it has no URL then.
        """
        return self._clients.make(account or self._project.first, self.url, scopes, http_client)

    def start(self) -> None:
        """Start listening, in a thread; raise OSError if the port is taken.

        Raises StateError if another emulator uses the state file, or has used it meanwhile.
        """
        with self._alone(), self._keeper.held() if self._keeper else contextlib.nullcontext():
            self._listener.start()
        self._owner = os.getpid()

    @by_owner
    def stop(self) -> None:
        """Close all connections and end the thread; a second call does nothing.

        A request that waits for its moment is reset and not applied. A forked child stops nothing.
        Raises UnsavedError if the state cannot be saved; the next call tries again.
        """
        with self._alone():
            self._clients.close()
            self._listener.stop()
            if self._keeper:
                self._keeper.stop()

    @by_owner
    def reset(self) -> None:
        """Make it like new: no files, tokens or faults, nothing counted, an empty ledger.

        Settings return to the constructor's arguments. The accounts stay, with their present keys,
        and so does the port.

        All connections are closed. An unanswered request is reset: it is not in the new ledger and,
        if it waits for its moment, is not applied. Requests that arrive after the return find
        nothing of what was before. Raises RuntimeError in the emulator's own thread, as in the
        `match` of a fault.
        """
        with self._alone():
            self._clients.close()
            self._listener.renew(self._forget)

    def serve_forever(self, on_listening: Callable[[], None] | None = None) -> None:
        """Start, report, and return on SIGTERM or SIGINT; for the main thread only."""
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

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Prevent other threads from starting, stopping or resetting it meanwhile."""
        self._listener.check_outside()
        with self._turn:
            yield

    def _forget(self) -> None:
        with self._changes.making():
            self._store.clear(Ids(self._seed))
        self._handler.renew()
        self._project.revoke_all()
        self._set_as_given()

    def _set_as_given(self) -> None:
        for name, value in self._given.items():
            setattr(self, name, value)


def _is_share(value: object) -> bool:
    return value == "random" or (isinstance(value, (int, float)) and 0 <= value <= 1)
