"""Runs a plain gspread script unchanged, with the emulator where it expects Google.

Its arguments are the emulator's URL, the script, and what the script is given.
"""

import runpy
import sys

import requests

from queued_gspread.emulator.redirect import EmulatorAdapter

if __name__ == "__main__":
    adapter = EmulatorAdapter(sys.argv[1])
    setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)  # noqa: B010 - mypy refuses "="
    sys.argv[:] = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
