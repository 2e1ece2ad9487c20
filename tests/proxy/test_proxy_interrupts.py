"""What a signal handler raises, or does, in the middle of a call: at drawn moments, at any line."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import redis
from processes import start_python
from waiting import PATIENCE

import queued_gspread
from queued_gspread._interrupts import has_broken_in, unconverted
from queued_gspread.broker import Producer
from queued_gspread.broker.connection import client as connection
from queued_gspread.broker.connection import deadline as limit
from queued_gspread.broker.connection.wire import Wire
from queued_gspread.broker.core import CallCore
from queued_gspread.broker.envelope import Envelope
from queued_gspread.errors import BrokerUnavailableError, CallTimeoutError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

CALLS = 100

# Appends a row per turn, and is interrupted in the middle; tells what came of each.
INTERRUPTED = """
import json, os, random, signal, statistics, sys, time
import redis
import queued_gspread
from queued_gspread import errors
from queued_gspread.broker import Producer

class Enough(BaseException):
    pass

KINDS = [
    lambda: TimeoutError("my own deadline"), lambda: OSError("mine"), Enough, KeyboardInterrupt,
    lambda: ConnectionResetError(104, "Connection reset by peer"),
    lambda: redis.ConnectionError("mine"), lambda: redis.TimeoutError("mine"),
    lambda: redis.ResponseError("mine"), lambda: errors.BrokerUnavailableError("mine"),
    lambda: errors.CallTimeoutError("mine"), lambda: ValueError("mine"),
    lambda: TypeError("mine"), lambda: RuntimeError("mine"),
]
seed, key, calls = json.loads(sys.stdin.readline())
draw = random.Random(seed)
sheet = queued_gspread.authorize().open_by_key(key).sheet1
raised = None

def interrupt(signum, frame):
    global raised
    if raised is None:
        raised = draw.choice(KINDS)()
        raise raised

def fate(error):
    notes = [str(note) for note in getattr(error, "__notes__", error.args)]
    for told in notes:
        if told.startswith("queued_gspread: "):
            return told
    step, within = error.__traceback__, False
    while step:
        code = step.tb_frame.f_code
        within = within or (code is Producer._reply_to.__code__)
        step = step.tb_next
    return "within, untold" if within else "outside"

def duration():
    began = time.monotonic()
    sheet.acell("A1")
    return time.monotonic() - began

def descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0

usual = statistics.median(duration() for _ in range(20))
signal.signal(signal.SIGALRM, interrupt)
before, outcomes = descriptors(), []
for number in range(calls):
    raised = None
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.00002, usual))
            sheet.append_row([f"row {number}"])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        outcomes.append("returned" if raised is None else "swallowed")
    except BaseException as error:
        outcomes.append(fate(error) if error is raised else f"another: {error!r}")
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print(json.dumps([outcomes, descriptors() - before]))
"""

# What may be in the sheet, how often, by what the caller was told.
MEANINGS = {
    "returned": {1},
    "outside": {0, 1},
    "queued_gspread: the call was not started and will not be made": {0},
    "queued_gspread: the call had only read, and goes no further": {0},
    "queued_gspread: the call was made, and its answer is not waited for": {1},
    "queued_gspread: the call had already started and may have been made: look before you call "
    "again": {0, 1},
}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_handler_raises_at_drawn_moments(sh, ws, seed, redis_url, namespace, tell):
    """It comes out as it is, and the sheet has each row as often as its caller was told."""
    process = start_python(INTERRUPTED, REDIS_URL=redis_url, NAMESPACE=namespace)
    told, errors = process.communicate(json.dumps([seed, sh.id, CALLS]), timeout=PATIENCE)
    assert process.returncode == 0, errors
    outcomes, descriptors = json.loads(told)
    rows = [row[0] for row in ws.get_all_values()]
    for number, outcome in enumerate(outcomes):
        assert rows.count(f"row {number}") in MEANINGS.get(outcome, ()), outcome
    assert descriptors < 8
    interrupted = sum(outcome != "returned" for outcome in outcomes)
    tell(f"{interrupted} of {CALLS} calls were interrupted, seed {seed}")
    assert interrupted > CALLS / 20


class InterruptedHereError(TimeoutError):
    """What the handlers of these tests raise."""


@pytest.fixture
def on_signal():
    """Return what has a function handle the signal that :func:`interrupt` sends."""
    before = signal.getsignal(signal.SIGUSR1)
    yield lambda handle: signal.signal(signal.SIGUSR1, handle)
    signal.signal(signal.SIGUSR1, before)


def interrupt():
    signal.raise_signal(signal.SIGUSR1)


class Handler:
    """Handlers of any kind, but for those that Python's own functions are."""

    def __call__(self, signum, frame):
        del signum, frame
        raise InterruptedHereError

    def method(self, *_):
        raise InterruptedHereError

    def with_option(self, *arguments, option=None):
        raise InterruptedHereError(option, *arguments)

    def thrown(self, *_):
        generated = (each for each in [1, 2])
        next(generated)
        generated.throw(InterruptedHereError())

    def replaced(self, _, frame):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        raise InterruptedHereError(frame)


@pytest.mark.parametrize(
    "handler",
    [
        Handler(),
        Handler().method,
        Handler().thrown,
        Handler().replaced,
        partial(Handler()),
        partial(partial(Handler().with_option), option=1),
        lambda *_: Handler().method(),
    ],
)
def test_handlers_of_any_kind(on_signal, handler):
    """Whatever a handler is made of, what it raises is known for one; nothing else is."""
    on_signal(handler)
    with pytest.raises(InterruptedHereError) as caught:
        interrupt()
    assert has_broken_in(caught.value)
    with pytest.raises(InterruptedHereError) as caught:
        raise InterruptedHereError
    assert not has_broken_in(caught.value)


def test_an_error_with_the_traceback_of_an_interrupt(on_signal):
    """What code has made of an interrupt, traceback and all, does not come out in its place."""
    on_signal(Handler())

    def convert():
        try:
            interrupt()
        except InterruptedHereError as error:
            raise ValueError("made of it").with_traceback(error.__traceback__)  # noqa: B904 - as redis-py does

    with pytest.raises(InterruptedHereError), unconverted():
        convert()


def at_lines(step, make, do):
    """Do something again and again, interrupted at one line after the other, *step* apart.

    Yields the exception that was raised there, and the one that came out.
    """
    root = queued_gspread.__path__[0]
    packages = (f"{root}/", f"{redis.__path__[0]}/")
    apart = (f"{root}/server/", f"{root}/emulator/")
    at = 1
    while True:
        seen, raised = 0, []

        def in_lines(frame, event, _):
            nonlocal seen
            # What Python calls by itself, such as __del__, has nobody to raise it for.
            if event == "line" and frame.f_code.co_name not in ("__del__", "on_disconnect"):
                seen += 1
                if seen == at:  # noqa: B023 - it is of this turn
                    raised.append(make(at))  # noqa: B023 - likewise
                    raise raised[0]  # noqa: B023 - likewise
            return in_lines

        def in_calls(frame, event, _):
            name = frame.f_code.co_filename
            return in_lines if name.startswith(packages) and not name.startswith(apart) else None

        before = sys.gettrace()
        try:
            sys.settrace(in_calls)
            try:
                do()
            finally:
                sys.settrace(before)
            out = None
        except BaseException as error:  # noqa: BLE001 - of any kind
            out = error
        if not raised:
            return
        yield raised[0], out
        at += step


KINDS = [
    lambda: InterruptedHereError("mine"),
    lambda: redis.ConnectionError("mine"),
    lambda: redis.ResponseError("mine"),
    lambda: BrokerUnavailableError("mine"),
    lambda: ValueError("mine"),
    lambda: ConnectionResetError(104, "mine"),
]


def test_an_exception_at_any_line(ws):
    """Wherever in a call it is raised, it comes out itself, and the next call gets its answer."""
    ws.update_acell("B1", "mine")
    for raised, out in at_lines(9, lambda at: KINDS[at % len(KINDS)](), lambda: ws.acell("B1")):
        assert out is raised
        assert ws.acell("B1").value == "mine"
    del raised, out
    gc.collect()  # what is traced holds the function that traces it
    assert not limit.is_limited()


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (CallCore, "enqueue"),
        (CallCore, "_look"),
        (CallCore, "take_back"),
        (CallCore, "has_server"),
        (Wire, "_new_connection"),
        (Wire, "_after"),
        (Envelope, "job"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_call_that_is_interrupted_is_taken_back(
    cls, name, before, redis_url, namespace, new_connections, monkeypatch, on_signal
):
    """Whatever a call is about, its job does not stay in the queue, and the error says so."""
    own, threads = getattr(cls, name), []

    def interrupt_first(moment):
        is_first = threading.current_thread() is threading.main_thread() and not threads
        threads.extend([threading.current_thread()] * (is_first and before is moment))
        if is_first and before is moment:
            interrupt()

    def interrupted(*args, **kwargs):
        interrupt_first(True)
        found = own(*args, **kwargs)
        interrupt_first(False)
        return found

    def interrupted_core(*args, **kwargs):
        interrupt_first(True)
        found = yield from own(*args, **kwargs)
        interrupt_first(False)
        return found

    monkeypatch.setattr(cls, name, interrupted_core if cls is CallCore else interrupted)
    raised = InterruptedHereError("mine")

    def handle(*_):
        raise raised

    on_signal(handle)
    raw = redis.Redis.from_url(redis_url)
    with raw, contextlib.closing(raw):
        raw.script_flush()  # so that a refusal is met
        callers = Producer(Settings(redis_url, namespace, timeout=0.3, grace=60.0))
        with pytest.raises(InterruptedHereError) as caught:
            callers.call(new_id(), "lane", b"job")
        assert caught.value is raised
        assert not raw.keys(f"*{namespace}*lane:lane")
    told = getattr(raised, "__notes__", raised.args[1:])
    assert cls is Envelope or "was not started and will not be made" in told[0]


@pytest.fixture
def silent_sentinel():
    """Return the port of a Sentinel that answers nothing, and has whoever asks it interrupted."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def serve():
            asking = []
            with contextlib.suppress(OSError):
                while True:
                    asking.append(listening.accept()[0])
                    asking[-1].recv(1)
                    os.kill(os.getpid(), signal.SIGUSR1)
            for each in asking:
                each.close()

        pool.submit(serve)
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kind", [TimeoutError, OSError, redis.ConnectionError])
def test_an_interrupt_while_sentinels_are_asked(kind, silent_sentinel, on_signal):
    """Whatever it is, it comes out itself, where a caller looks whether another is the master."""
    raised = kind("mine")

    def handle(*_):
        raise raised

    on_signal(handle)
    asked = connection.Connection(f"redis+sentinel://127.0.0.1:{silent_sentinel}/mymaster")
    with pytest.raises(kind) as caught:
        asked.master.look()
    assert caught.value is raised


@pytest.mark.parametrize("kind", [OSError, ConnectionResetError, ValueError])
def test_an_interrupt_without_arguments(ws, kind, monkeypatch, on_signal):
    """Redis-py stumbles over an OSError that has none: it comes out itself, and with the note."""
    raised, send = [], limit._Socket.sendall

    def handle(*_):
        if not raised:
            raised.append(kind())
            raise raised[0]

    def send_and_interrupt(*args):
        send(*args)
        if threading.current_thread() is threading.main_thread():
            interrupt()

    on_signal(handle)
    monkeypatch.setattr(limit._Socket, "sendall", send_and_interrupt)
    with pytest.raises(kind) as caught:
        ws.acell("A1")
    assert caught.value is raised[0]
    assert "queued_gspread: " in str(getattr(caught.value, "__notes__", caught.value.args))


def test_an_error_of_a_call_that_a_handler_makes(ws, on_signal, monkeypatch):
    """The error of a call within a call ends both, and the outer one is taken back."""
    elsewhere = queued_gspread.authorize(redis_url="redis://127.0.0.1:1/0")
    on_signal(lambda *_: elsewhere.open("Book"))
    look = CallCore._look
    monkeypatch.setattr(CallCore, "_look", lambda *args: interrupt() or look(*args))
    with pytest.raises(BrokerUnavailableError) as caught:
        ws.acell("A1")
    assert "queued_gspread: " in str(getattr(caught.value, "__notes__", caught.value.args[1:]))


def test_calls_that_a_handler_makes(ws, on_signal):
    """A call within a call, at any line, gets its own answer, and so does the one around it."""
    ws.update([["outer", "inner"]], "A1:B1")
    found = []

    def handle(*_):
        found.append(ws.acell("B1").value)

    on_signal(handle)
    timer = signal.signal(signal.SIGALRM, handle)
    try:
        for turn in range(60):
            signal.setitimer(signal.ITIMER_REAL, 0.0001 * (turn + 1))
            assert ws.acell("A1").value == "outer"
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, timer)
    assert found
    assert set(found) == {"inner"}


def test_a_call_in_the_handling_of_an_earlier_interrupt(ws, on_signal, redis_url, namespace):
    """A call that fails while an interrupt is being handled tells its own error."""

    def handle(*_):
        raise InterruptedHereError

    on_signal(handle)
    callers = Producer(Settings(redis_url, f"{namespace}-nobody", timeout=0.05, grace=60.0))
    try:
        interrupt()
    except InterruptedHereError:
        with pytest.raises(CallTimeoutError):
            callers.call(new_id(), "lane", b"job")
        assert ws.acell("A1").value is None
