"""A process that uses a sheet like a user's; its commands come line by line, as JSON."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import queued_gspread as gspread


def append(sheets, number, row):
    """Append a row; return the outcome and the seconds that it took."""
    began = time.monotonic()
    try:
        sheets[number % len(sheets)].append_row([row], value_input_option="RAW")
    except gspread.exceptions.GSpreadException as error:
        return [row, type(error).__name__, time.monotonic() - began]
    return [row, "ok", time.monotonic() - began]


def append_all(todo):
    """Open the sheets, wait for the word, append all rows; print each one's outcome."""
    names = ("redis_url", "namespace", "signing_key_file")
    client = gspread.authorize(**{name: todo[name] for name in names})
    sheets = [client.open_by_key(key).sheet1 for key in todo["keys"]]
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(todo["threads"]) as pool:
        if todo["calls"] is None:
            done = append_until_told(todo, sheets, pool)
        else:
            rows = [f"{todo['name']}-{number}" for number in range(todo["calls"])]
            done = pool.map(lambda item: append(sheets, *item), enumerate(rows))
        print(json.dumps(list(done)), flush=True)


def append_until_told(todo, sheets, pool):
    """Append rows without a pause until a line comes; return each one's outcome."""
    is_over, numbers, done = threading.Event(), itertools.count(), []

    def work():
        while not is_over.is_set():
            number = next(numbers)
            done.append(append(sheets, number, f"{todo['name']}-{number}"))

    working = [pool.submit(work) for _ in range(todo["threads"])]
    sys.stdin.readline()
    is_over.set()
    for one in working:
        one.result()
    return done


def main():
    for line in sys.stdin:
        append_all(json.loads(line))


if __name__ == "__main__":
    main()
