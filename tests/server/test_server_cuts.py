"""Connections to Redis that are cut or stall at any command, on either side of the queue."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from fates import MADE, MAYBE, NOT_MADE, fate_of, told
from gate import SHEETS, GatedHTTPClient, response
from waiting import PATIENCE, eventually
from wire import AFTER, BEFORE, Wire

from queued_gspread.broker.keys import Keys
from queued_gspread.errors import BrokerUnavailableError
from tests.programs.chaos.history import Call

ROWS = f"{SHEETS}/lane/values/A1"
HELD = f"{SHEETS}/held/values/A1"
# More commands than any of these scenes has.
MANY = 300
AT_ONCE = 8
# Where a scene is slow, who waits asks twice, and what would come next has another number.
SWEEPS = 5
STARTS = 10


class Sheet(GatedHTTPClient):
    """Counts the rows that are appended; a read of one spreadsheet waits until it is let go."""

    def __init__(self, auth):
        super().__init__(None, auth)
        self.rows = Counter()
        self.is_held = threading.Event()
        self.is_free = threading.Event()

    def request(self, method, endpoint, **given):
        if endpoint.endswith(":append"):
            self.rows[given["json"]["values"][0][0]] += 1
        elif endpoint == HELD:
            self.is_held.set()
            self.is_free.wait(PATIENCE)
        return response({"rows": sorted(self.rows)})


@pytest.fixture
def play(hasty, serve, authorize, background, auth, redis_url, raw, namespace):
    """Return what plays a scene, with one side of the queue at the end of a troubled wire."""
    numbers = itertools.count()

    @contextmanager
    def held(client, sheet):
        """Have a call under way in a lane, so that others wait behind it."""
        under_way = background(client.http_client.request, "get", HELD)
        assert sheet.is_held.wait(PATIENCE)
        yield
        sheet.is_free.set()
        under_way.result(PATIENCE)

    def scene(sheet, near, own):
        """Append a row, read, and give up a row that waits; return what came of each."""
        client, impatient, undisturbed = (
            authorize(redis_url=near, namespace=own),
            authorize(redis_url=near, namespace=own, timeout=0.1),
            authorize(redis_url=redis_url, namespace=own),
        )
        yield outcome_of("append", lambda: append(client, "lane", "written"))
        yield outcome_of("rows", lambda: client.http_client.request("get", ROWS).json())
        with held(undisturbed, sheet):
            yield outcome_of("append", lambda: append(impatient, "held", "given up"))

    def run(side, trouble):
        sheet, own = Sheet(auth), f"{namespace}-{next(numbers)}"
        with Wire(redis_url) as wire:
            near, far = (redis_url, wire.url) if side == "server" else (wire.url, redis_url)
            server = start(serve, sheet, redis_url=far, namespace=own)
            trouble(wire)
            came_to = list(scene(sheet, near, own))
            eventually(lambda: not raw.exists(Keys(own).active), "the queue is empty")
            server.stop()
        assert not raw.exists(Keys(own).progress)
        return came_to, sheet.rows, wire.hits

    return run


@pytest.fixture
def play_all(play):
    """Return what plays the scene with the trouble at its first command, its second, and so on."""

    def run_all(side, trouble):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for first in range(0, MANY, AT_ONCE):
                numbers = range(first, first + AT_ONCE)
                batch = list(pool.map(lambda n: play(side, partial(trouble, number=n)), numbers))
                yield from batch
                if not any(hits for *_, hits in batch):
                    return

    return run_all


def start(serve, sheet, **given):
    """Start a server, again where a busy machine has Redis answer later than these tests wait."""
    for _ in range(STARTS - 1):
        with suppress(BrokerUnavailableError):
            return serve(sheet, **given)
    return serve(sheet, **given)


def append(client, lane, value):
    url = f"{SHEETS}/{lane}/values/A1:append"
    return client.http_client.request("post", url, json={"values": [[value]]}).json()


def outcome_of(what, make):
    """Make a call; return it with what came of it, as data."""
    try:
        found = make()
    except Exception as error:  # noqa: BLE001 - which ones may come is for the test to say
        return Call("client", 0, what, "", ended=0.0, **told(error))
    return Call("client", 0, what, "", ended=0.0, outcome="ok", result=found)


def check(came_to, rows):
    """Compare what the calls came to with the rows that are there."""
    written, read, given_up = came_to
    assert {fate_of(call) for call in came_to} <= {MADE, MAYBE, NOT_MADE}
    for call, times in ((written, rows["written"]), (given_up, rows["given up"])):
        allowed = {MADE: (1,), MAYBE: (0, 1), NOT_MADE: (0,)}[fate_of(call)]
        assert times in allowed, call
    if written.is_ok and read.is_ok:
        assert "written" in read.result["rows"]


def test_nothing_is_cut(play):
    """Without any cut a row is written, a read sees it, and what is given up is not made."""
    came_to, rows, _ = play("client", lambda wire: None)
    check(came_to, rows)
    assert [call.outcome for call in came_to] == ["ok", "ok", "CallTimeoutError"]
    assert rows == {"written": 1}


SIDES = {"client": {"EVALSHA", "XREAD", "UNLINK"}, "server": {"EVALSHA", "BLPOP"}}
SPOILED = {
    "cut": lambda wire, number, when: wire.cut(number, when),
    "cut twice": lambda wire, number, when: wire.cut(number, when, times=2),
    "stalled": lambda wire, number, when: wire.stall(number, when),
}


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("what", SPOILED)
@pytest.mark.parametrize("side", SIDES)
def test_trouble_at_any_command(side, what, when, play_all):
    """Wherever a connection is cut or stalls, no call is lost or doubled, and each has its end."""
    met = set()
    for _ in range(SWEEPS):
        for came_to, rows, hits in play_all(side, partial(SPOILED[what], when=when)):
            check(came_to, rows)
            met |= set(hits)
        if met >= SIDES[side]:
            break
    assert met >= SIDES[side]
