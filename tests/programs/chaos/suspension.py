"""Enqueues that take longer than their ids are remembered: who makes them sleeps, or they do."""

from __future__ import annotations

import threading
import time

import redis
from waiting import PATIENCE
from wire import AFTER

from queued_gspread.broker.keys import Keys
from queued_gspread.broker.scripts import SCRIPTS

from .plan import ASLEEP, MEMORY, NAMESPACE, WITHDRAWN

# Seconds for which others may take to make calls, whose enqueues forget what is old.
_LONGEST = 3.0
# What is made twice shows twice.
_APPEND = b"append_row"


def suspend(client, kind, redis_url, dealt):
    """Have the client's next append take longer than its id is remembered.

    Args:
        client: Who, at the end of a wire of its own.
        kind: ``asleep``: Redis has it, and the client sleeps before it has the answer; ``late``:
            the client loses the connection and tries again, and the first try comes to Redis
            later; ``withdrawn``: the same, where the client has no word, and gives up.
        redis_url: Of the Redis itself.
        dealt: Counts what has come of it.

    Returns:
        What waits until it is over, where it has begun.

    """
    has_begun, is_over = threading.Event(), threading.Event()

    def act():
        has_begun.set()
        if kind == ASLEEP:
            client.signal("SIGSTOP")
        dealt["client", kind] += _until_forgotten(redis_url)
        if kind == ASLEEP:
            client.signal("SIGCONT")
            is_over.set()

    def wait():
        if has_begun.is_set():
            (is_over if kind == ASLEEP else client.wire.delivered).wait(PATIENCE)

    sha = SCRIPTS["enqueue"].sha
    if kind == ASLEEP:
        client.wire.cut_script(sha, 1, AFTER, act, holding=_APPEND)
    else:
        client.wire.delay_script(sha, 1, act, is_silent=kind == WITHDRAWN, holding=_APPEND)
    return wait


def _until_forgotten(redis_url):
    """Wait until the ids of all that was enqueued until now are forgotten; tell whether they are.

    Enqueues of others forget them: where there are none any more, it is waited in vain.
    """
    with redis.Redis.from_url(redis_url, socket_timeout=5.0) as raw:
        # A caller that has lost its connection tries again at once.
        began = _asked(raw.time)[0] * 1000 + 400
        time.sleep(MEMORY + 0.5)
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            if not _asked(lambda: raw.zcount(Keys(NAMESPACE).dedup, "-inf", began)):
                return True
            time.sleep(0.02)
    return False


def _asked(ask):
    """Return what Redis answers, as soon as it runs."""
    while True:
        try:
            return ask()
        except redis.RedisError:
            time.sleep(0.05)
