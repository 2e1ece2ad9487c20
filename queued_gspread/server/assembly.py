"""How a server is put together: its parts, and of them what makes the calls of an epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from queued_gspread.broker import KINDS
from queued_gspread.server.calls.admission import Admission
from queued_gspread.server.calls.promises import Bounds, Promises
from queued_gspread.server.calls.quarantine import Quarantine
from queued_gspread.server.calls.recovery import Recovery
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.google.account import Account
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.lanes.lane import work_on
from queued_gspread.server.lanes.scheduler import Scheduler
from queued_gspread.server.lanes.services import LaneServices
from queued_gspread.server.lanes.tables import Tables
from queued_gspread.server.pacing.lending import OWN, Lending
from queued_gspread.server.pacing.valve import Valve
from queued_gspread.server.replay.journal import Journals
from queued_gspread.server.sending.counters import Counters
from queued_gspread.server.sending.loans import Loans
from queued_gspread.server.sending.remembering import Remembering
from queued_gspread.server.sending.sender import Sender

from .accounts import Known, accounts_of
from .at_work import WorkReporter
from .figures import Figures
from .holdups import HoldupReporter
from .pauses import Pauses
from .publisher import Publisher
from .pulse import Loops

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    import gspread

    from queued_gspread.broker import AccountAtWork, Card, Consumer
    from queued_gspread.server.calls.memory import Memory
    from queued_gspread.server.google.lenders import Lender
    from queued_gspread.server.google.token_state import AnyTokens
    from queued_gspread.server.pacing.quota import Quota
    from queued_gspread.server.policy.retry import RetryPolicy
    from queued_gspread.settings import Settings

    from .failure import Watch
    from .lease import Lease
    from .timing import Timing

__all__ = ["Parts"]


@dataclass(eq=False)
class Parts:
    """What a server has for as long as it lives, in one epoch after the other.

    Attributes:
        settings: Where the queue is, and what may be in it.
        client: The gspread client that the calls are made with.
        http: Its HTTP client.
        tokens: The access tokens of that.
        scopes: The scopes that the server holds itself to; None for those of its token.
        replaces: The account that owns the namespace now, if this server's is to take it over.
        quota: How many requests may be sent.
        retry_policy: What to do about failures.
        memory: The memory that calls may take.
        merges: Whether calls may share requests.
        linger: Seconds for which more calls to merge are waited for.
        timing: How long to wait where no option says so.
        key_bounds: How much may be kept under idempotency keys.
        lenders: Accounts that lend their quota.
        project: The Google Cloud project of the server's own account; '' without lenders.
        remembering: The answers that are remembered.
        admission: Admits jobs and signs replies.
        account: The account that requests are sent as.
        holdups: Finds out what holds requests up.
        counters: Counts requests, and the calls that they are for.
        pauses: Knows what operators have paused.
        figures: Counts calls and requests for those who look at the queue.
        at_work: Finds out what the lanes do.
        loops: Knows whether the dispatcher goes round.
        lending: Knows what accounts lend, and for which spreadsheets; None without lenders.

    """

    settings: Settings
    client: gspread.Client
    http: gspread.HTTPClient
    tokens: AnyTokens
    scopes: Sequence[str] | None
    replaces: str
    quota: Quota
    retry_policy: RetryPolicy
    memory: Memory
    merges: bool
    linger: float
    timing: Timing
    key_bounds: Bounds = field(default_factory=Bounds)
    lenders: tuple[Lender, ...] = ()
    project: str = ""
    remembering: Remembering = field(default_factory=Remembering)
    admission: Admission = field(init=False)
    account: Account = field(init=False)
    holdups: HoldupReporter = field(init=False)
    counters: Counters = field(init=False, default_factory=Counters)
    pauses: Pauses = field(init=False, default_factory=Pauses)
    figures: Figures = field(init=False, default_factory=Figures)
    at_work: WorkReporter = field(init=False)
    loops: Loops = field(init=False, default_factory=Loops)
    lending: Lending | None = field(init=False)

    def __post_init__(self) -> None:
        """Make the parts that follow from the others."""
        self.admission = Admission(self.settings, timing=self.timing)
        own = self.http, self.tokens, self.settings.namespace, self.replaces
        self.account = Account(*own, lenders=len(self.lenders))
        self.holdups = HoldupReporter(self.tokens.state, self.quota.window, self.timing)
        self.lending = self._new_lending()
        if self.lending is not None:
            self.figures.own_account = self.account.name
        self.at_work = WorkReporter(
            self.admission.history,
            self.figures,
            lambda: self.remembering.at_work,
            self._accounts,
        )

    @property
    def all_tokens(self) -> list[AnyTokens]:
        """The access tokens of all accounts."""
        return [self.tokens, *(lender.tokens for lender in self.lenders)]

    def rest(self) -> None:
        """Let go of what belongs to an epoch that is over."""
        self.holdups.rest()
        self.pauses.rest()
        self.at_work.rest()

    def publisher(self, queue: Consumer, card: Callable[[], Card]) -> Publisher:
        """Return what publishes for one run of the server."""
        return Publisher(queue, card, self.at_work.look, self.figures, self.timing.publish)

    def lanes(
        self, queue: Consumer, lease: Lease, stopping: threading.Event, watched: Watch
    ) -> Scheduler:
        """Return what makes the calls of an epoch, from the queue to Google.

        Args:
            queue: The queue under that epoch.
            lease: Confirms the epoch, and ends it.
            stopping: Set when no further call may begin.
            watched: Watches the threads.

        """
        self.admission.begin()
        self.remembering.begin(follows=lease.follows)
        valve = Valve(lease.token_state, self.retry_policy.retry_for, watched=watched)
        confirm = partial(lease.confirm, queue.epoch)
        transport = Transport(self.http, self.tokens, confirm=confirm, scopes=self.scopes)
        for tokens in self.all_tokens:
            tokens.on_change(valve.wake)
        self.memory.on_free(valve.wake)
        lease.on_owner(valve.wake)
        self.holdups.watch(valve, transport)
        self.pauses.watch(valve)
        self.at_work.watch(valve, transport)
        lanes = Scheduler(
            queue,
            partial(work_on, self._services(queue, valve, transport)),
            valve,
            stopping=stopping,
            on_stop=stopping.set,
            window=self.quota.window,
            watched=watched,
            timing=self.timing,
            on_recovered=self._take_over,
            loops=self.loops,
        )
        lease.call_at_end_of(queue.epoch, lanes.lapse, lanes.retire)
        return lanes

    def _take_over(self, queue: Consumer) -> None:
        if self.replaces:
            queue.exchange_slots(self.account.name, self.replaces, self.quota.window)
        self.admission.take_over(queue)

    def _new_lending(self) -> Lending | None:
        if not self.lenders:
            return None
        projects = {OWN: self.project, **{each.name: each.project for each in self.lenders}}
        limits = {kind: self.quota.limit(kind) for kind in KINDS}
        return Lending(projects, limits, self.quota.shared, self.quota.window)

    def _accounts(self) -> Sequence[AccountAtWork]:
        """Return what each account does; nothing if there is one."""
        if self.lending is None:
            return ()
        own = Known(self.account.name, self.project, self.tokens)
        lent = [Known(each.name, each.project, each.tokens, each.name) for each in self.lenders]
        return accounts_of([own, *lent], self.lending)

    def _lent(self, transport: Transport) -> dict[str, Transport]:
        """Return the transports of the accounts that lend, by their names."""
        return {each.name: transport.under(each.http, each.tokens) for each in self.lenders}

    def _loans(self, transport: Transport) -> Loans | None:
        """Return what decides under which account requests go out; None if there is one."""
        if self.lending is None:
            return None
        tokens = {lender.name: lender.tokens for lender in self.lenders}
        return Loans(self.lending, self.quota, self._lent(transport), tokens)

    def _services(self, queue: Consumer, valve: Valve, transport: Transport) -> LaneServices:
        """Return what works in the lanes."""
        journals = Journals(self.settings.namespace, self.admission.keyring)
        promises = Promises(queue, self.settings.namespace, self.admission.keyring, self.key_bounds)
        recovery = Recovery(
            queue, self.retry_policy.late_write_guard, journals=journals, promises=promises
        )
        sender = Sender(
            queue,
            transport,
            quota=self.quota,
            retry_policy=self.retry_policy,
            valve=valve,
            recovery=recovery,
            counters=self.counters,
            figures=self.figures,
            remembering=self.remembering,
            loans=self._loans(transport),
        )
        runner = Runner(
            recovery,
            self.account.identity,
            self.settings.max_message_bytes,
            self.admission.history,
            sender.suspects,
        )
        return LaneServices(
            queue,
            self.admission,
            runner,
            sender,
            valve=valve,
            tables=Tables(),
            quarantine=Quarantine(),
            merges=self.merges,
            linger=self.linger,
            memory=self.memory,
            figures=self.figures,
            namespace=self.settings.namespace,
        )
