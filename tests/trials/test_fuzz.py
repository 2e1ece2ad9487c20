"""A small, fixed number of broken messages; ``python -m tests.programs.fuzz`` throws any number."""

from __future__ import annotations

import pytest

from queued_gspread.emulator import Emulator
from tests.programs.fuzz.client_side import Planted, throw_signed
from tests.programs.fuzz.late_tries import LateTries
from tests.programs.fuzz.server_side import Fuzzed, errors_of

SEED = 5


@pytest.fixture(scope="module")
def emulator():
    with Emulator(seed=1) as running:
        yield running


@pytest.mark.parametrize(
    ("is_signed", "count"), [(False, 1000), (True, 500)], ids=["without a key", "with a key"]
)
def test_a_server_withstands_broken_jobs(redis_url, emulator, tmp_path, is_signed, count):
    """Broken jobs are answered with errors, send nothing, and hold up no valid call in between."""
    server = Fuzzed(redis_url, emulator, tmp_path, signed=is_signed)
    try:
        tally = server.throw(count, SEED)
        assert tally.wrong == []
        assert sum(tally.by_outcome.values()) == count
        assert server.server.process.poll() is None
    finally:
        server.close()


def test_a_server_tells_jobs_in_one_place_apart(redis_url, emulator, tmp_path):
    """A job that stands where one was withdrawn is made, and the one that was withdrawn is not."""
    server = Fuzzed(redis_url, emulator, tmp_path)
    try:
        assert server.throw_in_equal_places(30, SEED) == (30, [])
    finally:
        server.close()


def test_a_call_that_is_not_made_stays_out_however_late_it_comes(redis_url):
    """A try at an enqueue that comes when its id is forgotten puts in nothing that was given up."""
    told, wrong = LateTries(redis_url).throw(4, SEED)
    assert wrong == []
    assert sum(told.values()) == 4


def test_a_client_withstands_broken_replies(redis_url):
    """A broken reply is a stated error, or the exception that it carries, and never another."""
    planted = Planted(redis_url)
    try:
        outcomes, wrong = planted.throw(1500, SEED)
    finally:
        planted.close()
    assert wrong == []
    assert sum(outcomes.values()) == 1500
    assert outcomes["CodecError"] > 1000


def test_what_a_handler_raises_comes_out_of_a_client(redis_url):
    """Whatever a signal's handler raises while a call is made or answered comes out of it."""
    planted = Planted(redis_url)
    try:
        outcomes, wrong = planted.throw(600, SEED, alarmed=0.8)
    finally:
        planted.close()
    assert wrong == []
    assert outcomes["interrupted"] > 30


def test_a_client_with_a_key_takes_no_unsigned_reply(redis_url, tmp_path):
    """To a client with a signing key every reply that nobody signed is a SignatureError."""
    key = tmp_path / "signing.key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    planted = Planted(redis_url, key)
    try:
        outcomes, wrong = planted.throw(200, SEED)
    finally:
        planted.close()
    assert (wrong, outcomes) == ([], {"SignatureError": 200})


def test_a_client_with_a_key_takes_no_altered_reply(tmp_path):
    """To a client with a signing key every signed reply that was altered is a SignatureError."""
    key = tmp_path / "signing.key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    assert throw_signed(key, 1000, SEED) == ({"SignatureError": 1000}, [])


def test_errors_of_the_program_are_found_in_a_log():
    """The errors that a server's log tells of are found, each once."""
    once = (
        "2026-01-02 ERROR an error of this program, please report it\n"
        'Traceback (most recent call last):\n  File "run.py", line 1, in run\n    go()\n'
        "ValueError: odd\n"
    )
    assert errors_of("") == errors_of("2026-01-02 ERROR something else\n") == []
    (found,) = errors_of(2 * once)
    assert found == 'ValueError: odd (File "run.py", line 1, in run)'
