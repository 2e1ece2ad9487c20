"""The rules that every run has to keep: pure functions over what was seen and what is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fates import MADE, MAYBE, NOT_MADE, UNSTATED, fate_of

from .ages import too_old
from .history import LEFT
from .places import number_in
from .poison import MARK, SILENT

LOST, DOUBLED, UNASKED, INVENTED = "lost", "doubled", "made all the same", "invented"
STALE, ORDER, HANGS, STRANGE = "stale read", "order", "hangs", "unstated error"
LEFTOVER, REFUSED, DIED = "leftover key", "refused by the quota", "died"
LAPSED, OLD = "sent for a lapsed holder", "older than its max_age"
LAPSED = "sent for a lapsed holder"
LENT = "lent where the own account may not"
SWALLOWED, HARMED, BLAMED = "swallowed", "failed for another's fault", "no server died of it"

_JOB_LOST, _HANDOVER = "JobLostError", "failover"
# As many servers have to die while they have a job before it is told that they died of it.
_DEATHS = 3
# The keys that stay, by what follows the namespace (see broker.keys); others have to expire.
_STAYING = (
    *("server", "dedup", "formats", "throttle", "account", "failed", "answered", "actions"),
    *("outcomes", "errors", "published"),
    *("slots:read", "slots:write", "slots:drive"),
)
# Those of accounts that lend their quota, by how they begin.
_STAYING_OF_ACCOUNTS = ("slots:read:", "slots:write:", "slots:drive:", "throttle:")
_EXPIRING = ("reply:", "control:", "renewal:")


@dataclass
class Book:
    """What stands in a spreadsheet at the end.

    Attributes:
        rows: The values of the rows that were appended, from the top; '' for an empty row.
        inserts: The values of the rows that were inserted, each above all others.
        cells: The counter of each client.
        sheets: The titles of the sheets that were added.
        total: The number that was counted under locks, and who has written it.

    """

    rows: list[str] = field(default_factory=list)
    inserts: list[str] = field(default_factory=list)
    cells: dict[str, int] = field(default_factory=dict)
    sheets: list[str] = field(default_factory=list)
    total: str = ""


@dataclass
class Evidence:
    """All that is known of a run.

    Attributes:
        calls: The calls of all clients.
        killed: The clients that were killed.
        hung: The clients that did not end in time.
        books: What stands in the spreadsheets at the end, by their titles.
        copies: The titles of the copies that were made of spreadsheets, each with its rows.
        counted: The counters that were written, in the order in which they were applied: title,
            client and number.
        totals: The numbers that were counted under locks, in that order: title, number, increment.
        typed: What was typed without the queue, in that order: title, number, when it was there.
        refused: The requests that the emulator's own quota refused, and what of them is more in a
            window than a quota allows.
        trespasses: The requests of lenders on what the servers' own account may not do.
        lent: How many requests lenders have sent.
        left: The keys that are left in Redis, with the seconds until they expire, or None.
        died: What ended although nobody had ended it, or ended badly.
        poison: What always fails, as :class:`.poison.Poison` tells it, or None.
        deaths: How many servers were killed or stopped while they worked.
        forgets: Whether Redis may have forgotten jobs, as where another one took over from it.

    """

    calls: list[Any] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    hung: set[str] = field(default_factory=set)
    books: dict[str, Book] = field(default_factory=dict)
    copies: list[tuple[str, list[str]]] = field(default_factory=list)
    counted: list[tuple[str, str, int]] = field(default_factory=list)
    totals: list[tuple[str, int, str]] = field(default_factory=list)
    typed: list[tuple[str, int, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    trespasses: list[str] = field(default_factory=list)
    lent: int = 0
    left: dict[str, int | None] = field(default_factory=dict)
    died: list[str] = field(default_factory=list)
    poison: Any = None
    deaths: int = 0
    forgets: bool = False


@dataclass(frozen=True)
class Violation:
    """A rule that was not kept: where, and the calls that tell of it."""

    rule: str
    what: str
    calls: tuple[Any, ...] = ()


def violations(evidence):
    """Return everything that should not be."""
    rules = (
        *(_answers, _interrupts, _poisoned, _blamed, _rows, _inserts, _sheets, _copies),
        *(_row_order, _insert_order, _row_reads, _cell_reads, _ages),
        *(_counters, _totals, _keys, _quota, _deaths, _lent),
    )
    return [found for rule in rules for found in rule(evidence)]


def is_foretold(violation, plan):
    """Tell whether a rule may be broken like that where one Redis takes over from another.

    What `docs/guarantees.md` says of it: a master may not have passed on jobs and answers, or that
    a job was withdrawn. With ``replicated`` it has what is not idempotent, and so does, without
    it, the process of a server that has sent it, for as long as there is no other server. Nobody is
    there to miss a call that was left in the queue, unless the master was only asked to hand over.
    """
    if plan.topology == "alone":
        return False
    calls = violation.calls
    are_answered = bool(calls) and all(call.is_ok for call in calls)
    if violation.rule == DOUBLED and plan.durability == "local":
        return plan.has_standby or not are_answered
    if violation.rule == LOST:
        is_left = any(call.outcome == LEFT for call in calls) and not any(c.is_ok for c in calls)
        return is_left and any(blow.signal != _HANDOVER for blow in plan.blows)
    return violation.rule in (UNASKED, LEFTOVER) or (violation.rule == ORDER and not are_answered)


def _answers(evidence):
    """Find calls that were neither answered nor failed with an error that is stated."""
    for client in sorted(evidence.hung):
        last = [call for call in evidence.calls if call.client == client][-1:]
        yield Violation(HANGS, f"{client} did not end in time", tuple(last))
    for call in evidence.calls:
        if call.ended is None and call.client not in evidence.killed | evidence.hung:
            yield Violation(HANGS, f"{call.client} was never answered", (call,))
        is_stated = fate_of(call) != UNSTATED or (evidence.forgets and _is_forgotten(call))
        if not is_stated or _is_forbidden_for_nothing(evidence, call):
            yield Violation(STRANGE, f"{call.outcome}: {call.told}", (call,))


def _is_forgotten(call):
    """Tell whether a call has ended as one does whose job, or what was signed of it, is lost."""
    return call.outcome == _JOB_LOST or (bool(call.job) and call.outcome == "SignatureError")


def _is_forbidden_for_nothing(evidence, call):
    """Tell whether a call has ended with a 403 although nothing that it holds meets one."""
    is_meant = call.what == "trespass" or _is_poisoned(evidence, call)
    return call.status == HTTPStatus.FORBIDDEN and not is_meant


def _is_silent(evidence):
    return evidence.poison is not None and evidence.poison.how == SILENT


def _is_poisoned(evidence, call):
    return evidence.poison is not None and evidence.poison.befalls(call)


def _interrupts(evidence):
    """Find calls out of which it did not come what a signal's handler had raised."""
    for call in evidence.calls:
        if call.swallowed:
            yield Violation(SWALLOWED, f"{call.swallowed} in {call.client}", (call,))


def _poisoned(evidence):
    """Find calls that have ended with an error that is for what another call holds."""
    for call in evidence.calls:
        is_silenced = call.outcome == "ReadTimeout" and _is_silent(evidence)
        if (MARK in call.told or is_silenced) and not _is_poisoned(evidence, call):
            yield Violation(HARMED, f"{call.client}: {call.told}", (call,))


def _blamed(evidence):
    """Find calls of which servers are said to have died, when there were too few that did."""
    for call in evidence.calls:
        if call.outcome == "PoisonedJobError" and evidence.deaths < _DEATHS:
            yield Violation(BLAMED, f"{call.client}: {evidence.deaths} servers died", (call,))


def _once(place, found, calls):
    """Compare what is there with the calls that were to put it there."""
    there = Counter(found)
    asked = {call.value: call for call in calls}
    for value in sorted(there.keys() - asked.keys()):
        yield Violation(INVENTED, f"{value!r} in {place}")
    for value, call in asked.items():
        fate, times = fate_of(call), there[value]
        if times > 1:
            yield Violation(DOUBLED, f"{value!r} is {times} times in {place}", (call,))
        elif fate == MADE and not times:
            yield Violation(LOST, f"{value!r} is not in {place}", (call,))
        elif fate == NOT_MADE and times:
            yield Violation(UNASKED, f"{value!r} is in {place}", (call,))


def _of(evidence, what, title=None):
    return [c for c in evidence.calls if c.what == what and title in (None, c.book)]


def _rows(evidence):
    """Find rows that are lost, doubled, or there against what was told."""
    for title, book in evidence.books.items():
        yield from _once(f"the rows of {title}", book.rows, _of(evidence, "append", title))


def _inserts(evidence):
    """Find the same among inserted rows; and more empty ones than calls that failed."""
    for title, book in evidence.books.items():
        calls = _of(evidence, "insert", title)
        filled = [value for value in book.inserts if value]
        yield from _once(f"the inserted rows of {title}", filled, calls)
        empty = len(book.inserts) - len(filled)
        failed = [call for call in calls if fate_of(call) in (MAYBE, UNSTATED)]
        if empty > len(failed):
            yield Violation(DOUBLED, f"{empty} empty rows in {title}", tuple(failed))


def _sheets(evidence):
    """Find the same among sheets that were added."""
    for title, book in evidence.books.items():
        yield from _once(f"the sheets of {title}", book.sheets, _of(evidence, "add_sheet", title))


def _copies(evidence):
    """Find the same among copies, and copies without what was written before they began."""
    calls = _of(evidence, "copy")
    yield from _once("the files", [title for title, _ in evidence.copies], calls)
    asked = {call.value: call for call in calls}
    for title, rows in evidence.copies:
        if title in asked and asked[title].is_ok:
            yield from _fresh(evidence, asked[title], rows)


def _row_order(evidence):
    """Find rows that do not stand in the order of the calls that appended them."""
    for title, book in evidence.books.items():
        yield from _ordered(f"the rows of {title}", book.rows, _of(evidence, "append", title))


def _insert_order(evidence):
    """Find inserted rows that do not stand above those that were inserted before."""
    for title, book in evidence.books.items():
        place, calls = f"the inserted rows of {title}", _of(evidence, "insert", title)
        yield from _ordered(place, book.inserts[::-1], calls)


def _ordered(place, found, calls):
    """Find calls that had ended before another began and come after it, whoever made them."""
    asked = {call.value: call for call in calls}
    there = [asked[value] for value in found if value in asked]
    latest = None
    for call in there:
        if latest is not None and call.end < latest.began:
            what = f"{call.value!r} after {latest.value!r} in {place}"
            yield Violation(ORDER, what, (call, latest))
        if latest is None or call.began > latest.began:
            latest = call


def _row_reads(evidence):
    """Find reads without what was written before them, or what an earlier read has shown."""
    for title in evidence.books:
        reads = [call for call in evidence.calls if call.book == title and _shows_rows(call)]
        for read in reads:
            yield from _fresh(evidence, read, read.result)
        yield from _growing(sorted(reads, key=lambda read: read.began))


def _shows_rows(call):
    return call.is_ok and call.what in ("rows", "open")


def _fresh(evidence, read, shown):
    """Find what is older than the writes that had ended, or newer than those that had begun."""
    writes = _of(evidence, "append", read.book)
    seen = set(shown)
    for write in writes:
        if write.is_ok and write.end < read.began and write.value not in seen:
            yield Violation(STALE, f"{read.client} did not see {write.value!r}", (write, read))
    begun = {write.value for write in writes if write.began <= read.end}
    for value in sorted(seen - begun):
        yield Violation(INVENTED, f"{read.client} saw {value!r}", (read,))


def _growing(reads):
    """Find reads without what a read has shown that had ended before they began."""
    for read in reads:
        for other in (other for other in reads if other.end < read.began):
            missing = set(other.result) - set(read.result)
            if missing:
                what = f"{read.client} did not see {sorted(missing)!r} any more"
                yield Violation(STALE, what, (other, read))
                break


def _cell_reads(evidence):
    """Find reads of a counter that are older than its last write, or were never written."""
    for read in _of(evidence, "cell"):
        if not read.is_ok:
            continue
        writes = [w for w in _of(evidence, "update", read.book) if w.client == read.value]
        least = max((w.value for w in writes if w.is_ok and w.end < read.began), default=0)
        most = max((w.value for w in writes if w.began <= read.end), default=0)
        if read.result < least:
            yield Violation(STALE, f"{read.client} saw {read.result}, not {least}", (read,))
        if read.result > most:
            yield Violation(INVENTED, f"{read.client} saw {read.result} after {most}", (read,))


def _ages(evidence):
    """Find reads of what was typed that are older than they may be; 0 is for those without an age.

    What was written through the queue no read may miss, of whatever age its answer may be.
    """
    for read, age in too_old(evidence.calls, evidence.typed):
        yield Violation(OLD, f"{read.client} saw what was replaced {age:.3f} s before", (read,))


def _counters(evidence):
    """Find counters that went back, or do not end at a number that they may end at."""
    latest = defaultdict(int)
    for title, client, number in evidence.counted:
        if number < latest[title, client]:
            what = f"{client}'s counter in {title}: {number} after {latest[title, client]}"
            yield Violation(ORDER, what)
        latest[title, client] = number
    for title, book in evidence.books.items():
        for client, calls in _by_client(_of(evidence, "update", title)).items():
            yield from _last_counter(title, book.cells.get(client, 0), calls)


def _totals(evidence):
    """Find increments under locks that are lost, doubled or made by who no longer held the lock."""
    for title, book in evidence.books.items():
        place, number, made = f"the total of {title}", 0, []
        for _, count, value in (each for each in evidence.totals if each[0] == title):
            if made[-1:] == [value]:
                continue  # a retry of the same request
            if count != number + 1:
                yield Violation(LAPSED, f"{value!r} wrote {count} after {number} in {place}")
            number = max(number, count)
            made.append(value)
        yield from _once(place, made, _of(evidence, "increment", title))
        if made and number_in(book.total) != len(made):
            yield Violation(LOST, f"{book.total!r} after {len(made)} increments in {place}")


def _by_client(calls):
    found = defaultdict(list)
    for call in calls:
        found[call.client].append(call)
    return found


def _last_counter(title, number, calls):
    least = max((call.value for call in calls if fate_of(call) == MADE), default=0)
    possible = {call.value for call in calls if fate_of(call) != NOT_MADE} | {0}
    if number < least:
        yield Violation(LOST, f"a counter in {title} is {number}, not {least}", tuple(calls[-2:]))
    elif number not in possible:
        yield Violation(UNASKED, f"a counter in {title} is {number}", tuple(calls[-2:]))


def _keys(evidence):
    """Find keys in Redis that are not documented to stay, or to expire."""
    for key, expiry in sorted(evidence.left.items()):
        of_account = key.startswith(_STAYING_OF_ACCOUNTS) and "@" in key
        stays = key in _STAYING or of_account or (key.startswith(_EXPIRING) and expiry is not None)
        if not stays:
            yield Violation(LEFTOVER, f"{key}, which expires in {expiry} s")


def _quota(evidence):
    """Find requests that the emulator's own quota refused."""
    for request in evidence.refused:
        yield Violation(REFUSED, request)


def _lent(evidence):
    """Find what lenders were used for, or callers were given, that the own account may not do."""
    for request in evidence.trespasses:
        yield Violation(LENT, request)
    for call in _of(evidence, "trespass"):
        if call.is_ok:
            yield Violation(LENT, f"{call.client} was let to {call.book}", (call,))


def _deaths(evidence):
    """Find processes that ended although nobody had ended them, or ended badly."""
    for what in evidence.died:
        yield Violation(DIED, what)
