from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from accounts import NOBODY, as_root

from queued_gspread.embedded import data_directory, state_directory
from queued_gspread.embedded.state import FileLock, Files, is_held, make_private
from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import LONGEST_SOCKET_PATH


def test_state_directory_follows_xdg(monkeypatch, tmp_path):
    """An absolute XDG_STATE_HOME decides where the state is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_directory() == tmp_path / "queued-gspread"


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".local/state/queued-gspread"),
        ("darwin", "Library/Application Support/queued-gspread"),
    ],
)
@pytest.mark.parametrize("configured", ["", "relative/path"])
def test_state_directory_without_xdg(monkeypatch, platform, expected, configured):
    """Without an absolute XDG_STATE_HOME the platform's place in the home folder is used."""
    monkeypatch.setenv("XDG_STATE_HOME", configured)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(sys, "platform", platform)
    assert state_directory() == Path("/home/me", expected)


def test_ports_do_not_mix(tmp_path):
    """Two ports have two data directories."""
    assert data_directory(1, tmp_path) != data_directory(2, tmp_path)


def test_new_folders_are_private(tmp_path):
    """Each folder that is made is for the user alone, whatever the umask."""
    before = os.umask(0o022)
    try:
        make_private(tmp_path / "one" / "two")
    finally:
        os.umask(before)
    for folder in (tmp_path / "one", tmp_path / "one" / "two"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_is_there_becomes_private(tmp_path):
    """A folder that was open to others, such as one from a backup, is for the user alone."""
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@as_root
def test_a_folder_of_another_account_is_refused(tmp_path):
    """What another account owns, and could exchange, is not used."""
    os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(ConfigurationError, match=f"{tmp_path} belongs to another account"):
        make_private(tmp_path)


def test_a_socket_whose_path_is_too_long_is_refused():
    """A folder that is too long for a socket is named, with the remedy."""
    room = LONGEST_SOCKET_PATH - len("/redis.sock")
    Files(Path("/" + "x" * (room - 1))).check_socket()
    with pytest.raises(ConfigurationError, match="set XDG_STATE_HOME"):
        Files(Path("/" + "x" * room)).check_socket()


def test_no_home_is_a_configuration_error():
    """A place that is not absolute, since there is no home folder, is refused."""
    with pytest.raises(ConfigurationError, match="set HOME or XDG_STATE_HOME"):
        make_private(Path("~/.local/state"))


def test_a_place_that_cannot_be_written_is_a_configuration_error(tmp_path):
    """A place that cannot be made is named in the error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="set XDG_STATE_HOME"):
        make_private(tmp_path / "file" / "below")


def test_a_lock_excludes_and_is_never_stale(tmp_path):
    """A lock excludes while it is held, and a file that was left behind does not block."""
    path = tmp_path / "lock"
    assert not is_held(path)
    path.write_text("4711")
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    assert not second.acquire()
    assert is_held(path)
    first.release()
    assert not is_held(path)
    with pytest.raises(ValueError, match="is not held"):
        first.fileno()
