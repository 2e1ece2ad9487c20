"""How many requests a second the emulator serves, and its memory with a million cells.

    python tests/emulator/emulator_load.py [REQUESTS] [CELLS]

The emulator is a process of its own; so are the clients of the second row. Memory is the resident
set of its process, from /proc.
"""

import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

EMULATOR = [sys.executable, "-W", "error", "-m", "queued_gspread", "emulator", "--port", "0"]
HEADERS = {"x-goog-api-key": "k", "Content-Type": "application/json"}
COLUMNS, CLIENTS = 100, 4
SPREADSHEET = {"name": "Load", "mimeType": "application/vnd.google-apps.spreadsheet"}


class Client:
    """One connection to an emulator."""

    def __init__(self, host):
        self._connection = http.client.HTTPConnection(host)

    def send(self, method, path, body=None):
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, HEADERS)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return content

    def new_spreadsheet(self):
        made = json.loads(self.send("POST", "/drive/v3/files", SPREADSHEET))
        return f"/v4/spreadsheets/{made['id']}"

    def close(self):
        self._connection.close()


def kinds(book):
    """Return the requests that are timed: what is sent for each, by its name."""
    write = f"{book}/values/A1?valueInputOption=RAW"
    append = f"{book}/values/A1:append?valueInputOption=RAW"
    return {
        "values.get of 100 cells": ("GET", f"{book}/values/A1:J10"),
        "values.update of a cell": ("PUT", write, {"values": [["x"]]}),
        "values.append of a row": ("POST", append, {"values": [["x", 1, 2.5]]}),
        "spreadsheets.get": ("GET", f"{book}?includeGridData=false"),
    }


def served(host, request, count):
    """Send a request so often; return how many a second were answered."""
    client = Client(host)
    began = time.perf_counter()
    for _ in range(count):
        client.send(*request)
    seconds = time.perf_counter() - began
    client.close()
    return count / seconds


def rates(host, count):
    """Print the requests a second of each kind, of one client and of several at once."""
    client = Client(host)
    book = client.new_spreadsheet()
    block = {"values": [[f"{row}/{column}" for column in range(10)] for row in range(10)]}
    client.send("PUT", f"{book}/values/A1?valueInputOption=RAW", block)
    with ProcessPoolExecutor(CLIENTS) as pool:
        for name, request in kinds(book).items():
            alone = served(host, request, count)
            together = pool.map(
                served, [host] * CLIENTS, [request] * CLIENTS, [count // CLIENTS] * CLIENTS
            )
            print(f"{name}: {alone:,.0f}/s, {CLIENTS} clients {sum(together):,.0f}/s", flush=True)
    client.close()


def memory(pid):
    """Return the resident set of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def fill(client, book, cells):
    """Write so many cells, half of them texts and half numbers, all different."""
    rows, block = cells // COLUMNS, 250
    size = {"rowCount": rows, "columnCount": COLUMNS}
    properties = {"sheetId": 0, "gridProperties": size}
    change = {"properties": properties, "fields": "gridProperties(rowCount,columnCount)"}
    client.send("POST", f"{book}:batchUpdate", {"requests": [{"updateSheetProperties": change}]})
    for start in range(0, rows, block):
        values = [
            [f"row {row}, {c}" if c % 2 else row * COLUMNS + c for c in range(COLUMNS)]
            for row in range(start, min(start + block, rows))
        ]
        path = f"{book}/values/A{start + 1}?valueInputOption=RAW"
        client.send("PUT", path, {"values": values})


def weigh(host, pid, cells):
    """Print what a sheet with so many cells takes, in memory and in time."""
    client = Client(host)
    book, before = client.new_spreadsheet(), memory(pid)
    began = time.perf_counter()
    fill(client, book, cells)
    written, after = time.perf_counter(), memory(pid)
    content = client.send("GET", f"{book}/values/Sheet1")
    read = time.perf_counter()
    assert len(json.loads(content)["values"]) == cells // COLUMNS
    client.close()
    print(f"{cells:,} cells: {before:.0f} MiB before, {after:.0f} MiB after", flush=True)
    print(f"written in {written - began:.1f} s, read in {read - written:.1f} s", flush=True)


def main(count=2000, cells=1_000_000):
    """Run an emulator, measure, and end it."""
    with subprocess.Popen(EMULATOR, stdout=subprocess.PIPE, text=True) as process:
        host = process.stdout.readline().rpartition("//")[2].strip()
        try:
            rates(host, count)
            weigh(host, process.pid, cells)
        finally:
            process.terminate()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
