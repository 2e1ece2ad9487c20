"""An earlier version of this package, whose queue has the same format, from its commit's wheel."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from places import TOP

from queued_gspread.broker import FORMAT


def earlier_version():
    """Return the folder of an earlier version, for Python's path; skip the test without one.

    It is that of the last release; while there is none, the one before locks came.
    """
    commit = _git("describe", "--tags", "--abbrev=0", "--match=v*", "HEAD^") or _before_locks()
    if not commit:
        pytest.skip("there is no git history to take an earlier version from")
    keys = _git("show", f"{commit}:queued_gspread/broker/keys.py") or ""
    if not re.search(rf"^FORMAT: Final = {FORMAT}$", keys, re.MULTILINE):
        pytest.skip(f"the version at {commit} has another queue format than {FORMAT}")
    # git knows nothing of this folder, and each commit is built once.
    folder = TOP / "build" / "earlier" / _git("rev-parse", commit)
    if not folder.exists():
        _build(commit, folder)
    return folder


def _before_locks():
    added = _git("log", "--format=%H", "--diff-filter=A", "--", "queued_gspread/lock.py")
    return _git("rev-parse", "--verify", "-q", f"{added.split()[-1]}^") if added else None


def _git(*arguments):
    """Return what git prints; None if it fails, or is not there."""
    if not (TOP / ".git").exists() or shutil.which("git") is None:
        return None
    command = ["git", "-C", TOP, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _build(commit, folder):
    """Build a commit's wheel, and unpack it where nobody sees half of it."""
    archived = subprocess.run(
        ["git", "-C", TOP, "archive", "--format=tar", commit], check=True, capture_output=True
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        source, wheels, unpacked = (Path(work) / name for name in ("source", "wheels", "unpacked"))
        with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
            archive.extractall(source)
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, source]
        built = subprocess.run(pip, check=False, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            opened.extractall(unpacked)
        unpacked.replace(folder)
