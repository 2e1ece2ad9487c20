"""What a program prints whose calls wait, and that has no logging set up."""

from __future__ import annotations

import re

import pytest
from one_job import answer
from processes import start_python
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.protocol.messages import Reply
from queued_gspread.settings import Settings

PROGRAM = """
import logging, math, os, threading
from queued_gspread.broker import core
from queued_gspread.broker.waiting import notices
core.SLICE, notices.PATIENCE = 0.1, math.inf
import queued_gspread

def lose_patience():
    os.read(0, 1)
    notices.PATIENCE = 0.0

threading.Thread(target=lose_patience, daemon=True).start()
row = ("lane", "A1", {"valueInputOption": "RAW"}, {"values": [["secret"]]})
for _ in range(2):
    queued_gspread.authorize().http_client.values_append(*row)
print("done")
"""
LEVEL = PROGRAM.replace(
    "row =", "logging.getLogger('queued_gspread').setLevel(logging.ERROR)\nrow ="
)
HASTY = """
from queued_gspread.server import holdups
from queued_gspread.server.pacing import valve
holdups._SLOW = valve._LOOK_AGAIN = 0.1
"""


class Program:
    """A program that appends two rows; it has all patience until it is told to lose it."""

    def __init__(self, background, code=PROGRAM, **variables):
        self._background = background
        self.process = start_python(code, GRACE="60", **variables)

    def lose_patience(self):
        self.process.stdin.write("x")
        self.process.stdin.flush()

    def line(self):
        """Return the next line on stderr."""
        return self._background(self.process.stderr.readline).result(PATIENCE).rstrip("\n")

    def rest(self):
        """Return what is left on stdout and stderr at the end."""
        return self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def program(redis_url, namespace, background):
    """Return what starts a program; it is ended with the test."""
    started = []

    def start(code=PROGRAM, **variables):
        where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, **variables}
        started.append(Program(background, code, **where))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def held_up(start_process, google, raw, keys, program):
    """Return what starts a program whose second row waits for the quota, as the server says."""

    def start(code=PROGRAM, **variables):
        google.gate.open()
        start_process("--writes-per-minute=1", patch=HASTY)
        started = program(code, **variables)
        eventually(lambda: '"write"' in (raw.hget(keys.server, "holdups") or ""))
        return started

    return start


@pytest.fixture
def let_go(raw, keys):
    """Return what frees all slots of the writes."""

    def free():
        for slot in raw.zrange(keys.slots("write"), 0, -1):
            raw.zadd(keys.slots("write"), {slot: raw.time()[0] * 1000})

    return free


def test_a_program_says_that_it_waits_for_the_quota(held_up, let_go):
    """It prints on stderr for how long at the most, later that it goes on, and nothing else."""
    program = held_up()
    program.lose_patience()
    told = r"queued_gspread: waiting for the write quota: no call ahead, at most (\d+) s"
    assert 0 < int(re.fullmatch(told, program.line())[1]) <= 60
    let_go()
    assert re.fullmatch(r"queued_gspread: goes on after \d+ s", program.line())
    assert program.rest() == ("done\n", "")


@pytest.mark.parametrize(("code", "variables"), [(PROGRAM, {"QUIET": "1"}), (LEVEL, {})])
def test_a_program_can_be_quiet(held_up, let_go, code, variables):
    """An environment variable, or the logger's level, has a program that waits say nothing."""
    program = held_up(code, **variables)
    program.lose_patience()
    let_go()
    assert program.rest() == ("done\n", "")


def test_a_program_says_that_google_does_not_answer(start_process, google, raw, keys, program):
    """While Google is silent, the program says so, and what it writes is not in that."""
    start_process(patch=HASTY)
    waiting = program()
    held = google.gate.next()
    eventually(lambda: '"sent"' in (raw.hget(keys.server, "holdups") or ""))
    waiting.lose_patience()
    assert re.fullmatch(r"queued_gspread: no answer from Google for \d+ s", waiting.line())
    google.gate.open()
    assert "goes on after" in waiting.line()
    assert waiting.rest() == ("done\n", "")
    assert held.method == "post"


def test_a_program_says_that_no_server_is_alive(start_process, google, raw, keys, program):
    """Where the server is gone, the program says so in time; a call that then fails goes not on."""
    first = start_process()
    waiting = program()
    google.gate.next()
    first.kill()
    eventually(lambda: raw.time()[0] * 1000 - int(raw.hget(keys.server, "last_beat")) > 4000)
    waiting.lose_patience()
    line = waiting.line()
    assert re.search(r"queued_gspread: no server has been alive for \d+ s in namespace ", line)
    assert "Calls fail after 60 s of that; start one with `queued-gspread-server" in line
    google.gate.open()
    start_process()
    _, errors = waiting.rest()
    # The first row was in the air when its server died: a call that failed does not go on.
    assert "OutcomeUnknownError" in errors
    assert "goes on" not in errors


def test_a_program_says_that_redis_cannot_be_reached(namespace, background, program):
    """Where Redis is gone, the program says so, without its password, and goes on later."""
    with TemporaryRedis(persistent=True, restricted=False) as redis:
        settings = Settings(redis_url=redis.url, namespace=namespace)
        server = Consumer(settings, "aaaa", "server")
        server.beat(60)
        waiting = program(REDIS_URL=redis.url)
        eventually(lambda: server.head("lane"))
        redis.kill()
        waiting.lose_patience()
        line = waiting.line()
        assert re.search(r"queued_gspread: Redis has been out of reach for \d+ s \(namespace", line)
        assert "secret" not in line
        redis.restart()
        server.beat(60)
        answer(server, eventually(lambda: server.head("lane")), Reply().encode())
        assert "goes on after" in waiting.line()
