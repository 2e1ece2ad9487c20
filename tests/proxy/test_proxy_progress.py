"""The bar of a pipeline."""

# ruff: noqa: PT012 - what is raised at the end of a block belongs to the block

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from limits import UNLIMITED
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import QUOTA, Collector, Holdup, Holdups, Sight, longest
from queued_gspread.proxy import progress
from queued_gspread.server import Server


class Bar:
    """A bar that keeps what it shows, or fails to."""

    def __init__(self, error=None):
        self.n = self.total = 0
        self.leave = True
        self.error, self.shown, self.is_closed = error, [], False

    def set_postfix_str(self, text, refresh):
        if self.error:
            raise self.error
        self.shown.append((self.n, self.total, text))

    def close(self):
        self.is_closed = True


@pytest.fixture
def bar(monkeypatch):
    """Return the bar that the next pipeline shows."""
    made = Bar()
    monkeypatch.setattr(progress, "_bar", lambda: made)
    return made


def test_a_bar_shows_what_was_answered(ws, capfd):
    """It ends with all calls, and how many of them have shared a request."""
    with gspread.pipeline(progress=True):
        for number in range(20):
            ws.append_row([number])
    last = capfd.readouterr().err.split("\r")[-1]
    assert "100%" in last, last
    assert " 20 of 20 calls [" in last, last
    assert "calls a request]" in last, last


def test_calls_a_request_are_those_that_shared_it(ws, bar):
    """Calls that were merged count as parts of their request, and a call alone as the whole."""
    with gspread.pipeline(progress=True) as calls:
        ws.append_row([1])
        ws.acell("A1").value  # noqa: B018 - waits, so that neither shares a request
        assert calls.progress.requests == 2
    assert bar.shown[-1] == (2, 2, "1.0 calls a request")
    assert bar.is_closed


def test_a_block_without_calls_leaves_no_bar(bar):
    """Nothing is drawn, and the line of the bar is taken away."""
    with gspread.pipeline(progress=True):
        pass
    assert not bar.shown
    assert (bar.leave, bar.is_closed) == (False, True)


def test_without_a_bar_nothing_is_drawn(ws, bar, capfd):
    """A pipeline is silent by default."""
    with gspread.pipeline():
        ws.append_row([1])
    assert not bar.shown
    assert not capfd.readouterr().err


def test_a_failed_call_counts_as_answered(ws, bar):
    """A bar reaches its end whatever became of the calls."""
    with pytest.raises(gspread.exceptions.APIError), gspread.pipeline(progress=True):
        ws.update([["x"]], "nonsense range")
        ws.append_row([1])
    assert bar.shown[-1][:2] == (2, 2)


def test_calls_that_are_left_do_not_count_as_answered(
    redis_url, namespace, emulator, key_file, bar, monkeypatch
):
    """The bar of a block that ends without waiting shows what was answered by then."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(redis_url=redis_url, namespace=namespace, **account, **UNLIMITED):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=PATIENCE)
        ws = client.create("Left").sheet1
    leave = Collector.leave

    def left(collector, error):
        leave(collector, error)
        eventually(lambda: not calls._calls)

    monkeypatch.setattr(Collector, "leave", left)
    with gspread.pipeline(wait=False, progress=True) as calls:
        ws.append_row([1])
        ws.append_row([2])
    assert bar.shown[-1][:2] == (0, 2)


def test_a_bar_shows_how_long_the_quota_holds_up_the_rest(
    redis_url, namespace, emulator, key_file, bar
):
    """While calls wait for a slot, the bar names the seconds after which the quota lets them go."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    limits = UNLIMITED | {"writes_per_minute": 1, "quota_window": 2 * PATIENCE}
    with Server(redis_url=redis_url, namespace=namespace, **account, **UNLIMITED):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, grace=PATIENCE)
        ws = client.create("Held up").sheet1
    with (
        Server(redis_url=redis_url, namespace=namespace, **account, **limits),
        pytest.raises(KeyboardInterrupt),
        gspread.pipeline(progress=True),
    ):
        ws.append_row([1])
        ws.update_title("Third")
        eventually(lambda: any("at most" in text for *_, text in bar.shown))
        raise KeyboardInterrupt
    (text, *_) = [text for *_, text in bar.shown if "at most" in text]
    assert text.endswith(" more")


def test_a_bound_is_that_of_the_quota_alone():
    """The longest wait counts the calls ahead; without a quota in the way there is none."""
    held = Holdups({"write": Holdup(QUOTA, 20.0, 1, 60, 60.0)}, {"lane": ("write", 0.0)})
    sight = Sight(lane="lane", holdups=held, age=1.0)
    assert longest(sight) == 19.0
    assert longest(replace(sight, ahead=100)) == 180.0
    assert longest(Sight(lane="lane", ahead=100)) == 0.0


def test_without_tqdm_the_extra_is_named(monkeypatch):
    """The error says which extra brings the bar, and that the pipeline works without."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(
        ImportError, match=r"needs tqdm: pip install .*\[progress\].*leave progress"
    ):
        gspread.pipeline(progress=True)


def test_a_bar_that_cannot_be_drawn_costs_no_call(ws, bar):
    """The calls are made, and their results are there, if tqdm fails."""
    bar.error = OSError("the stream is closed")
    with gspread.pipeline(progress=True):
        answers = [ws.append_row([number]) for number in range(3)]
    assert [answer["updates"]["updatedRows"] for answer in answers] == [1, 1, 1]


def test_a_bar_is_given_up_rather_than_waited_for(bar, monkeypatch):
    """A thread that hangs in a drawing keeps no block from its end."""
    monkeypatch.setattr(progress, "_CLOSES", 0.0)
    shown = progress.Progress()
    shown._lock.acquire()
    shown.close()
    assert not bar.is_closed
