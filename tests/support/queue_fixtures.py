"""Fixtures for the tests of the server and of the commands."""

from __future__ import annotations

import logging
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import redis
from gate import Gate, GatedGoogle, GatedHTTPClient, client_over
from hand_clock import HandClock
from limits import UNLIMITED
from processes import ServerProcess
from waiting import GRACE, eventually

import queued_gspread
from queued_gspread.broker import Consumer, Producer, QueueTiming
from queued_gspread.broker import core as broker_callers
from queued_gspread.broker.connection import client as connection
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.operators import Operator
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.accounts.account import EMAIL
from queued_gspread.server import Server
from queued_gspread.server.timing import Timing
from queued_gspread.settings import Settings

# The same for all: a namespace has one account.
SERVER_EMAIL = EMAIL
# Short, for a quick takeover, but long enough for a busy machine.
LEASE = 1.0
# Of waits that are made short.
SLICE, PAUSE = 0.1, 0.01


@pytest.fixture
def patient_callers(monkeypatch):
    """Make callers wait for a server as long as tests do."""
    monkeypatch.setenv("QUEUED_GSPREAD_GRACE", str(GRACE))


@pytest.fixture
def short_slices(monkeypatch):
    """Make waits for Redis consist of short slices; servers have them by their ``timing``."""
    monkeypatch.setattr(broker_callers, "SLICE", SLICE)


@pytest.fixture
def hasty(short_slices, monkeypatch):
    """Make waits short: between attempts, and for a silent Redis."""
    monkeypatch.setattr(broker_callers, "_PAUSE", PAUSE)
    monkeypatch.setitem(connection.OPTIONS, "socket_timeout", 0.5)
    # Connections with these options are for this test alone.
    own = {}
    monkeypatch.setattr(connection, "_connections", own)
    yield
    for one in own.values():
        one.redis.close()


@pytest.fixture
def timing(request):
    """Return how long this test's servers wait, shorter where it has ``hasty``, say."""
    names = request.fixturenames
    queue = QueueTiming(blocking_read=SLICE) if "short_slices" in names else QueueTiming()
    if "hasty" in names:
        return Timing(scheduler_pause=PAUSE, queue=replace(queue, retry_pause=PAUSE))
    return Timing(queue=queue)


@pytest.fixture
def new_connections(monkeypatch):
    """Give this test new connections, without what earlier ones saw, such as Redis's clock."""
    monkeypatch.setattr(connection, "_connections", weakref.WeakValueDictionary())


@pytest.fixture
def background():
    """Return a function that runs another one in a thread and returns its future."""
    with ThreadPoolExecutor(16) as pool:
        yield pool.submit


@pytest.fixture
def raw(redis_url):
    """Return a plain client of the Redis."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def keys(namespace):
    return Keys(namespace)


@pytest.fixture
def gate(background):
    """Return the gate at which the servers' requests stop."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def auth():
    """Return the object that names the servers' credentials."""
    return SimpleNamespace(service_account_email=SERVER_EMAIL, expiry=None)


@pytest.fixture
def serve(redis_url, namespace, gate, auth, timing):
    """Return a function that starts a server whose requests stop at the gate."""
    servers = []

    def start(http=None, **options):
        http = http or GatedHTTPClient(gate, auth)
        chosen = {"redis_url": redis_url, "namespace": namespace, "lease": LEASE, "timing": timing}
        chosen |= UNLIMITED | options
        servers.append(Server(client_over(http), **chosen))
        return servers[-1].start()

    yield start
    gate.open()
    for server in servers:
        server.stop()


@pytest.fixture
def usurp(redis_url, namespace, raw, keys, gate, serve, short_slices):
    """Return a function that takes the lease from its holder until the test is over."""
    usurper = Consumer(Settings(redis_url=redis_url, namespace=namespace), "ffff", "usurper")

    def takes():
        raw.hset(keys.server, "last_beat", 0)
        return usurper.beat(60).state == "taken"

    def take():
        eventually(takes)
        # As if it kept beating.
        raw.hincrby(keys.server, "last_beat", 60_000)
        return usurper

    yield take
    gate.open()
    usurper.release()


@pytest.fixture
def authorize(redis_url, namespace):
    """Return a function that makes a queued client."""

    def make(credentials=None, **options):
        chosen = {"redis_url": redis_url, "namespace": namespace, **options}
        return queued_gspread.authorize(credentials, **chosen)

    return make


@pytest.fixture
def client(authorize):
    return authorize()


@pytest.fixture
def callers(redis_url, namespace):
    """Return the callers' side of the queue, for jobs that no client would send."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace, grace=GRACE))


@pytest.fixture(scope="session")
def emulator():
    with Emulator(seed=1) as running:
        yield running


@pytest.fixture(scope="session")
def key_file(emulator, tmp_path_factory):
    """Return a service account's key file; its tokens come from the emulator."""
    path = tmp_path_factory.mktemp("keys") / "service_account.json"
    emulator.write_service_account(path)
    return path


@pytest.fixture
def google():
    """Return a server in Google's place, whose requests stop at its gate."""
    with GatedGoogle() as server:
        yield server


@pytest.fixture
def start_process(redis_url, namespace, key_file, google, tmp_path, background):
    """Return a function that starts ``queued-gspread server`` as a process."""
    started = []

    def start(*options, wait="working as", **variables):
        log = tmp_path / f"server-{len(started)}.log"
        where = ["--redis-url", redis_url, "--namespace", namespace, "--lease", LEASE]
        own = [] if "--service-account" in options else ["--service-account", key_file]
        account = [*own, "--api-endpoint", google.url]
        limits = [f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()]
        process = ServerProcess(log, *where, *account, *limits, *options, **variables)
        started.append(process)
        return process.until_log(wait)

    yield start
    for process in started:
        process.end()


@pytest.fixture
def operator(redis_url, namespace):
    """Return who acts on this test's queue."""
    return Operator(Settings(redis_url, namespace))


@pytest.fixture
def restored_log():
    """Put the package's logger back as it was."""
    logger = logging.getLogger("queued_gspread")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = before[:2]
    logger.setLevel(before[2])
