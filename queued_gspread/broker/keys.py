"""The names of a queue's keys in Redis.

All keys of a namespace have it as their hash tag, so that a Cluster keeps them in one slot and a
script may use several of them. What a job and a reply hold is described in
:mod:`queued_gspread.protocol.messages`, and their bytes in :mod:`queued_gspread.protocol.codec`;
they are signed by :mod:`.envelope`, if there is a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

__all__ = ["FORMAT", "REMEMBERED", "Keys", "namespace_of", "remembered_ms"]

FORMAT: Final = 3
"""The number of this queue format: of its keys, scripts, entries, marks and journals.

Raise it with every change that an earlier client or server would misread. It is part of the keys,
so that two formats never see each other's jobs, and each can have its own server. The first format
had no number in its keys.
"""

REMEMBERED = 120.0
"""Seconds for which job ids are remembered, so that a retried enqueue adds no second job.

Each use passes it to the scripts, so a test may set it here.
"""


def remembered_ms() -> int:
    """Return the current :data:`REMEMBERED` in milliseconds."""
    return round(REMEMBERED * 1000)


def namespace_of(key: str) -> str:
    """Return the namespace of a key."""
    return key.partition("{")[2].partition("}")[0]


@dataclass(frozen=True)
class Keys:
    """The keys of one namespace.

    Those of one format, after its number:

    ===================  ===========  ====================================================
    key                  type         content
    ===================  ===========  ====================================================
    ``…:lane:LANE``      stream       the lane's jobs, first in first out: ``id`` and ``body``
    ``…:active``         set          names of the lanes that hold jobs or are being run
    ``…:ready:EPOCH``    list         names of the active lanes that wait for that epoch's
                                      server, each with its job if small and the only one
    ``…:dedup``          sorted set   ids of recent jobs, by time; ``withdrawn:ID`` and
                                      ``ended:ID``, how a withdrawal went; ``since:``, the time
                                      since which the set is complete
    ``…:progress``       hash         job id to ``r`` (has only read), ``w`` (may have written,
                                      but only idempotent requests), ``j`` (its journal says
                                      what), ``l`` (has the lock that it asks for), with an
                                      ``x`` once its caller has given up
    ``…:deliveries``     hash         job id to the epochs under which it was delivered
    ``…:journal:ID``     list         what the next server must know of a call: the docstring of
                                      ``broker.permits``
    ``…:poisoned``       stream       jobs that servers died of
    ``…:failed``         sorted set   calls that nobody waited for and that failed, by time:
                                      :mod:`.failed_calls`
    ``…:outcomes``       sorted set   others whose callers may not know what was done: unknown
                                      outcomes, poisoned jobs
    ``…:errors``         sorted set   others that failed
    ``…:answered``       sorted set   ids of signed jobs that nobody waits for and that were
                                      answered, by the times that they are signed with; the server
                                      vouches for all of them together in the hash ``server``
    ``…:reply:ID``       stream       one entry, whose ``body`` is the reply; deleted by the
                                      caller
    ``…:wake:NAME``      stream       wakes the one read of all replies of an asyncio client,
                                      which deletes it in the same write
    ``…:locks``          hash         name of a lane to who has its lock: its number, the time
                                      since when, that of the holder's latest call, the time
                                      after which it lapses, its state, the holder in words
    ``…:promises``       hash         what is kept of calls under idempotency keys, without the
                                      calls and their answers: ``lua/promises.lua``
    ``…:promised``       hash         these calls, as digests, and their answers
    ``…:keeping``        sorted set   the times until which it is kept
    ``…:depth``          string       how many jobs wait in all lanes; absent for none
    ``…:renewal:ID``     string       that a signed job's caller still waits, signed under a
                                      generation; deleted by the caller
    ``…:server``         hash         the working server: holder, epoch, last_beat, description,
                                      lease, max_queue, generation; quota, the epoch and what its
                                      server assumes, in words; holdups, the time of a beat
                                      and what held requests up then; worked, the latest epoch
                                      under which lanes were taken; left, the epoch whose server
                                      shut down cleanly; ended, when a server did; master, the
                                      Redis that got the latest beat; moved, when that got its
                                      first; in_doubt, set if that has become a master since;
                                      standby, when a standby server last said that it has a
                                      token; touched, written for a WAIT; answered, what the
                                      server signs for the set of that name; paused, what operators
                                      have paused (:mod:`.pauses`); logged, the latest of their
                                      actions that a server has logged; asked, the latest of them
                                      for observers
    ``…:actions``        stream       what operators have asked for, and who
    ``…:published``      hash         what servers publish for those who look at the queue:
                                      :mod:`.published`
    ``…:control:ID``     list         requests to the server with that id: ``stop``
    ===================  ===========  ====================================================

    Those that all formats share, without a number. The form of their content must never change, nor
    may that of what formats read from each other: ``last_beat``, ``description`` and ``epoch`` in
    the hash ``server`` (the names of slots begin with the epoch), and the string ``depth``.

    ===================  ===========  ====================================================
    ``…:formats``        hash         known: the numbers of the formats that have had a server
    ``…:slots:KIND``     sorted set   the quota's slots, by the time until which they are held
    ``…:slots:KIND:ACCOUNT``
                         sorted set   those of an account that lends its quota
    ``…:throttle``       hash         what Google's refusals have taught: ``lua/quota.lua``
    ``…:throttle:ACCOUNT``
                         hash         the same of an account that lends its quota
    ``…:account``        string       the account that the namespace belongs to, in words
    ===================  ===========  ====================================================

    The scripts of ``lua/`` that write them; the header of each lists its keys:

    ===================  ==================================================================
    key                  scripts
    ===================  ==================================================================
    ``lane``             enqueue; answer, withdraw, head, unlock and lapse take out
    ``active``           enqueue; answer, withdraw, head, unlock and lapse take out
    ``ready``            enqueue, withdraw, recover, beat, answer, unlock, lapse; the server pops
                         from it (BLPOP)
    ``dedup``            enqueue, withdraw
    ``progress``         acquire, release_slot, withdraw, grant; answer, unlock and lapse take out
    ``deliveries``       head, answer, peek, deliver_suspect, acquire, beat, requeue, withdraw,
                         grant, unlock, lapse
    ``journal``          acquire, release_slot; answer and withdraw delete it
    ``poisoned``         poison, dismiss
    ``failed``, ``outcomes``, ``errors``
                         answer, dismiss; ``failed`` also withdraw, when an operator cancels a
                         call
    ``answered``         answer, vouch
    ``reply``            answer, grant; withdraw, when an operator cancels a call
    ``locks``            grant, unlock, extend, lapse, answer, withdraw, resume
    ``promises``         acquire, answer, settle; so are ``promised`` and ``keeping``
    ``depth``            enqueue, answer, withdraw, recount, unlock, lapse
    ``renewal``          want
    ``server``           beat, release, recover, requeue, confirm_intent; answer, vouch; pause,
                         resume, note_action, dismiss
    ``actions``          pause, resume, note_action, dismiss
    ``published``        publish
    ``control``          none: ``Consumer.request_stop`` pushes
    ``formats``          formats
    ``slots``            acquire, release_slot, answer, remind, recover, formats, copy_slots
    ``throttle``         acquire, release_slot, answer
    ``account``          beat
    ===================  ==================================================================


    ``reply``, ``renewal`` and ``control`` have an expiry, and nothing else has: so a Redis that
    evicts only such keys keeps every call (:mod:`.redis_check`).
    """

    namespace: str

    @cached_property
    def pattern(self) -> str:
        """A glob of Redis for all keys of the namespace, of every format."""
        return self._shared("*")

    @cached_property
    def active(self) -> str:
        """Names of the lanes that hold jobs or are being run."""
        return self._key("active")

    @cached_property
    def ready(self) -> str:
        """The prefix of the keys of the lanes that wait for the server of an epoch."""
        return self._key("ready")

    def ready_under(self, epoch: str) -> str:
        """Return the key of the lanes that wait for the server of an epoch."""
        return f"{self.ready}:{epoch}"

    @cached_property
    def dedup(self) -> str:
        """Ids of recent jobs."""
        return self._key("dedup")

    @cached_property
    def progress(self) -> str:
        """The progress of the calls that a server has started."""
        return self._key("progress")

    @cached_property
    def deliveries(self) -> str:
        """The epochs under which jobs were delivered."""
        return self._key("deliveries")

    @cached_property
    def poisoned(self) -> str:
        """Jobs that servers died of."""
        return self._key("poisoned")

    @cached_property
    def failed(self) -> str:
        """Calls that nobody waited for and that failed."""
        return self._key("failed")

    @cached_property
    def outcomes(self) -> str:
        """Calls whose callers may not know what was done."""
        return self._key("outcomes")

    @cached_property
    def errors(self) -> str:
        """Other calls that failed."""
        return self._key("errors")

    @cached_property
    def answered(self) -> str:
        """Ids of signed jobs that nobody waits for and that were answered."""
        return self._key("answered")

    @cached_property
    def locks(self) -> str:
        """Who has the locks of spreadsheets."""
        return self._key("locks")

    @cached_property
    def promises(self) -> str:
        """What is kept of calls under idempotency keys."""
        return self._key("promises")

    @cached_property
    def promised(self) -> str:
        """These calls, as digests, and their answers."""
        return self._key("promised")

    @cached_property
    def keeping(self) -> str:
        """The times until which it is kept."""
        return self._key("keeping")

    @cached_property
    def depth(self) -> str:
        """How many jobs wait in all lanes."""
        return self._key("depth")

    def renewal(self, job_id: str) -> str:
        """Return the key that says that a signed job's caller still waits."""
        return self._key(f"renewal:{job_id}")

    @cached_property
    def server(self) -> str:
        """The working server."""
        return self._key("server")

    @cached_property
    def published(self) -> str:
        """What servers publish for those who look at the queue."""
        return self._key("published")

    @cached_property
    def formats(self) -> str:
        """Which formats have had a server in this namespace."""
        return self._shared("formats")

    @cached_property
    def throttle(self) -> str:
        """What Google's refusals have taught."""
        return self._shared("throttle")

    def throttle_of(self, account: str) -> str:
        """Return the key of what refusals have taught of an account; '' for the namespace's."""
        return f"{self.throttle}:{account}" if account else self.throttle

    @cached_property
    def account(self) -> str:
        """The account that the namespace belongs to."""
        return self._shared("account")

    def slots(self, kind: str, account: str = "") -> str:
        """Return the key of an account's slots for a kind of request; '' for the namespace's."""
        return self._shared(f"slots:{kind}:{account}" if account else f"slots:{kind}")

    @cached_property
    def actions(self) -> str:
        """What operators have asked for."""
        return self._key("actions")

    def control(self, server_id: str) -> str:
        """Return the key of the requests to a server."""
        return self._key(f"control:{server_id}")

    def lane(self, name: str) -> str:
        """Return the key of a lane's jobs."""
        return self._key(f"lane:{name}")

    def journal(self, job_id: str) -> str:
        """Return the key of what the next server must know of a call."""
        return self._key(f"journal:{job_id}")

    def reply(self, job_id: str) -> str:
        """Return the key of a job's reply."""
        return self._key(f"reply:{job_id}")

    def wake(self, name: str) -> str:
        """Return the key by which a process wakes its own read of many replies."""
        return self._key(f"wake:{name}")

    def of_enqueue(self, lane: str) -> list[str]:
        """Return the keys of ``enqueue.lua``, in its order."""
        return [
            self.lane(lane),
            self.dedup,
            self.active,
            self.ready,
            self.server,
            self.depth,
        ]

    def of_withdraw(self, lane: str, job_id: str) -> list[str]:
        """Return the keys of ``withdraw.lua``, in its order."""
        return [
            self.lane(lane),
            self.progress,
            self.reply(job_id),
            self.dedup,
            self.deliveries,
            self.journal(job_id),
            self.depth,
            self.active,
            self.ready,
            self.server,
        ]

    def _key(self, rest: str) -> str:
        return self._shared(f"{FORMAT}:{rest}")

    def _shared(self, rest: str) -> str:
        return f"queued-gspread:{{{self.namespace}}}:{rest}"
