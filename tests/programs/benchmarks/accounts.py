"""Appends to several spreadsheets under the quotas of one account, and of more that lend theirs."""

from __future__ import annotations

import json
from collections import Counter
from urllib.request import urlopen

from quota_judge import excesses, sent_in

from .emulated import Emulated
from .row import Comparison, Row

GROUP = "accounts"
QUOTA, PROJECT = 60, 300
ACCOUNTS = (1, 2, 5)
CALLERS = 2
"""How many callers append to a spreadsheet, each one call after the other."""

_GOAL = 1.05
_PAGE = 1_000


def run(place):
    cases = [(number, options) for number in ACCOUNTS for options in ((), ("--no-fair",))]
    results = {case: _measure(place, *case) for case in cases}
    for case, (figures, told) in results.items():
        yield Row(GROUP, _name(*case), figures, told)
    for case, (figures, _) in results.items():
        yield from _compared(_name(*case), figures, is_fair=not case[1])


def _compared(name, figures, *, is_fair):
    """Compare with the least time that the quota allows, and that at its rate.

    With several spreadsheets a part of the slots is spaced evenly over the window, so that what
    comes in between finds one: then the first window's slots cannot all be used at once. Without
    that, the bound allows no time for the requests of the last window: the first one tells what
    they take on this machine.
    """
    of_bound, of_rate = (None, _GOAL) if is_fair else (_GOAL, None)
    numbers, slack = (figures["time_s"], figures["bound_s"]), figures["first_s"] * (not is_fair)
    name_of = f"{name}: time / bound"
    yield Comparison(GROUP, name_of, "s", *numbers, of_bound, slack=round(slack, 2))
    numbers = (figures["time_s"], figures["rate_s"])
    yield Comparison(GROUP, f"{name}: time / at the rate", "s", *numbers, of_rate)


def _name(accounts, options):
    return ", ".join([f"{accounts} account{'s' * (accounts > 1)}, queued", *options])


def _measure(place, accounts, options):
    """Return the figures of a run, and what a reader has to know of it."""
    size = place.size
    limits = [
        *(f"--{kind}-per-minute={QUOTA}" for kind in ("reads", "writes")),
        *(f"--project-{kind}-per-minute={PROJECT}" for kind in ("reads", "writes")),
        f"--quota-window={size.fair_window}",
    ]
    with Emulated(place, quota=limits, lenders=accounts - 1) as google:
        server = google.server(*limits, "--no-merge", *options)
        user = google.user("queued")
        server.until_log("working as")
        keys = [user.ask(do="create", title=f"Book {n}") for n in range(size.lent_books)]
        each = size.lent_calls // (size.lent_books * CALLERS)
        seconds = user.ask(
            do="spread", keys=keys, callers=CALLERS, count=each, rest=size.fair_window
        )
        ledger = _ledger(google)
        there = sum((Counter(user.ask(do="rows", key=key)) for key in keys), Counter())
    count = each * CALLERS * size.lent_books
    figures = {
        "time_s": seconds,
        "bound_s": max(1, count / (QUOTA * accounts) - 1) * size.fair_window,
        "rate_s": count / (QUOTA * accounts) * size.fair_window,
        "first_s": _first(ledger, QUOTA * accounts),
        "refused": sum(bool(entry["refused_by"]) for entry in ledger),
    }
    over = excesses(sent_in(ledger), size.fair_window, QUOTA, PROJECT)
    figures["windows_over"] = len(over)
    wrong = [f"{found.whose}: {found.count} {found.kind}s IN A WINDOW" for found in over]
    if (sent := len(_appends(ledger))) < count:
        wrong.append(f"{count} CALLS WERE MERGED INTO {sent} REQUESTS")
    if len(there) != count or set(there.values()) != {1}:
        lost, twice = count - len(there), sum(there.values()) - len(there)
        wrong.append(f"{lost} ROWS LOST, {twice} TWICE")
    return figures, ", ".join(wrong) or _shares(ledger)


def _appends(ledger):
    """Return the requests that append, in order of their arrival."""
    found = [entry for entry in ledger if entry["path"].endswith(":append")]
    return sorted(found, key=lambda entry: entry["arrived"])


def _first(ledger, count):
    """Return the seconds that so many appends took, the first of all."""
    appends = _appends(ledger)[:count]
    return appends[-1]["answered"] - appends[0]["arrived"]


def _shares(ledger):
    """Tell how many requests each account has sent to append."""
    sent = Counter(entry["account"] for entry in _appends(ledger))
    return "appends by account: " + " ".join(str(sent[name]) for name in sorted(sent))


def _ledger(google):
    entries, after = [], 0
    while True:
        with urlopen(f"{google.url}/emulator/ledger?after={after}&limit={_PAGE}") as answer:
            page = json.load(answer)["entries"]
        if not page:
            return [entry for entry in entries if entry["to"] == "api"]
        entries += page
        after = page[-1]["number"]
