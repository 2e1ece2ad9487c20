"""Plain gspread at the emulator, in one process."""

from __future__ import annotations

import gspread

from queued_gspread.emulator.redirect import EmulatorAdapter


def client(where):
    found = gspread.service_account(where["key_file"])
    found.http_client.session.mount("https://", EmulatorAdapter(where["emulator"]))
    return found
