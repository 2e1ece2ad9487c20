"""A user's process: the same code with plain gspread, or through the queue."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import gspread
import redis.asyncio
from flood import memory_of

import queued_gspread.asyncio
from queued_gspread.emulator.redirect import EmulatorAdapter

from .peer import answer_all

COLUMNS = 100
"""Of a sheet with a large value."""
_MOST_WAITING = 200


def _direct(where):
    client = gspread.service_account(where["key_file"])
    client.http_client.session.mount("https://", EmulatorAdapter(where["emulator"]))
    return client


def _queued(where):
    return queued_gspread.authorize(redis_url=where["redis_url"], namespace=where["namespace"])


class User:
    """What a user does with a client."""

    def __init__(self, client):
        self._client = client
        self._sheets = {}

    def create(self, title, rows=100, columns=20):
        """Make a spreadsheet; return its key."""
        book = self._client.create(title)
        book.sheet1.resize(rows, columns)
        return book.id

    def script(self, key):
        """Make the calls of an ordinary script; return the seconds that each took."""
        sheet = self._sheet(key)
        calls = (
            lambda: sheet.update_acell("A1", "total"),
            lambda: sheet.acell("A1"),
            lambda: sheet.append_row(["2026-01-02", 59.9, "paid"]),
            lambda: sheet.update([[1, 2], [3, 4]], "F1"),
            lambda: sheet.batch_get(["A1:B2", "F1:G2"]),
            lambda: sheet.row_values(1),
            lambda: sheet.format("A1", {"textFormat": {"bold": True}}),
            sheet.get_all_values,
        )
        return [_seconds(call) for call in calls]

    def write(self, key, rows):
        """Write a large value; return the seconds that took, and the peak of the memory."""
        sheet, values = self._sheet(key), large_value(rows)
        return _measured(lambda: sheet.update(values, "A1", raw=True))

    def read(self, key):
        """Read all of a sheet; return the same."""
        return _measured(self._sheet(key).get_all_values)

    def contend(self, keys, callers, count, at_once, every, rest):
        """Have callers write to a sheet, and others to a second one now and then meanwhile.

        Args:
            keys: Of the first spreadsheet, and of the second if there is one.
            callers: How many write to the first at a time.
            count: How many writes it gets.
            at_once: How many the second gets at a time.
            every: Seconds from one such time to the next.
            rest: Seconds without a write before all of it.

        """
        sheets = [self._sheet(key) for key in keys]
        request = min(_seconds(lambda sheet=sheet: _write(sheet)) for sheet in sheets)
        time.sleep(rest)
        over, waits = threading.Event(), []
        with ThreadPoolExecutor(callers) as busy, ThreadPoolExecutor(_MOST_WAITING) as others:
            began = time.perf_counter()
            writes = [busy.submit(_write, sheets[0]) for _ in range(count)]
            seldom = threading.Thread(
                target=_now_and_then, args=(others, sheets[-1], at_once, every, over, waits)
            )
            seldom.start()
            for write in writes:
                write.result()
            seconds = time.perf_counter() - began
            over.set()
            seldom.join()
            return {"seconds": seconds, "request": request, "waits": [w.result() for w in waits]}

    def spread(self, keys, callers, count, rest):
        """Have callers append rows to each of several sheets; return the seconds that took.

        Args:
            keys: Of the spreadsheets.
            callers: How many append to each, one row after the other.
            count: How many rows each of them appends.
            rest: Seconds without a request before all of it.

        """
        sheets = [self._sheet(key) for key in keys] * callers

        def append(caller):
            for number in range(count):
                sheets[caller].append_row([f"row {caller}-{number}"])

        time.sleep(rest)
        with ThreadPoolExecutor(len(sheets)) as pool:
            return _seconds(lambda: list(pool.map(append, range(len(sheets)))))

    def rows(self, key):
        """Return the first column."""
        return self._sheet(key).col_values(1)

    def loop(self, key, what, count, seed=0):
        """Make a plain loop of calls in a pipeline; return what it took, and what it left.

        Returns:
            The seconds until all were put in, and until all were there; the peak of the memory;
            and whether the cells are what a plain loop leaves.

        """
        sheet, began = self._sheet(key), time.perf_counter()
        expected, seen = {}, []
        with queued_gspread.pipeline(reorder=what == "reordered mix"):
            for call in loop(what, count, seed):
                call(sheet, expected, seen)
            put_in = time.perf_counter() - began
        seconds = time.perf_counter() - began
        found = {cell.address: cell.value for cell in sheet.range(f"D1:D{count}") if cell.value}
        is_right = all(wanted == cell.value for wanted, cell in seen)
        is_right &= what == "append_row" or found == {k: v for k, v in expected.items() if v}
        peak = memory_of(os.getpid(), "VmHWM")
        return {"seconds": seconds, "put_in": put_in, "peak_mib": peak, "is_right": is_right}

    def gather(self, key, count):
        """Append rows in asyncio, all at a time; return the same, and the most connections."""
        settings = self._client.http_client._self_caller.settings
        return asyncio.run(_gather(settings, key, count))

    def upsert(self, key, numbers):
        """Upsert one row for each number, one after the other; return the seconds that took."""
        sheet = self._sheet(key)
        if not numbers:
            sheet.update([["id", "count"]])

        def make():
            for count, number in enumerate(numbers):
                queued_gspread.upsert_rows(sheet, [{"id": number, "count": count}], key="id")

        return {"seconds": _seconds(make)}

    def count_up(self, key, cell, seconds, every):
        """Write the numbers from 0 on to a cell, one each time, for so long: at least the 0."""
        sheet, end = self._sheet(key), time.monotonic() + seconds
        sheet.update_acell(cell, 0)
        for number in itertools.count(1):
            time.sleep(every)
            if time.monotonic() >= end:
                break
            sheet.update_acell(cell, number)

    def column(self, key):
        """Return the first column without its header."""
        return self._sheet(key).col_values(1)[1:]

    def openall(self):
        """Open all spreadsheets; return how many there are."""
        return len(self._client.openall())

    def open(self, key):
        """Open a spreadsheet; return the moment at which that was done."""
        self._client.open_by_key(key)
        return time.monotonic()

    def _sheet(self, key):
        if key not in self._sheets:
            self._sheets[key] = self._client.open_by_key(key).sheet1
        return self._sheets[key]


async def _gather(settings, key, count):
    url = f"{settings.redis_url}?client_name=gather"
    client = queued_gspread.asyncio.authorize(redis_url=url, namespace=settings.namespace)
    sheet = await (await client.open_by_key(key)).get_sheet1()
    began, most = time.perf_counter(), 0
    rows = asyncio.gather(*(sheet.append_row([f"row {n}", n]) for n in range(count)))
    async with redis.asyncio.Redis.from_url(settings.redis_url) as raw:
        while not rows.done():
            names = [each["name"] for each in await raw.client_list()]
            most = max(most, names.count("gather"))
            await asyncio.wait({rows}, timeout=0.05)
    seconds = time.perf_counter() - began
    is_right = len(await sheet.col_values(1)) == len(await rows) == count
    peak = memory_of(os.getpid(), "VmHWM")
    found = {"seconds": seconds, "put_in": 0.0, "peak_mib": peak, "is_right": is_right}
    return found | {"connections": most}


def loop(what, count, seed):
    """Yield the calls of a loop, in a drawn order where reads and writes are mixed; pure."""
    chance = random.Random(seed)
    for number in range(count):
        turn = chance.choice(["acell", "update_acell"]) if what.endswith("mix") else what
        row = chance.randint(1, count) if what.endswith("mix") else number + 1
        yield partial(_CALLS[turn], f"D{row}", number)


def _append(_label, number, sheet, _expected, _seen):
    sheet.append_row([f"row {number}", number])


def _read(label, _number, sheet, expected, seen):
    seen.append((expected.get(label), sheet.acell(label)))


def _put(label, number, sheet, expected, _seen):
    expected[label] = f"cell {number}"
    sheet.update_acell(label, expected[label])


_CALLS = {"append_row": _append, "acell": _read, "update_acell": _put}


def _now_and_then(pool, sheet, at_once, every, over, waits):
    """Write so often at a time until all is over, once at the least; note how long each took."""
    while at_once and not (over.wait(every) and waits):
        waits += [pool.submit(_seconds, lambda: _write(sheet)) for _ in range(at_once)]


def _write(sheet):
    sheet.update_acell("A1", "x")


def large_value(rows):
    """Return rows of strings and numbers, as short as a request of Google's size wants them."""
    return [
        [(row * COLUMNS + n) % 99_991 if n % 2 else f"r{row % 997}" for n in range(COLUMNS)]
        for row in range(rows)
    ]


def _measured(call):
    return {"seconds": _seconds(call), "peak_mib": memory_of(os.getpid(), "VmHWM")}


def _seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main():
    where = json.loads(sys.argv[1])
    user = User({"direct": _direct, "queued": _queued}[where["way"]](where))
    answers = "create script write read openall open contend loop gather upsert column count_up "
    answers += "spread rows"
    answer_all({name: getattr(user, name) for name in answers.split()})


if __name__ == "__main__":
    main()
