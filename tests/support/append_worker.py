"""A process that uses a sheet, as a user's would; what to do comes line by line, as JSON."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import queued_gspread as gspread


def append(sheets, number, row):
    """Append a row; return what became of it, and the seconds that took."""
    began = time.monotonic()
    try:
        sheets[number % len(sheets)].append_row([row], value_input_option="RAW")
    except gspread.exceptions.GSpreadException as error:
        return [row, type(error).__name__, time.monotonic() - began]
    return [row, "ok", time.monotonic() - began]


def append_all(todo):
    """Open the sheets, wait for the word, append all rows; print what became of each."""
    names = ("redis_url", "namespace", "signing_key_file")
    client = gspread.authorize(**{name: todo[name] for name in names})
    sheets = [client.open_by_key(key).sheet1 for key in todo["keys"]]
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(todo["threads"]) as pool:
        rows = [f"{todo['name']}-{number}" for number in range(todo["calls"])]
        done = pool.map(lambda item: append(sheets, *item), enumerate(rows))
        print(json.dumps(list(done)), flush=True)


def main():
    for line in sys.stdin:
        append_all(json.loads(line))


if __name__ == "__main__":
    main()
