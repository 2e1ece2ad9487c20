"""The server: takes jobs from the queue and makes their calls on a real gspread client."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import gspread

from queued_gspread._fork import by_owner
from queued_gspread._version import __version__
from queued_gspread.broker import Consumer
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError
from queued_gspread.server.calls.memory import DEFAULT_MAX_MEMORY, Memory
from queued_gspread.server.calls.promises import DEFAULT_MAX_KEY_BYTES, DEFAULT_MAX_KEYS, Bounds
from queued_gspread.server.google.account import way_to_google
from queued_gspread.server.google.lenders import lenders_of
from queued_gspread.server.google.sources import Named
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.policy.gspread_methods import TESTED_VERSIONS
from queued_gspread.server.policy.retry import RetryPolicy
from queued_gspread.server.sending.read_cache import DEFAULT_CACHE_BYTES
from queued_gspread.server.sending.remembering import Remembering
from queued_gspread.settings import DEFAULT_LEASE, Settings

from .arguments import count, seconds
from .assembly import Parts
from .failure import Failure
from .log import LOGGER
from .pulse import STARTS, Pulse
from .run import Run, Terms, warn_of_redis
from .timing import Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from google.auth.credentials import Credentials
    from typing_extensions import Self

    from queued_gspread.protocol.identity import Identity
    from queued_gspread.server.lanes.scheduler import Scheduler

__all__ = ["Server"]

_UNTESTED: Final = (
    "gspread %s is none of the versions that calls are merged with (%s): every call is sent alone. "
    "Install one of them, or start the server with --no-merge"
)


class Server:
    """Makes the calls of one namespace, for as long as it runs.

    Its keyword arguments are ``queued-gspread-server``'s options. Several servers may live in one
    process; of those on one namespace, one works and the others stand by.

    Args:
        client: The gspread client to make the calls with. Every request goes through its own
            ``http_client.request``. None makes one from the credentials below.
        redis_url: The Redis that holds the queue; by default the one that clients use.
        namespace: The queue within that Redis; by default the one that clients use.
        credentials: A credentials file of any kind, its content, or credentials of google-auth.
        service_account: A service account's key file; by default gspread's own default path. Of
            several, the first is the namespace's account, and the others lend it their quota.
        oauth: Use the authorised-user file that ``gspread.oauth()`` writes, or one of that name.
        adc: Use Application Default Credentials.
        api_key: Use an API key.
        subject: The user as whom a service account acts (domain-wide delegation).
        impersonate: The service account that the credentials impersonate.
        scopes: The scopes to ask for, as names or URLs; by default gspread's own.
        api_endpoint: Send requests for Google's hosts to this URL instead.
        request_timeout: Seconds for which Google may be silent during a request, unless the client
            has set its own time-out. Google's own limit is 180.
        reads_per_minute: How many reads the account may make in a window; 0 for no limit.
        writes_per_minute: How many writes it may make in a window; 0 for no limit.
        project_reads_per_minute: This namespace's share of the project's reads; 0 for no limit.
        project_writes_per_minute: Its share of the project's writes; 0 for no limit.
        quota_window: Seconds of a window, if it is not Google's minute: for an emulator.
        interval: The least number of seconds between two requests as one account.
        retry_for: Seconds for which a failed request is retried.
        late_write_guard: Seconds for which a spreadsheet is left alone after a write without a
            response, which may still land.
        refresh_every: Seconds after which the access token is refreshed in any case; 0 only
            refreshes it before it expires.
        no_fair: Let one spreadsheet take all requests of a window, first come, first served, even
            if others are in use.
        no_merge: Send a separate request for every call; by default, calls that fit together
            share one.
        linger: Seconds to wait, after a merged request, for more calls to merge; 0 for no wait.
        durability: ``replicated`` if every replica of Redis that is up must have the journal
            before a non-idempotent request is sent, else ``local``.
        shutdown_timeout: Seconds to wait for requests in the air when the server stops.
        lease: Seconds after which a silent server counts as gone.
        max_queue: How many calls may wait in the namespace; 0 for no limit.
        max_keys: How many calls are kept under idempotency keys; 0 for no limit.
        max_key_bytes: How many bytes they may take in Redis; 0 for no limit.
        max_message_bytes: The largest size of a job or a reply; by default 64 MiB.
        max_memory_bytes: How much memory calls may take at a time, by an estimate from their jobs;
            calls that would exceed it wait. 0 for no limit.
        cache_bytes: How much memory answers may take that are remembered for calls with a
            ``max_age``; 0 to remember none.
        signing_key_file: The keys that sign jobs and replies; see
            :mod:`queued_gspread.protocol.signing`.
        replace_account: The account that owns the namespace now, as the error of a server with
            another account names it, if this server's account is to take it over.
        timing: Waits that no option sets: for tests, which cannot wait as long.

    Attributes:
        counters: How many requests were sent for how many calls, by kind.

    Raises:
        ConfigurationError: An argument, or a file that it names, cannot be used.

    """

    def __init__(
        self,
        client: gspread.Client | None = None,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        credentials: str | Path | Mapping[str, Any] | Credentials | None = None,
        service_account: str | Path | Sequence[str | Path] | None = None,
        oauth: bool | str | Path = False,
        adc: bool = False,
        api_key: str | None = None,
        subject: str | None = None,
        impersonate: str | None = None,
        scopes: str | Iterable[str] | None = None,
        api_endpoint: str | None = None,
        request_timeout: float = 180.0,
        reads_per_minute: int = 60,
        writes_per_minute: int = 60,
        project_reads_per_minute: int = 300,
        project_writes_per_minute: int = 300,
        quota_window: float = 60.0,
        interval: float = 0.0,
        retry_for: float = 600.0,
        late_write_guard: float = 0.0,
        refresh_every: float = 0.0,
        no_fair: bool = False,
        no_merge: bool = False,
        linger: float = 0.005,
        durability: str = "local",
        shutdown_timeout: float = 10.0,
        lease: float = DEFAULT_LEASE,
        max_queue: int = 100_000,
        max_keys: int = DEFAULT_MAX_KEYS,
        max_key_bytes: int = DEFAULT_MAX_KEY_BYTES,
        max_message_bytes: int | None = None,
        max_memory_bytes: int = DEFAULT_MAX_MEMORY,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        signing_key_file: str | Path | None = None,
        replace_account: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        settings = Settings.resolve(
            redis_url=redis_url,
            namespace=namespace,
            max_message_bytes=max_message_bytes,
            signing_key_file=signing_key_file,
        )
        named = Named(
            *(credentials, service_account, oauth, adc, api_key, subject, impersonate, scopes)
        )
        way = (
            api_endpoint,
            seconds(request_timeout=request_timeout),
            seconds(refresh_every=refresh_every, zero=True),
            timing,
        )
        client, http, tokens = way_to_google(client, named, *way)
        of_project, lenders = lenders_of(named, http, *way)
        limits = (reads_per_minute, writes_per_minute)
        project = (project_reads_per_minute, project_writes_per_minute)
        self._parts = Parts(
            settings,
            client,
            http,
            tokens,
            scopes=tuple(named.scopes or ()) or None,
            replaces=replace_account or "",
            quota=Quota(*limits, *project, quota_window, interval, is_fair=not no_fair),
            retry_policy=RetryPolicy(retry_for, quota_window, late_write_guard, durability),
            memory=Memory(count(max_memory_bytes=max_memory_bytes)),
            merges=not no_merge and gspread.__version__ in TESTED_VERSIONS,
            linger=seconds(linger=linger, zero=True),
            timing=timing,
            key_bounds=Bounds(count(max_keys=max_keys), count(max_key_bytes=max_key_bytes)),
            remembering=Remembering(
                count(cache_bytes=cache_bytes), late_write_guard, request_timeout
            ),
            lenders=lenders,
            project=of_project,
        )
        self._is_untested = not (no_merge or self._parts.merges)
        self._terms = Terms(
            seconds(lease=lease),
            count(max_queue=max_queue),
            seconds(shutdown_timeout=shutdown_timeout, zero=True),
        )
        self.counters = self._parts.counters
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._left: list[Scheduler] = []
        self._current: Run | None = None
        self._failure = Failure()
        self._queue = self._new_queue()

    @property
    def account(self) -> Identity:
        """Whose credentials the server has."""
        return self._parts.account.identity

    def run(self) -> None:
        """Work until :meth:`stop` is called, or the server is told to stop through the queue.

        Raises:
            BrokerUnavailableError: Redis could not be reached at the start.
            ConfigurationError: This Redis may evict waiting jobs, or the namespace belongs to
                another account.
            QueuedGspreadError: A thread of the server has failed.

        """
        self._work(self._new_run())
        self._failure.check()

    def start(self) -> Self:
        """Start a thread; return once this server works, or stands by for another.

        It runs until it is stopped, or the main thread ends, which may :meth:`wait` for it.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            ConfigurationError: This Redis may evict waiting jobs, the namespace belongs to
                another account, or the server is running already.
            QueuedGspreadError: A thread of the server has failed.

        """
        if self.is_running:
            raise ConfigurationError("this server is running already: call stop() first")
        run = self._new_run()
        self._stopping.clear()
        work = self._failure.watched(self._work)
        thread = threading.Thread(target=work, args=(run,), name="queued-gspread")
        thread.start()
        self._thread = thread
        run.lease.decided.wait()
        error = run.lease.error
        if error is not None or self._failure.error is not None:
            self.stop()
            self._failure.check()
        if error is not None:
            raise error
        return self

    @by_owner
    def stop(self) -> None:
        """Stop; return when all threads of this server have ended.

        Requests in the air get the shutdown timeout to be answered. Calls that need another
        request, and calls that wait, stay in the queue for the next server. In a forked child,
        this does nothing.
        """
        self.request_stop()
        self._join()
        for lanes in self._left:
            # A thread that failed may have left work undone that others would wait for.
            lanes.join(None if self._failure.error is None else 0)
        self._left.clear()
        self._queue.hang_up()

    def wait(self) -> None:
        """Wait until the server that :meth:`start` started has ended.

        Raises:
            ConfigurationError: It ended because the namespace belongs to another account.
            QueuedGspreadError: It ended because one of its threads failed.

        """
        self._join()
        self._failure.check()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def is_running(self) -> bool:
        """Whether the server that :meth:`start` started works, or stands by."""
        return self._thread is not None and self._thread.is_alive()

    @by_owner
    def request_stop(self) -> None:
        """Have :meth:`run` return soon. This may be called from any thread."""
        self._stopping.set()
        with contextlib.suppress(BrokerUnavailableError):
            # Ends a blocking read early.
            self._queue.request_stop(self.server_id)

    @property
    def server_id(self) -> str:
        """The id by which Redis and other servers know this run of the server."""
        return self._queue.server_id

    @property
    def pulse(self) -> Pulse:
        """Whether this server's own loops run, and what it does; asking needs no Redis."""
        found = STARTS if self._current is None else self._current.lease.pulse
        found = replace(found, beat=max(found.beat, self._parts.loops.silence))
        return replace(found, state="stops") if self._stopping.is_set() else found

    @property
    def was_told_to_stop(self) -> bool:
        """Whether this server was asked to stop."""
        return self._stopping.is_set() and not self._failure.has_ended

    @property
    def has_calls_left(self) -> bool:
        """Whether calls are still under way after the shutdown timeout."""
        return bool(self._left)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _new_queue(self) -> Consumer:
        """Return the queue under a new server id, since a request to stop is for one run only."""
        parts = self._parts
        server = f"{socket.gethostname()}:{os.getpid()}"
        return Consumer(
            parts.settings,
            os.urandom(8).hex(),
            lambda: parts.account.about(server, __version__),
            stopping=self._stopping,
            max_queue=self._terms.max_queue,
            quota=parts.quota.about,
            generation=parts.admission.generation,
            on_published=parts.admission.note_published,
            on_standby=parts.admission.note_answered,
            holdups=parts.holdups.look,
            timing=parts.timing.queue,
            lenders=[lender.name for lender in parts.lenders],
        )

    def _new_run(self) -> Run:
        """Prepare a run of the server."""
        self._owner = os.getpid()
        self._current = None
        self._queue = self._new_queue()
        warn_of_redis(self._parts, self._queue)
        self._failure.retire()
        self._failure = Failure(self._stopping.set)
        of_run = self._parts, self._queue, self._failure, self._stopping
        self._current = Run(*of_run, self._terms, self._left)
        return self._current

    def _work(self, run: Run) -> None:
        if self._is_untested:
            LOGGER.warning(_UNTESTED, gspread.__version__, ", ".join(TESTED_VERSIONS))
        run.work()
