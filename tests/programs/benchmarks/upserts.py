"""Processes that each upsert one row after the other into one sheet, under a quota."""

from __future__ import annotations

import json
from urllib.request import urlopen

from .emulated import Emulated
from .pipelines import LATENCY, QUOTA
from .row import Comparison, Row

GROUP = "upserts"
KEYS = 200

# Rounds of a read, an update and an append for all processes, and some to begin with.
_REQUESTS = 0.16


def run(place):
    processes, each = place.size.upserters, place.size.upserts
    measured = _measure(place, processes, each)
    name = f"{processes} processes, {each} upserts each"
    doubled = measured["doubled"]
    yield Row(GROUP, name, measured, f"{doubled} KEYS ARE THERE TWICE" if doubled else "")
    numbers = (measured["requests"], processes * each)
    yield Comparison(GROUP, f"{name}: requests / upserts", "", *numbers, _REQUESTS)


def _measure(place, processes, each):
    window = place.size.fair_window
    limits = [f"--{kind}-per-minute={QUOTA}" for kind in ("writes", "reads")]
    with Emulated(place, LATENCY, [*limits, f"--quota-window={window}"]) as google:
        server = google.server(*limits, f"--quota-window={window}")
        users = [google.user("queued") for _ in range(processes)]
        server.until_log("working as")
        key = users[0].ask(do="create", title="Book")
        for user in users:
            user.ask(do="upsert", key=key, numbers=[])  # so that all have opened the sheet
        before = _requests(google)
        for number, user in enumerate(users):
            mine = [(each * number + turn) * 7 % KEYS for turn in range(each)]
            user.tell(do="upsert", key=key, numbers=mine)
        seconds = max([user.answer()["seconds"] for user in users])
        requests = _requests(google) - before
        found = users[0].ask(do="column", key=key)
    return {
        "time_s": seconds,
        "requests": requests,
        "upserts": processes * each,
        "rows": len(found),
        "doubled": len(found) - len(set(found)),
    }


def _requests(google):
    with urlopen(f"{google.url}/emulator/summary") as answer:
        return json.load(answer)["requests"]
