"""Plain HTTP to an emulator whose clock is moved by hand."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import requests
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from gspread.auth import DEFAULT_SCOPES
from waiting import PATIENCE

KEY = {"x-goog-api-key": "k"}


def credentials_of(account):
    """Return fresh credentials of an account, or of an emulator's first one."""
    return Credentials.from_service_account_info(
        account.service_account_info(), scopes=DEFAULT_SCOPES
    )


def bearer(account):
    """Return the header with a new access token of an account."""
    credentials = credentials_of(account)
    credentials.refresh(Request())
    return {"Authorization": f"Bearer {credentials.token}"}


class Traffic:
    """Requests to one spreadsheet of an emulator, sent with an API key unless told otherwise."""

    def __init__(self, emulator):
        self.emulator = emulator
        body = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}
        made = self.send("POST", "/drive/v3/files", json=body)
        self.path = f"/v4/spreadsheets/{made.json()['id']}"
        emulator.clear_ledger()
        self._pool = ThreadPoolExecutor(32)

    def send(self, method, path, headers=KEY, **kwargs):
        url = self.emulator.url + path
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **kwargs)

    def read(self, headers=KEY):
        return self.send("GET", f"{self.path}/values/A1:A9", headers)

    def write(self, headers=KEY, value="x"):
        path = f"{self.path}/values/A1:append?valueInputOption=RAW"
        return self.send("POST", path, headers, json={"values": [[value]]})

    def list_files(self, headers=KEY):
        return self.send("GET", "/drive/v3/files", headers)

    def rows(self):
        """Return what has been written, looked up behind quotas, faults and latency."""
        book = next(iter(self.emulator._store.files.values())).book
        values = (book.sheets[0].grid.get(row, 0).value for row in itertools.count())
        return list(itertools.takewhile(lambda value: value is not None, values))

    def start(self, call, *args):
        """Begin a request in a thread; return its future once the emulator waits for its moment."""
        before = self.emulator.under_way
        future = self._pool.submit(call, *args)
        self.emulator.wait_until_under_way(before + 1)
        # Its one thread answers this only when it has nothing else to do for the request.
        assert self.send("GET", "/emulator/summary").status_code == 200
        return future

    def close(self):
        self._pool.shutdown()
