"""Deals the blows of a plan, and has what was struck go on or start again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .plan import HOW
from .suspension import suspend

# Longer than it takes to stop a server that does not wait, and to have the other one send again.
_SLOW = 1.2


class Striker:
    """Strikes the processes of a run, each at its moment.

    Args:
        plan: What to do.
        moments: Tells when.
        cast: The processes, as :class:`.world.Cast` has them.

    Attributes:
        dealt: How many blows fell, by victim and signal.
        struck: When each master was struck, on this machine's monotonic clock, and how.

    """

    def __init__(self, plan, moments, cast):
        self._plan, self._moments, self._cast = plan, moments, cast
        self._chance = random.Random(f"strikes {plan.seed}")
        # What was struck and has not been put right yet is not struck again.
        self._down = []
        self._lock = threading.Lock()
        self._aftermath = ThreadPoolExecutor(8)
        self._repairs = []
        self._suspensions = []
        self._thread = threading.Thread(target=self._strike_all)
        self.dealt = Counter()
        self.struck = []

    def start(self):
        self._thread.start()

    def end(self):
        """Deal no further blow; return when all that was struck has been put right."""
        self._moments.end()
        self._thread.join()
        self._aftermath.shutdown(wait=True)
        for repair in self._repairs:
            repair.result()
        for is_over in self._suspensions:
            is_over()

    def _strike_all(self):
        for blow in self._plan.blows:
            if not self._moments.wait_for(blow.moment, blow.count):
                return
            if blow.victim == "queue":
                self._repairs.append(self._aftermath.submit(self._act, blow))
            elif blow.victim == "lender":
                self._repairs.append(self._aftermath.submit(self._lose, blow))
            elif blow.signal in HOW:
                self._suspend(blow)
            elif blow.times > 1:
                self._repairs.append(self._aftermath.submit(self._stop_in_a_row, blow))
            else:
                self._strike(blow)

    def _strike(self, blow):
        """Deal a blow; tell whether there was somebody to strike."""
        with self._lock:
            standing = [v for v in self._cast.victims(blow.victim) if v not in self._down]
            if not standing:
                return False
            victim = self._chance.choice(standing)
            self._down.append(victim)
            self.dealt[blow.victim, blow.signal] += 1
        victim.signal(blow.signal)
        self._repairs.append(self._aftermath.submit(self._put_right, victim, blow))
        return True

    def _stop_in_a_row(self, blow):
        """Stop the server that works, and the next one as soon as it has sent a read."""
        one, other = replace(blow, times=1), replace(blow, times=1, victim="standby")
        with self._moments.slow_reads(_SLOW) as wait_for_next:
            for number in range(blow.times):
                is_struck = False
                while not is_struck:  # not where the read is still one of the server before
                    if not wait_for_next():
                        return
                    is_struck = self._strike(one)
                if number == 1:
                    self._strike(other)  # while it takes over

    def _act(self, blow):
        self._cast.acting.act(blow, self.dealt)

    def _lose(self, blow):
        self._cast.lending.act(blow, self.dealt)

    def _suspend(self, blow):
        for client in self._cast.clients:
            if client.work.name == blow.victim:
                over = suspend(client, blow.signal, self._cast.redis.url, self.dealt)
                self._suspensions.append(over)

    def _put_right(self, victim, blow):
        time.sleep(blow.pause)
        if blow.signal == "SIGSTOP":
            victim.signal("SIGCONT")
        elif blow.victim in ("client", "holder"):
            self._cast.replace(victim)
        else:
            victim.restart()
        self._down.remove(victim)
