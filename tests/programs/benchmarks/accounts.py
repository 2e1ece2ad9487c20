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

_BOUND = 1.05
_PAGE = 1_000


def run(place):
    results = {number: _measure(place, number) for number in ACCOUNTS}
    for number, (figures, told) in results.items():
        yield Row(GROUP, _name(number), figures, told)
    for number, (figures, _) in results.items():
        name, seconds = _name(number), figures["time_s"]
        yield Comparison(GROUP, f"{name}: time / bound", "s", seconds, figures["bound_s"], _BOUND)
        yield Comparison(GROUP, f"{name}: time / at the rate", "s", seconds, figures["rate_s"])


def _name(accounts):
    return f"{accounts} account{'s' * (accounts > 1)}, queued"


def _measure(place, accounts):
    """Return the figures of a run, and what a reader has to know of it."""
    size = place.size
    limits = [
        *(f"--{kind}-per-minute={QUOTA}" for kind in ("reads", "writes")),
        *(f"--project-{kind}-per-minute={PROJECT}" for kind in ("reads", "writes")),
        f"--quota-window={size.fair_window}",
    ]
    with Emulated(place, quota=limits, lenders=accounts - 1) as google:
        server = google.server(*limits, "--no-merge")
        user = google.user("queued")
        server.until_log("working as")
        keys = [user.ask(do="create", title=f"Book {n}") for n in range(size.lent_books)]
        each = size.lent_calls // (size.lent_books * CALLERS)
        rest = size.fair_window
        seconds = user.ask(do="spread", keys=keys, callers=CALLERS, count=each, rest=rest)
        ledger = _ledger(google)
        there = [Counter(user.ask(do="rows", key=key)) for key in keys]
    count = each * CALLERS * size.lent_books
    figures = {
        "time_s": seconds,
        "bound_s": max(1, count / (QUOTA * accounts) - 1) * size.fair_window,
        "rate_s": count / (QUOTA * accounts) * size.fair_window,
        "appends": count,
        "refused": sum(bool(entry["refused_by"]) for entry in ledger),
    }
    over = excesses(sent_in(ledger), size.fair_window, QUOTA, PROJECT)
    wrong = [f"{found.whose}: {found.count} {found.kind}s IN A WINDOW" for found in over]
    rows = sum(there, Counter())
    if len(rows) != count or set(rows.values()) != {1}:
        wrong.append(f"{count - len(rows)} ROWS LOST, {rows.total() - len(rows)} TWICE")
    return figures, ", ".join(wrong) or _shares(ledger)


def _shares(ledger):
    """Tell how many requests each account has sent to append."""
    sent = Counter(entry["account"] for entry in ledger if entry["path"].endswith(":append"))
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
