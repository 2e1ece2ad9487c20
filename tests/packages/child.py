"""``python -m tests.packages.child NAME HOW FOLDER EMULATOR``: a program in a process of its own.

HOW is `plain` or `queued`. For the latter the package is copied, with its imports of gspread
changed to this package, as somebody would who takes the package into his own code.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import sys
from pathlib import Path

from requests.adapters import HTTPAdapter

from queued_gspread.emulator.stand_in import _sender

from .programs import PROGRAMS

_CHANGES = (
    (re.compile(r"^(\s*)from gspread(?=[. ])", re.MULTILINE), r"\1from queued_gspread"),
    (re.compile(r"^(\s*)import gspread\s*$", re.MULTILINE), r"\1import queued_gspread as gspread"),
)


def main(name, how, folder, emulator):
    if how == "queued":
        _change_imports(name, Path(folder))
        gspread = importlib.import_module("queued_gspread")
    else:
        HTTPAdapter.send = _sender(emulator)
        gspread = importlib.import_module("gspread")
    program, _ = PROGRAMS[name]
    program(gspread, str(Path(folder) / ".config" / "gspread" / "service_account.json"))


def _change_imports(name, folder):
    """Put a changed copy of a package before the one that is installed."""
    found = Path(importlib.util.find_spec(name).origin)
    copies = folder / "changed"
    copies.mkdir()
    if found.name == "__init__.py":
        shutil.copytree(found.parent, copies / name)
    else:
        shutil.copy(found, copies)
    changed = 0
    for module in copies.rglob("*.py"):
        text = module.read_text()
        for pattern, by in _CHANGES:
            text, count = pattern.subn(by, text)
            changed += count
        module.write_text(text)
    assert changed, "there is no import of gspread to be changed"
    sys.path.insert(0, str(copies))


if __name__ == "__main__":
    main(*sys.argv[1:])
