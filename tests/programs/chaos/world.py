"""One run: its processes, the plan carried out on them, and what is left afterwards."""

from __future__ import annotations

import itertools
import secrets
import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import redis
from quota_judge import counted_in, excesses
from waiting import eventually

from queued_gspread.broker import failed_calls
from queued_gspread.broker.keys import Keys
from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.faults import ExpiredToken, Html, Reset, Status
from queued_gspread.settings import Settings

from .acting import Acting
from .checker import Evidence
from .classes import BODIES, CONTENT, LENDERS, OLD, STOPS, SUSPENDED
from .failovers import ALONE, Exchanger, Masters
from .history import as_it_ended, read_history
from .lending import Lending
from .moments import Moments
from .places import CELLS, INSERTS, ROWS, TOTALS, TYPED
from .plan import (
    BOOKS,
    LENT,
    LENT_PROJECT,
    LIMIT,
    MEMORY,
    NAMESPACE,
    WINDOW,
    successor,
)
from .poison import ODD, SILENT
from .remains import books_of, copies_of, counted_of, keys_of, totals_of, typed_of
from .striker import Striker
from .typist import Typist
from .victims import GRACE, Client, Redis, Server

if TYPE_CHECKING:
    from collections import Counter

# No call that works takes as long: at each takeover a lane may wait ten seconds for the caller of a
# signed job to say that it is there, and those before it in the lane may have no answer for six.
_LIMIT_OF_A_CALL = 90.0
# Seconds for which callers wait for a server where a master has to be replaced first.
_FAILOVER = 20.0
_FAULTS = (
    *(Status(429), Status(500), Status(503), Html(502), Reset(), ExpiredToken()),
    *(Status(500, applied=True), Status(503, applied=True), Reset(applied=True)),
)


@dataclass
class Run:
    """What came of a run.

    Attributes:
        evidence: What the rules are about.
        blows: How many fell, by victim and signal.
        seconds: How long the calls took, from the first to the last.
        struck: When each master was struck, on this machine's monotonic clock, and how.
        recalled: How many requests were answered from memory.

    """

    evidence: Evidence
    blows: Counter
    seconds: float
    struck: list[tuple[float, str]]
    recalled: int = 0


class Cast:
    """The processes of a run, and who of them is struck as what."""

    def __init__(self, plan, folder, key_file, emulator):
        lends = LENDERS in plan.classes
        self.lending = Lending(plan.seed, emulator, folder) if lends else None
        self.redis = Redis() if plan.topology == ALONE else Masters(plan.topology)
        key_files = (key_file, *(self.lending.key_files if self.lending else ()))
        where = (folder, self.redis.url, key_files, emulator.url)
        self._signing_key = _new_signing_key(folder) if plan.is_signed else None
        own = {"signing_key_file": self._signing_key, "options": _options_for(plan)}
        names = ("one", "two") if plan.has_standby else ("one",)
        self.servers = [Server(name, *where, **own) for name in names]
        self.clients = []
        self._plan, self._folder = plan, folder
        self.acting = None
        self.books = {}

    def open(self, books):
        """Start the clients on these spreadsheets; return when all of them are ready."""
        self.books = books
        lanes = list(books.values())
        self.acting = Acting(self._plan.seed, self.redis.url, self._signing_key, lanes)
        self.clients = [self._client(work) for work in self._plan.work]
        for client in self.clients:
            client.until_ready()

    def victims(self, role):
        """Return those who can be struck in a role."""
        if role in ("redis", "master"):
            return [self.redis]
        if role in ("client", "holder"):
            # One that is about to end has a successor already, which has the name of no other.
            running = [c for c in self.clients if c.is_running and not c.is_killed]
            return [
                c for c in running if not c.work.is_wired and (c.work.holds or role == "client")
            ]
        works = self._pid_of_the_one_that_works()
        if works is None:
            return []
        return [s for s in self.servers if (s.process.pid == works) == (role == "server")]

    def replace(self, client):
        """Let another client take the place of one that was killed, and do half of its work."""
        other = self._client(successor(client.work, client.work.calls // 2))
        self.clients.append(other)
        other.go()

    def end(self):
        for one in (*self.clients, *self.servers, self.redis):
            one.end()

    def _client(self, work):
        return Client(
            work,
            redis_url=self.redis.url,
            namespace=NAMESPACE,
            books=self.books,
            clients=[work.name for work in self._plan.work],
            folder=str(self._folder),
            signing_key_file=self._signing_key,
            strange=self.lending.strange if self.lending else {},
            memory=MEMORY if SUSPENDED in self._plan.classes else None,
            grace=GRACE if self._plan.topology == ALONE else _FAILOVER,
        )

    def _pid_of_the_one_that_works(self):
        try:
            with redis.Redis.from_url(self.redis.url, socket_timeout=0.2) as raw:
                about = raw.hget(Keys(NAMESPACE).server, "description") or b""
        except redis.RedisError:
            return None
        return int(about.split(b":")[1].split()[0]) if b":" in about else None


def run(plan, folder):
    """Carry a plan out; its history stays in the folder."""
    with ExitStack() as stack:
        emulator = stack.enter_context(Emulator(seed=plan.seed))
        direct = emulator.gspread_client()
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        cast = Cast(plan, folder, key_file, emulator)
        stack.callback(cast.end)
        cast.open(_new_books(direct))
        typist = Typist(emulator, cast.books) if OLD in plan.classes else None
        kind = Striker if plan.topology == ALONE else Exchanger
        striker = kind(plan, _set_the_scene(emulator, plan), cast)
        with typist or nullcontext():
            seconds, hung = _let_them_work(cast, striker)
        evidence = replace(
            _evidence(cast, plan, emulator, direct, folder, hung, typist),
            poison=plan.poison,
            forgets=plan.topology != ALONE,
            deaths=sum(striker.dealt["server", signal] for signal in ("SIGKILL", "SIGSTOP")),
        )
        recalled = sum(server.recalled for server in cast.servers)
        return Run(evidence, striker.dealt, seconds, striker.struck, recalled)


def _options_for(plan):
    """Return the servers' options: those without which a class of trouble would take too long."""
    found, classes = {"durability": plan.durability}, plan.classes
    if not plan.merges:
        found["no-merge"] = True
    if OLD in classes:
        # Else nothing would be remembered after the first doubt, and the first takeover.
        found |= {"late-write-guard": 0.5, "request-timeout": 3.0}
    if LENDERS in classes:
        found |= {f"{kind}-per-minute": LENT for kind in ("reads", "writes")}
        found |= {f"project-{kind}-per-minute": LENT_PROJECT for kind in ("reads", "writes")}
    if STOPS in classes:
        found["shutdown-timeout"] = 0.3
    if CONTENT in classes:
        found |= {"retry-for": 2.0, "request-timeout": 3.0}
    return found


def _new_signing_key(folder):
    path = folder / "signing.key"
    path.touch(0o600)
    path.write_text(secrets.token_hex(32))
    return str(path)


def _new_books(direct):
    """Make the spreadsheets; return their keys by their titles."""
    books = {}
    for title in BOOKS:
        book = direct.create(title)
        for name in (ROWS, INSERTS, CELLS, TOTALS, TYPED):
            book.add_worksheet(name, 200, 2)
        books[title] = book.id
    return books


def _set_the_scene(emulator, plan):
    """Let requests be slow, limited and faulty from now on; return what counts them."""
    emulator.latency = plan.latency
    emulator.apply_share = "random"
    user, project = _limits_of(plan)
    emulator.quotas = Quotas(
        *(user, user, project, project),
        window=WINDOW,
        movement=plan.movement,
        counted=_counted_in(plan),
    )
    moments = Moments(emulator)
    for fault in plan.poison.faults() if plan.poison else ():
        emulator.faults.add(fault, match=plan.poison.is_in)
    for fault in (*_FAULTS, *(ODD if BODIES in plan.classes else ())):
        emulator.faults.add(fault, rate=plan.fault_rate)
    return moments


def _counted_in(plan):
    """Return when the emulator counts a request.

    A slot is held until a window after its server has given up on the answer, or was found gone:
    what is silent for longer than that is counted when it arrives.
    """
    is_silent = plan.poison is not None and plan.poison.how == SILENT
    return "arrival" if is_silent else "random"


def _limits_of(plan):
    """Return the quota of an account, and that of a project; 0 is no limit."""
    return (LENT, LENT_PROJECT) if LENDERS in plan.classes else (LIMIT, 0)


def _let_them_work(cast, striker):
    """Let the clients work under blows; return how long that took, and who did not end."""
    began = time.monotonic()
    striker.start()
    for client in list(cast.clients):
        client.go()
    if isinstance(striker, Exchanger):
        striker.until_done()
        for client in cast.clients:
            client.stop()
    # Whoever was killed may have a successor, which comes later.
    joined = itertools.takewhile(
        lambda client: client.join(_LIMIT_OF_A_CALL),
        _as_they_come(cast.clients, striker),
    )
    count = sum(1 for _ in joined)
    seconds = time.monotonic() - began
    hung = {client.work.name for client in cast.clients[count:] if client.is_running}
    return seconds, hung


def _as_they_come(clients, striker):
    yield from iter(clients)
    striker.end()
    yield from clients[len(clients) :]


def _evidence(cast, plan, emulator, direct, folder, hung, typist):
    """Return what is left once the queue is empty and the servers have ended."""
    emulator.faults.clear()
    emulator.latency = 0.0
    left = _end_in_good_order(cast, hung)
    failures = {call.job_id: call for call in failed_calls(Settings(cast.redis.url, NAMESPACE))}
    ledger = emulator.ledger
    limited = [served for served in ledger if typist is None or served.account != typist.email]
    emulator.quotas = Quotas()
    names = [client.work.name for client in cast.clients]
    over = excesses(counted_in(limited), WINDOW, *_limits_of(plan))
    lending = cast.lending
    return Evidence(
        calls=[
            as_it_ended(call, failures)
            for name in names
            for call in read_history(folder / f"{name}.jsonl")
        ],
        killed={client.work.name for client in cast.clients if client.is_killed},
        hung=hung,
        books=books_of(direct, names),
        copies=copies_of(direct),
        counted=counted_of(ledger, cast.books, names),
        totals=totals_of(ledger, cast.books),
        typed=typed_of(ledger, cast.books),
        refused=[
            *(f"{served.method} {served.path}" for served in limited if served.refused_by),
            *map(str, over),
        ],
        trespasses=lending.trespasses_in(ledger) if lending else [],
        lent=lending.sent_in(ledger) if lending else 0,
        left=left,
        died=list(_complaints(cast)),
    )


def _end_in_good_order(cast, hung):
    """Have the servers empty the queue and end; return the keys that are left in Redis."""
    with cast.redis.client() as raw:
        if not hung:
            eventually(lambda: not raw.exists(Keys(NAMESPACE).active), "the queue is empty")
        for server in cast.servers:
            server.signal("SIGTERM")
        for server in cast.servers:
            server.wait()
        return keys_of(raw, NAMESPACE)


def _complaints(cast):
    for server in cast.servers:
        yield from server.complaints()
    for client in cast.clients:
        if client.complaint:
            yield client.complaint
