"""Another account of this machine, which only root can become."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NOBODY = 65_534

# A TemporaryRedis that every account may use, for tests that put their own wire, users or password
# in front of it.
OPEN = {"requirepass": ""}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


def run_as_nobody(code, *arguments):
    """Run a Python program as another account, with only the standard library; wait for its end."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", _BECOME + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout


# Import first: the other account may not be permitted to read the modules.
_BECOME = f"""
import os, pathlib, socket, sys
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
"""
