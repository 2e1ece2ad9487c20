"""Run a plain gspread script unchanged, with the emulator in place of Google.

Its arguments are the file of ``emulator.redirect``, the emulator's URL, the script, and the
script's own arguments.
"""

import runpy
import sys

import requests

if __name__ == "__main__":
    # Run as a file: importing the whole package would take each worker as long as gspread does.
    adapter = runpy.run_path(sys.argv[1])["EmulatorAdapter"](sys.argv[2])
    setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)  # noqa: B010 - for mypy
    sys.argv[:] = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
