"""Deals the blows of a plan, and has what was struck go on or start again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor


class Striker:
    """Strikes the processes of a run, each at its moment.

    Args:
        plan: What to do.
        moments: Tells when.
        cast: The processes, as :class:`.world.Cast` has them.

    Attributes:
        dealt: How many blows fell, by victim and signal.

    """

    def __init__(self, plan, moments, cast):
        self._plan, self._moments, self._cast = plan, moments, cast
        self._chance = random.Random(f"strikes {plan.seed}")
        # What was struck and has not been put right yet is not struck again.
        self._down = []
        self._aftermath = ThreadPoolExecutor(8)
        self._repairs = []
        self._thread = threading.Thread(target=self._strike_all)
        self.dealt = Counter()

    def start(self):
        self._thread.start()

    def end(self):
        """Deal no further blow; return when all that was struck has been put right."""
        self._moments.end()
        self._thread.join()
        self._aftermath.shutdown(wait=True)
        for repair in self._repairs:
            repair.result()

    def _strike_all(self):
        for blow in self._plan.blows:
            if not self._moments.wait_for(blow.moment, blow.count):
                return
            standing = [v for v in self._cast.victims(blow.victim) if v not in self._down]
            if standing:
                self._strike(self._chance.choice(standing), blow)

    def _strike(self, victim, blow):
        self._down.append(victim)
        self.dealt[blow.victim, blow.signal] += 1
        victim.signal(blow.signal)
        self._repairs.append(self._aftermath.submit(self._put_right, victim, blow))

    def _put_right(self, victim, blow):
        time.sleep(blow.pause)
        if blow.signal == "SIGSTOP":
            victim.signal("SIGCONT")
        elif blow.victim == "client":
            self._cast.replace(victim)
        else:
            victim.restart()
        self._down.remove(victim)
