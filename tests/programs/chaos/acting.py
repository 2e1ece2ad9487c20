"""An operator who pauses, drains and cancels in the middle of a run, and resumes what it paused."""

from __future__ import annotations

import random
import time
from itertools import islice

from waiting import eventually

from queued_gspread.acting import cancel_one, jobs_in
from queued_gspread.broker import UNDONE
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.pauses import scope_of
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings

from .plan import CANCEL, DRAIN, NAMESPACE, PAUSE

_MOST_CANCELLED = 3


class Acting:
    """Does what blows at the queue say.

    Args:
        seed: What is paused and cancelled is drawn from it.
        redis_url: Where the queue is.
        signing_key: The callers' key, if they sign.
        lanes: The spreadsheets.

    """

    def __init__(self, seed, redis_url, signing_key, lanes):
        self._chance = random.Random(f"acting {seed}")
        settings = Settings(redis_url, NAMESPACE, signing_key_file=signing_key)
        self._operator = Operator(settings, "chaos@here")
        self._lanes = lanes

    def act(self, blow, dealt):
        """Do it, as soon as Redis is there; count it by what came of it."""
        if blow.signal == CANCEL:
            cancelled = self._insist(self._cancel)
            dealt["queue", CANCEL] += cancelled
            return
        what = {PAUSE: self._chance.choice(["all", "read", "write"]), DRAIN: "drain"}[blow.signal]
        lane = self._chance.choice(["", *self._lanes]) if blow.signal == PAUSE else ""
        begin = self._operator.drain if blow.signal == DRAIN else self._pause_of(what, lane)
        self._insist(begin)
        dealt["queue", blow.signal] += 1
        time.sleep(blow.pause)
        self._insist(lambda: self._operator.resume(scope_of(what, lane)))

    def _pause_of(self, what, lane):
        return lambda: self._operator.pause(what, lane, "chaos")

    def _cancel(self):
        jobs = list(islice(jobs_in(self._operator, ""), 100))
        drawn = self._chance.sample(jobs, min(len(jobs), _MOST_CANCELLED))
        fates = [cancel_one(self._operator, job, "chaos") for job in drawn]
        return sum(fate in UNDONE for fate in fates)

    @staticmethod
    def _insist(act):
        """Do something as often as it takes, as Redis may be gone; return what it returns."""
        found = []

        def tried():
            try:
                found.append(act())
            except BrokerUnavailableError:
                return False
            return True

        eventually(tried)
        return found[-1]
