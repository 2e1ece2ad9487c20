"""The lease by which one server works at a time: kept by beats, lost by their absence."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker import ANY, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError, QueuedGspreadError
from queued_gspread.server.google.token_state import USABLE, TokenState

from .failure import Failure
from .log import LOGGER
from .main_thread import stop_after_main

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Beat, Candidate, Consumer
    from queued_gspread.server.google.account import Account

__all__ = ["Lease"]


_LONGEST_PAUSE: Final = 1.0
# Where the master may change, so that little is taken to one that is not any more.
_LONGEST_GUIDED_PAUSE: Final = 0.5
# So soon after the other server has ended in good order, one that stands by works.
_STANDING_BY: Final = 0.1
# For so long a server that starts waits for its first token, before it takes a lease without one.
_FIRST_TOKEN: Final = 2.0
_LOOK: Final = 0.02


class Lease:
    """Beats in a thread of its own; tells when this server's epoch begins and when it ends.

    Args:
        queue: The servers' side of the queue.
        seconds: How long the lease holds without a beat.
        clock: A monotonic clock, in seconds, that goes on while this process is paused, and while
            its machine is.
        watch: Watches its thread, and ends the server whose account may not work here.
        account: The account that requests are sent as, with its tokens; None where nothing is to
            be known of either.

    Attributes:
        decided: Set once it is known whether this server works or stands by, or that it cannot,
            and at the end.
        error: Why it cannot, as long as it cannot.

    """

    def __init__(
        self,
        queue: Consumer,
        seconds: float,
        clock: Callable[[], float] = now,
        watch: Failure | None = None,
        account: Account | None = None,
    ) -> None:
        self._queue = queue
        self._account = account
        self._watch = watch or Failure()
        self._seconds = seconds
        self._clock = clock
        # Until then no other server takes over, whatever happens to this process.
        self._certain_until = -math.inf
        self._next_beat = self._pause
        self.decided = threading.Event()
        self.error: Exception | None = None
        # When the latest beat began, and the first one to which Redis did not answer.
        self._began = -math.inf
        self._away_since: float | None = None
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self._epoch = ""
        self._on_end: Callable[[], None] | None = None
        self._on_relief: Callable[[], None] | None = None
        self._on_owner: Callable[[], None] = lambda: None
        # Whether a server stands by that has a token.
        self._is_relieved = False
        # Whether Redis has had an epoch of the queue, this server's or another's.
        self._has_seen_epoch = False
        # Whether the namespace is known to belong to this server's account.
        self._is_owner = account is None
        # Held during a beat, and while the lease is given up.
        self._beating = threading.Lock()
        work = self._watch.watched(self._beat_on)
        self._thread = threading.Thread(target=work, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End the beats, and the lease with them, so that another server takes over at once."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self.decided.set()
        with self._changed:
            # Calls that did not end in time may still be about to send.
            self._certain_until = -math.inf
        self._release()
        self._queue.master.let_go()

    def give_up(self) -> None:
        """End the epoch, so that the server takes over that stands by, and stand by for it."""
        with self._beating:
            with self._changed:
                self._certain_until, self._is_relieved = -math.inf, False
            self._move_to("")
            self._release()

    def _release(self) -> None:
        try:
            self._queue.release()
        except Exception as error:  # noqa: BLE001 - it ends all the same
            LOGGER.warning("could not give up the lease, so it will run out: %s", error)

    def wait_for_epoch(self, stopping: threading.Event, after: str) -> str:
        """Return the epoch under which this server works next; '' if it is to stop first."""
        with self._changed:
            while self._epoch in ("", after) and not stopping.is_set() and not self._ended.is_set():
                self._changed.wait(self._pause)
                stop_after_main(stopping.set)
            return "" if stopping.is_set() else self._epoch

    def call_at_end_of(
        self, epoch: str, on_end: Callable[[], None], on_relief: Callable[[], None]
    ) -> None:
        """Have a function called once that epoch has ended, and one once it is to be given up."""
        with self._changed:
            self._on_end, self._on_relief = on_end, on_relief
            if self._epoch != epoch:
                on_end()

    def on_owner(self, callback: Callable[[], None]) -> None:
        """Have a function called once the namespace is known to belong to this server's account."""
        self._on_owner = callback

    def confirm(self, epoch: str) -> None:
        """Make sure that an epoch lasts; wait for a beat where this process may have lost it.

        Raises:
            StaleEpochError: It has ended.

        """
        if self._epoch == epoch and self._clock() < self._certain_until:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._epoch != epoch or self._is_decided)
            if self._epoch != epoch or self._ended.is_set():
                raise StaleEpochError

    def token_state(self) -> TokenState:
        """Return whether requests can be sent.

        For want of a token no call fails that a server can make which stands by, and nothing is
        sent before the namespace is known to belong to this account.
        """
        state = self._tokens()
        if state.is_usable:
            return state if self._is_owner else TokenState(False)
        return state if state.error is None or not self._is_relieved else TokenState(False)

    def _tokens(self) -> TokenState:
        return USABLE if self._account is None else self._account.token_state()

    @property
    def _is_helpless(self) -> bool:
        """Whether there is no token, nor will there be one soon."""
        state = self._tokens()
        return not state.is_usable and state.waited >= self._seconds

    @property
    def _is_decided(self) -> bool:
        return self._clock() < self._certain_until or self._ended.is_set()

    @property
    def _pause(self) -> float:
        # Callers count the seconds without a beat, however long the lease is.
        is_guided = self._queue.master.is_guided
        return min(self._seconds / 3, _LONGEST_GUIDED_PAUSE if is_guided else _LONGEST_PAUSE)

    def _beat_on(self) -> None:
        told = ""
        self._await_first_token()
        while not self._ended.is_set():
            self._next_beat = self._pause
            try:
                with self._beating:
                    told = self._beat(told)
            except BrokerUnavailableError as error:
                if self._away_since is None:
                    self._away_since = self._began
                told = self._tell_once(told, f"waiting for Redis: {error}", event="redis_away")
                self._note(error)
            except Exception as error:  # noqa: BLE001 - the next beat may do
                text = f"could not renew the lease: {type(error).__name__}: {error}"
                told = self._tell_once(told, text, error)
                self._note(error)
            self._ended.wait(self._next_beat)

    def _await_first_token(self) -> None:
        end = self._clock() + min(self._seconds, _FIRST_TOKEN)
        while not self._ended.is_set() and self._clock() < end:
            state = self._tokens()
            if state.is_usable or state.error is not None:
                return
            self._ended.wait(_LOOK)

    def _note(self, error: Exception) -> None:
        self.error = error
        self.decided.set()

    def _beat(self, told: str) -> str:
        began = self._began = self._clock()
        is_certain = self._is_at_master()
        candidate = ANY if self._account is None else self._account.candidate()
        beat = self._queue.beat(self._seconds, is_certain=is_certain, candidate=candidate)
        self.error = self._refusal(candidate, beat.owner)
        self._note_owner(candidate, beat.owner)
        self._tell_of_return()
        self._tell_of_loss(beat)
        if beat.epoch != self._epoch:
            self._move_to(beat.epoch)
        # What a majority said before the lease was taken may be said of an old master, whose
        # server has gone on to the new one.
        must_ask_again = beat.state == "taken" and self._queue.master.is_guided
        is_held = bool(beat.epoch) and not must_ask_again
        with self._changed:
            self._certain_until = began + self._seconds if is_held else -math.inf
            self._changed.notify_all()
        self._look_for_relief(beat)
        if must_ask_again:
            self._next_beat = 0.0
        if self.error is None and beat.state == "held":
            self._next_beat = min(self._pause, _STANDING_BY, beat.left)
            told = self._tell_of_colleague(told, beat, candidate)
        else:
            told = ""
        self.decided.set()
        return told

    def _tell_of_colleague(self, told: str, beat: Beat, candidate: Candidate) -> str:
        who = f"{beat.other} works in this namespace, or has just ended"
        if candidate.is_about_to_replace(beat.owner):
            who = f"the account {beat.owner!r} is replaced once this server has an access token"
        elif not beat.other:
            who = "this server's own lease is of Redis as it was before, and has to run out"
        elif self._account is not None and not told:
            self._account.warn_of_endpoint(beat.other)
        return self._tell_once(told, f"standing by: {who}", event="standing_by")

    def _refusal(self, candidate: Candidate, owner: str) -> QueuedGspreadError | None:
        """Have the server end in good order where the namespace is another account's."""
        if self._account is None:
            return None
        refusal = self._account.refusal(candidate, owner)
        # Who starts a server is told anyway.
        if refusal is not None and self._watch.end_for(refusal) and self.decided.is_set():
            LOGGER.error("stopping: %s", refusal)
        return refusal

    def _note_owner(self, candidate: Candidate, owner: str) -> None:
        was_owner = self._is_owner
        self._is_owner = self._account is None or owner == candidate.account != ""
        if self._is_owner and not was_owner:
            self._on_owner()

    def _look_for_relief(self, beat: Beat) -> None:
        """Have this server work no more if it can send nothing, and another one could."""
        self._is_relieved = beat.is_relieved
        if beat.is_relieved and self._is_helpless and self._on_relief is not None:
            self._on_relief()

    def _is_at_master(self) -> bool:
        """Have a majority name the master, and go there; return whether the lease is certain.

        Raises:
            BrokerUnavailableError: No majority names one: the lease is not renewed.

        """
        master = self._queue.master
        if not master.is_guided:
            return True
        named = self._queue.ask_for_master(self._pause)
        with self._changed:
            is_certain = self._clock() < self._certain_until
            if named.address != master.confirmed:
                # Nothing more is sent before the new one has seen a beat.
                self._certain_until = -math.inf
        if master.confirmed not in (None, named.address):
            LOGGER.warning("Redis at %s:%d is the master now", *named.address)
        master.keep_to(named.address)
        return is_certain

    def _move_to(self, epoch: str) -> None:
        with self._changed:
            ended, self._epoch = self._epoch, epoch
            if ended and self._on_end is not None:
                self._on_end()
            self._changed.notify_all()

    def _tell_of_return(self) -> None:
        since, self._away_since = self._away_since, None
        if since is not None:
            seconds = round(self._clock() - since, 1)
            fields = {"event": "redis_back", "seconds": seconds}
            LOGGER.info("Redis is back after %.1f s", seconds, extra={"fields": fields})

    def _tell_of_loss(self, beat: Beat) -> None:
        if beat.is_first and self._has_seen_epoch:
            LOGGER.warning(
                "Redis came back without its data: calls that waited are lost, and their callers "
                "get JobLostError. Set `appendonly yes`"
            )
        self._has_seen_epoch = True

    @staticmethod
    def _tell_once(told: str, text: str, error: Exception | None = None, event: str = "") -> str:
        if told != text:
            level = logging.INFO if event == "standing_by" else logging.WARNING
            fields = {"event": event} if event else {}
            LOGGER.log(level, "%s", text, exc_info=error, extra={"fields": fields})
        return text
