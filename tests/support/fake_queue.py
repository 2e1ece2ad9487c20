"""The servers' side of the queue, in the place of a broker's, for what needs no Redis."""

from __future__ import annotations

from queued_gspread.broker import Permit

GO = Permit("go", sent=1)


class FakeQueue:
    """Answers what it is asked, and notes what it is told.

    Args:
        permits: The answers to who asks for a slot, in turn: permits, or errors to raise; after
            them everybody may go.
        told: A list that others note in as well, for an order among all.
        waiting: How many calls wait.
        renewal: The signed message by which a job's caller says that it still waits.

    Attributes:
        error: Raised by whatever is to change the queue, as long as it is set.
        asked: Of each question for a slot: its name, and those of the slots released with it.
        released: The slots that were released by themselves: name, and when its request was sent.
        answered: The replies that were taken.

    """

    epoch = "1"

    def __init__(self, *permits, told=None, waiting=1, renewal=None):
        self._permits, self._told = list(permits), [] if told is None else told
        self._waiting, self._renewal, self.error = waiting, renewal, None
        self.asked, self.released, self.answered = [], [], []

    def acquire(self, acquire_args, slot, slots_to_release=()):
        self._told.append(f"asked for {len(acquire_args)}")
        self.asked.append((slot.name, [each.slot.name for each in slots_to_release]))
        permit = self._permits.pop(0) if self._permits else GO
        if isinstance(permit, Exception):
            raise permit
        return permit

    def release_slot(self, jobs, slot, sent, **answer):
        self._raise_if_away()
        self._told.append("released")
        self.released.append((slot.name, sent))

    def answer(self, answers, slots_to_release=()):
        self._raise_if_away()
        self.answered += [reply for _, reply in answers]

    def renewal(self, job_id):
        return self._renewal

    def count_waiting(self):
        return self._waiting

    def _raise_if_away(self):
        if self.error is not None:
            raise self.error
