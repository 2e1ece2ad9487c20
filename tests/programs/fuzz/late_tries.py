"""Enqueues that come to Redis when their ids are forgotten, and their callers have given up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random
from unittest import mock

import redis
from waiting import PATIENCE
from wire import Wire

from queued_gspread.broker import Producer, keys
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.errors import QueuedGspreadError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

# Seconds for which ids are remembered here, and for which callers wait: nobody answers.
_REMEMBERED, _TIMEOUT = 0.2, 0.4
_NAMESPACE = "fuzz-late"


class LateTries:
    """Callers whose first try at an enqueue is held back on its way.

    Args:
        redis_url: Of a Redis; no server works there.

    """

    def __init__(self, redis_url):
        self._url = redis_url

    def throw(self, count, seed):
        """Hold so many tries back; return what callers were told, and what is wrong with it."""
        random, told, wrong = Random(seed), Counter(), []
        with (
            mock.patch.object(keys, "REMEMBERED", _REMEMBERED),
            redis.Redis.from_url(self._url) as raw,
        ):
            for number in range(count):
                lane = f"lane-{number}"
                error = self._late(lane, is_silent=random.random() < 0.5)
                told[type(error).__name__] += 1
                if not error.may_have_run and raw.xlen(keys.Keys(_NAMESPACE).lane(lane)):
                    wrong.append(f"in the queue, although it is told that it is not: {error}")
        return told, wrong

    def _late(self, lane, *, is_silent):
        """Have the first try come when its caller has its error; return that."""
        is_over = threading.Event()
        with Wire(self._url) as wire:
            wire.delay_script(
                SCRIPTS["enqueue"].sha, 1, lambda: is_over.wait(PATIENCE), is_silent=is_silent
            )
            error = self._call(new_id(), lane, wire.url)
            time.sleep(_REMEMBERED)
            # Enqueues with such ids forget for all.
            self._call(f"0{new_id()[1:]}", "other", self._url)
            is_over.set()
            assert wire.delivered.wait(PATIENCE)
        return error

    @staticmethod
    def _call(job_id, lane, url):
        callers = Producer(Settings(url, _NAMESPACE, timeout=_TIMEOUT, grace=60.0))
        try:
            callers.call(job_id, lane, b"{}")
        except QueuedGspreadError as error:
            return error
        raise AssertionError("there is nobody who answers")
