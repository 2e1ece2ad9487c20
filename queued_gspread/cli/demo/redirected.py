"""Runs a plain gspread script unchanged, with the emulator where it expects Google.

Its arguments are the file of ``emulator.redirect``, the emulator's URL, the script, and what the
script is given.
"""

import runpy
import sys

import requests

if __name__ == "__main__":
    # By its file: to import all of the package would take each worker as long as gspread does.
    adapter = runpy.run_path(sys.argv[1])["EmulatorAdapter"](sys.argv[2])
    setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)  # noqa: B010 - for mypy
    sys.argv[:] = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
