"""What is to be seen of a queue at a moment, as data that can be shown, compared and sent.

Times are seconds: ``at`` is on Redis's clock, since 1970; all others are before or after that.
Nothing here is an argument or a cell's value.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .operators import Action, Pause  # noqa: TC001 - the schema is made from the annotations
from .outcomes import Outcome  # noqa: TC001 - the schema is made from the annotations
from .resources import Account, Cache  # noqa: TC001 - the schema is made from the annotations

__all__ = [
    "CallCounts",
    "Caller",
    "Expectation",
    "Histogram",
    "Lane",
    "Option",
    "Quota",
    "RequestCounts",
    "Server",
    "Snapshot",
    "Step",
]


@dataclass(frozen=True)
class Option:
    """An option of a server.

    Attributes:
        name: Its name, as the class ``Server`` has it.
        value: Its value, as text.
        differs: Whether the server that works has another value.

    """

    name: str
    value: str
    differs: bool


@dataclass(frozen=True)
class Server:
    """A server of the namespace.

    Attributes:
        id: The id of this run of it.
        role: ``works``, ``stands by`` or ``gone``: silent for longer than it may be.
        host: Its host; '' if it publishes nothing, as servers of earlier versions do.
        process: Its process; 0 if not known.
        about: Its description, if it works.
        version: Its version of this package.
        gspread: Its version of gspread.
        python: Its version of Python.
        account: Whose credentials it has.
        epoch: The number of its lease, if it works.
        uptime: How long it has been running.
        silent: How long ago it last beat, or published if it does not work.
        lease: How long it may be silent.
        has_token: Whether it has an access token.
        token_expires: How long that is still valid; None if it never expires, or nobody knows.
        options: The options that matter.

    """

    id: str
    role: str
    host: str
    process: int
    about: str
    version: str
    gspread: str
    python: str
    account: str
    epoch: str
    uptime: float
    silent: float
    lease: float
    has_token: bool
    token_expires: float | None
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Expectation:
    """How long a call that is put in now waits until its first request may be sent.

    Attributes:
        kind: The kind of that request.
        at_most: The seconds; None if that is not known.
        why: Why it is not known; '' if it is.

    """

    kind: str
    at_most: float | None
    why: str


@dataclass(frozen=True)
class Quota:
    """The quota of a kind of request.

    Attributes:
        kind: ``read``, ``write`` or ``drive``.
        limit: How many a window may hold; 0 for no limit.
        effective: The same after refusals, until it has recovered.
        window: The seconds of a window.
        held: How many slots are held.
        in_the_air: How many of them by requests that Google has not answered yet.
        waiting: How many lanes have a request that waits for a slot.
        next_slot: In how many seconds a slot is free; None if that depends on an answer.
        pause: For how many seconds no request is sent, after a refusal.
        refused_user: Refusals of the last hour for the account's limit.
        refused_project: The same for the project's.
        refused_other: The same where Google did not say whose.
        busy: The share of the last hour for which four fifths of the slots were held, or more.
        expected: How long a call to a spreadsheet that is not in use waits.
        expected_in_use: The same of one that is in use, and whose lane holds no calls now.

    """

    kind: str
    limit: int
    effective: int
    window: float
    held: int
    in_the_air: int
    waiting: int
    next_slot: float | None
    pause: float
    refused_user: int
    refused_project: int
    refused_other: int
    busy: float
    expected: Expectation
    expected_in_use: Expectation


@dataclass(frozen=True)
class Lane:
    """The lane of a spreadsheet, or of a lock's holder, that holds calls.

    Attributes:
        lane: Its name: mostly the spreadsheet's id.
        title: The spreadsheet's title, as far as callers know it.
        calls: How many calls it holds, those that are running included.
        running: How many are running: a request was sent for them.
        oldest: How long ago its first call was put in; None if not known.
        method: The method of that call; '' if not known.
        caller: Its caller.
        since: How long ago the server took it up; None if not known.
        state: ``sent`` (waits for Google), ``again`` (for a retry), ``quota``, ``paused``,
            ``locked`` or ''.
        kind: For which kind of slot it waits.
        seconds: Since when, or for how long.
        locked_by: Who holds its lock; '' for nobody.
        paused: By whom and why that is paused which holds it up; '' for nothing.
        expected: How long one more call waits there, if each takes one request.

    """

    lane: str
    title: str
    calls: int
    running: int
    oldest: float | None
    method: str
    caller: str
    since: float | None
    state: str
    kind: str
    seconds: float
    locked_by: str
    paused: str
    expected: tuple[Expectation, ...]


@dataclass(frozen=True)
class CallCounts:
    """The calls of a kind that have ended, since the beginning.

    Attributes:
        kind: The kind of their requests; ``none`` for calls without any.
        ok: That returned.
        failed: That raised.
        unknown: Whose outcome is unknown.
        poisoned: Of which servers have died.
        late: That were not begun in time.
        withdrawn: That their callers took back.
        other: That were answered once more, or dropped as copies.

    """

    kind: str
    ok: int
    failed: int
    unknown: int
    poisoned: int
    late: int
    withdrawn: int
    other: int


@dataclass(frozen=True)
class RequestCounts:
    """The requests of a kind that were sent, since the beginning; each attempt counts.

    Attributes:
        kind: Their kind.
        ok: That succeeded.
        failed: That Google answered with an error.
        refused: That it refused for the quota.
        unknown: That may have been applied.
        unauthenticated: Whose token was refused.
        calls: The calls that they were for; a call counts once for each request.
        merged: Those of them that shared a request with others.
        resent: The requests that were sent again.
        calls_per_request: How many calls a request was for, on average.

    """

    kind: str
    ok: int
    failed: int
    refused: int
    unknown: int
    unauthenticated: int
    calls: int
    merged: int
    resent: int
    calls_per_request: float


@dataclass(frozen=True)
class Histogram:
    """How long something took, since the beginning.

    Attributes:
        what: ``waited`` and ``took`` of calls, ``answered`` of requests.
        kind: Their kind.
        bounds: The upper bounds of the places, in seconds.
        counts: How many there were in each place; there is one more beyond the last bound.
        total: All their seconds together.

    """

    what: str
    kind: str
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True)
class Caller:
    """One of the latest callers.

    Attributes:
        caller: Its host and process, and its client's own name.
        running: For how many of its calls a request was sent.
        calls: How many calls were answered.
        failed: How many of them failed.
        requests: Its part of the requests that were sent for them.
        last: How long ago the latest was answered; None if none was.

    """

    caller: str
    running: int
    calls: int
    failed: int
    requests: float
    last: float | None


@dataclass(frozen=True)
class Step:
    """A step of the history.

    Attributes:
        at: When it begins.
        seconds: How long it is.
        calls: Calls that ended.
        failed: Those of them that failed, in whatever way.
        unknown: Those whose outcome is unknown.
        waiting: The most calls that the queue held.
        reads: Requests that read.
        writes: Requests that write.
        drive: Requests to Drive.
        carried: The calls that all requests were for.
        resent: Requests that were sent again.
        refused: Refusals for the quota.
        hits: Requests that remembered answers took the place of.

    """

    at: float
    seconds: int
    calls: int
    failed: int
    unknown: int
    waiting: int
    reads: int
    writes: int
    drive: int
    carried: int
    resent: int
    refused: int
    hits: int


@dataclass(frozen=True)
class Snapshot:
    """What is to be seen of a queue at a moment.

    Attributes:
        at: That moment, on Redis's clock.
        namespace: The queue.
        account: The account that it belongs to; '' if none yet.
        problems: What is wrong, in words; empty if nothing is.
        paused: What operators have paused, and whether new calls are refused.
        actions: The latest of what operators have asked for, the latest first.
        servers: Its servers: the one that works first.
        takeovers: How often a server has begun to work after the first one.
        quota: The quota of each kind of request; of several accounts, that of the first.
        accounts: The accounts of the server that works, if it has several: the first one first.
        cache: The answers that it remembers.
        calls_waiting: How many calls wait for their first request.
        calls_running: How many are running: a request was sent for them.
        oldest_call: How long ago the oldest of them was put in; None for none, or if not known.
        lanes: The lanes that hold calls, the oldest call first: a thousand at the most.
        lanes_in_all: How many lanes hold calls.
        calls: Calls that have ended, by kind.
        requests: Requests that were sent, by kind.
        histograms: How long calls and requests took.
        callers: The latest callers, those with running calls first.
        outcomes: The latest calls that failed, the latest first: some of each sort.
        outcomes_unattended: How many are kept of those that nobody waited for.
        outcomes_in_doubt: How many are kept of others that are unknown or poisoned.
        outcomes_others: How many are kept of the rest.
        jobs_poisoned: How many jobs are kept of which servers have died.
        history: An hour in steps of ten seconds, then two days in steps of five minutes.

    """

    at: float
    namespace: str
    account: str
    problems: tuple[str, ...]
    paused: tuple[Pause, ...]
    actions: tuple[Action, ...]
    servers: tuple[Server, ...]
    takeovers: int
    quota: tuple[Quota, ...]
    accounts: tuple[Account, ...]
    cache: Cache
    calls_waiting: int
    calls_running: int
    oldest_call: float | None
    lanes: tuple[Lane, ...]
    lanes_in_all: int
    calls: tuple[CallCounts, ...]
    requests: tuple[RequestCounts, ...]
    histograms: tuple[Histogram, ...]
    callers: tuple[Caller, ...]
    outcomes: tuple[Outcome, ...]
    outcomes_unattended: int
    outcomes_in_doubt: int
    outcomes_others: int
    jobs_poisoned: int
    history: tuple[Step, ...]

    @property
    def worker(self) -> Server | None:
        """The server that works."""
        return next((server for server in self.servers if server.role == "works"), None)

    def to_json(self, indent: int | None = None) -> str:
        """Return it as JSON, as ``docs/snapshot.schema.json`` has it."""
        return json.dumps(asdict(self), indent=indent)
