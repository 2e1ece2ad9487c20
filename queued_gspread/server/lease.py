"""The lease that lets one server work at a time: renewed by beats, lost without them."""

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
from .pulse import Pulse
from .timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Beat, Candidate, Consumer
    from queued_gspread.server.google.account import Account

__all__ = ["Lease"]


_LONGEST_PAUSE: Final = 1.0
# If the master may change: the shorter the pause, the less is sent to an old master.
_LONGEST_GUIDED_PAUSE: Final = 0.5
_LOOK: Final = 0.02


class Lease:
    """Beats in a thread of its own; signals when this server's epoch begins and when it ends.

    Args:
        queue: The servers' side of the queue.
        seconds: How long the lease holds without a beat.
        clock: A monotonic clock, in seconds, that also counts while this process or its machine
            is paused.
        watch: Watches its thread, and ends a server whose account may not work in the namespace.
        account: The account that requests are sent as, with its tokens; None to check neither.
        timing: How long to wait for a first token, and between two looks of a standby.
        on_beat: Called with each beat that Redis has answered, in the thread of the lease.

    Attributes:
        decided: Set once it is known whether this server works, stands by or can do neither, and
            at the end.
        error: Why it can do neither, as long as that lasts.
        epoch: The epoch in which this server works; '' for none.
        next_beat: Seconds from the latest beat to the next.
        follows: Whether another server, or this one, is known to have worked before the epoch.

    """

    def __init__(
        self,
        queue: Consumer,
        seconds: float,
        clock: Callable[[], float] = now,
        watch: Failure | None = None,
        account: Account | None = None,
        timing: Timing | None = None,
        on_beat: Callable[[Beat], None] = lambda _: None,
    ) -> None:
        self._queue = queue
        self._account = account
        self._watch = watch or Failure()
        self._seconds = seconds
        self._clock = clock
        self._timing = timing or Timing()
        self._on_beat = on_beat
        # Until then, no other server takes over, whatever happens to this process.
        self._certain_until = -math.inf
        self.next_beat = self._pause
        self.decided = threading.Event()
        self.error: Exception | None = None
        # What was logged last, so that it is logged once.
        self._logged = ""
        # When the latest beat began, the latest that Redis answered, and the first that it did not.
        self._began = clock()
        self._answered = -math.inf
        self._away_since: float | None = None
        self._ended = threading.Event()
        self._changed = threading.Condition()
        self.epoch = ""
        self.follows = False
        self._on_end: Callable[[], None] | None = None
        self._on_relief: Callable[[], None] | None = None
        self._on_owner: Callable[[], None] = lambda: None
        # Whether another server that has a token stands by.
        self._is_relieved = False
        # Whether Redis was seen to have an epoch of this queue, this server's or another's.
        self._has_seen_epoch = False
        # Whether the namespace is known to belong to this server's account.
        self._is_owner = account is None
        # Held during a beat and while the lease is given up.
        self._beating = threading.Lock()
        work = self._watch.watched(self._beat_on)
        self._thread = threading.Thread(target=work, name="lease", daemon=True)

    def start(self) -> None:
        """Start beating."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and release the lease, so that another server takes over at once."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self.decided.set()
        with self._changed:
            # Calls that did not end in time may be about to send: confirm() must fail for them.
            self._certain_until = -math.inf
        self._release()
        self._queue.master.let_go()

    def give_up(self) -> None:
        """End the epoch so that the server standing by takes over; then stand by for it."""
        with self._beating:
            with self._changed:
                self._certain_until, self._is_relieved = -math.inf, False
            self._move_to("")
            self._release()

    def _release(self) -> None:
        try:
            self._queue.release()
        except Exception as error:  # noqa: BLE001 - the lease runs out anyway
            LOGGER.warning("could not give up the lease, so it will run out: %s", error)

    def wait_for_epoch(self, stopping: threading.Event, after: str) -> str:
        """Wait for the next epoch in which this server works; return '' if it must stop first."""
        with self._changed:
            while self.epoch in ("", after) and not stopping.is_set() and not self._ended.is_set():
                self._changed.wait(self._pause)
                stop_after_main(stopping.set)
            return "" if stopping.is_set() else self.epoch

    def call_at_end_of(
        self, epoch: str, on_end: Callable[[], None], on_relief: Callable[[], None]
    ) -> None:
        """Call ``on_end`` once the epoch has ended, and ``on_relief`` once to give it up."""
        with self._changed:
            self._on_end, self._on_relief = on_end, on_relief
            if self.epoch != epoch:
                on_end()

    def on_owner(self, callback: Callable[[], None]) -> None:
        """Call a function once the namespace is known to belong to this server's account."""
        self._on_owner = callback

    def confirm(self, epoch: str) -> None:
        """Make sure that an epoch still lasts; wait for a beat if this process may have lost it.

        Raises:
            StaleEpochError: It has ended.

        """
        if self.epoch == epoch and self._clock() < self._certain_until:
            return
        with self._changed:
            self._changed.wait_for(lambda: self.epoch != epoch or self.confirms_at_once)
            if self.epoch != epoch or self._ended.is_set():
                raise StaleEpochError

    @property
    def pulse(self) -> Pulse:
        """Whether its thread beats, and what it does."""
        at = self._clock()
        if self.error is not None or at - self._answered > self._seconds:
            return Pulse("waits for Redis", at - self._began)
        return Pulse("works" if self.epoch else "stands by", at - self._began)

    def token_state(self) -> TokenState:
        """Return whether requests can be sent.

        If there is no token, but a server that stands by has one, calls wait for that server
        instead of failing. Nothing is sent before the namespace is known to belong to this account.
        """
        state = self._tokens()
        if state.is_usable:
            return state if self._is_owner else TokenState(False)
        return state if state.error is None or not self._is_relieved else TokenState(False)

    def _tokens(self) -> TokenState:
        return USABLE if self._account is None else self._account.token_state()

    @property
    def _is_helpless(self) -> bool:
        """Whether there is no token and none is expected soon."""
        state = self._tokens()
        return not state.is_usable and state.waited >= self._seconds

    @property
    def confirms_at_once(self) -> bool:
        """Whether :meth:`confirm` need not wait for a beat."""
        return self._clock() < self._certain_until or self._ended.is_set()

    @property
    def _pause(self) -> float:
        # Callers count the seconds without a beat, so even a long lease is renewed often.
        is_guided = self._queue.master.is_guided
        return min(self._seconds / 3, _LONGEST_GUIDED_PAUSE if is_guided else _LONGEST_PAUSE)

    def _beat_on(self) -> None:
        self._await_first_token()
        while not self._ended.is_set():
            self.next_beat = self._pause
            try:
                with self._beating:
                    beat = self.beat()
                self._tell(beat)
            except BrokerUnavailableError as error:
                if self._away_since is None:
                    self._away_since = self._began
                text = f"waiting for Redis: {error}"
                self._log_once(text, event="redis_away")
                self._note(error)
            except Exception as error:  # noqa: BLE001 - the next beat may succeed
                text = f"could not renew the lease: {type(error).__name__}: {error}"
                self._log_once(text, error)
                self._note(error)
            self._ended.wait(self.next_beat)

    def _await_first_token(self) -> None:
        end = self._clock() + min(self._seconds, self._timing.first_token)
        while not self._ended.is_set() and self._clock() < end:
            state = self._tokens()
            if state.is_usable or state.error is not None:
                return
            self._ended.wait(_LOOK)

    def _note(self, error: Exception) -> None:
        self.error = error
        self.decided.set()

    def _tell(self, beat: Beat) -> None:
        self._on_beat(beat)
        if beat.actions:
            self._queue.note_logged(beat.actions[-1].action_id)

    def beat(self) -> Beat:
        """Beat once, as the thread of a lease that was started does again and again.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or no majority names a master.

        """
        began = self._began = self._clock()
        is_certain = self._is_at_master()
        candidate = ANY if self._account is None else self._account.candidate()
        beat = self._queue.beat(self._seconds, is_certain=is_certain, candidate=candidate)
        self._answered = began
        self.error = self._refusal(candidate, beat.owner)
        self._note_owner(candidate, beat.owner)
        self._log_return()
        self._log_loss(beat)
        if beat.epoch != self.epoch:
            self._move_to(beat.epoch)
        # A majority that was asked before the lease was taken may have named an old master, while
        # another server works at the new one already.
        must_ask_again = beat.state == "taken" and self._queue.master.is_guided
        is_held = bool(beat.epoch) and not must_ask_again
        with self._changed:
            self._certain_until = began + self._seconds if is_held else -math.inf
            self._changed.notify_all()
        self._look_for_relief(beat)
        if must_ask_again:
            self.next_beat = 0.0
        if self.error is None and beat.state == "held":
            self.next_beat = min(self._pause, self._timing.standby_beat, beat.left)
            self._log_standing_by(beat, candidate)
        else:
            self._logged = ""
        self.decided.set()
        return beat

    def _log_standing_by(self, beat: Beat, candidate: Candidate) -> None:
        why = f"{beat.other} works in this namespace, or has just ended"
        if candidate.is_about_to_replace(beat.owner):
            why = f"the account {beat.owner!r} is replaced once this server has an access token"
        elif not beat.other:
            why = "this server's own lease from before Redis changed must run out first"
        elif self._account is not None and not self._logged:
            self._account.warn_of_endpoint(beat.other)
        self._log_once(f"standing by: {why}", event="standing_by")

    def _refusal(self, candidate: Candidate, owner: str) -> QueuedGspreadError | None:
        """End the server in good order if the namespace belongs to another account."""
        if self._account is None:
            return None
        refusal = self._account.refusal(candidate, owner)
        # While the server starts, the error is raised to the one who starts it.
        if refusal is not None and self._watch.end_for(refusal) and self.decided.is_set():
            LOGGER.error("stopping: %s", refusal)
        return refusal

    def _note_owner(self, candidate: Candidate, owner: str) -> None:
        was_owner = self._is_owner
        self._is_owner = self._account is None or owner == candidate.account != ""
        if self._is_owner and not was_owner:
            self._on_owner()

    def _look_for_relief(self, beat: Beat) -> None:
        """Give up the epoch if this server cannot send anything but another one could."""
        self._is_relieved = beat.is_relieved
        if beat.is_relieved and self._is_helpless and self._on_relief is not None:
            self._on_relief()

    def _is_at_master(self) -> bool:
        """Ask a majority for the master and go there; return whether the lease is certain.

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
                # Nothing more is sent until the new master has seen a beat.
                self._certain_until = -math.inf
        if master.confirmed not in (None, named.address):
            LOGGER.warning("Redis at %s:%d is the master now", *named.address)
        master.keep_to(named.address)
        return is_certain

    def _move_to(self, epoch: str) -> None:
        with self._changed:
            ended, self.epoch = self.epoch, epoch
            if ended and self._on_end is not None:
                self._on_end()
            self._changed.notify_all()

    def _log_return(self) -> None:
        since, self._away_since = self._away_since, None
        if since is not None:
            seconds = round(self._clock() - since, 1)
            fields = {"event": "redis_back", "seconds": seconds}
            LOGGER.info("Redis is back after %.1f s", seconds, extra={"fields": fields})

    def _log_loss(self, beat: Beat) -> None:
        if beat.is_first and self._has_seen_epoch:
            LOGGER.warning(
                "Redis came back without its data: calls that waited are lost, and their callers "
                "get JobLostError. Set `appendonly yes`"
            )
        if beat.state == "taken":
            self.follows = self._has_seen_epoch or not beat.is_first
        self._has_seen_epoch = True

    def _log_once(self, text: str, error: Exception | None = None, event: str = "") -> None:
        if self._logged != text:
            level = logging.INFO if event == "standing_by" else logging.WARNING
            fields = {"event": event} if event else {}
            LOGGER.log(level, "%s", text, exc_info=error, extra={"fields": fields})
        self._logged = text
