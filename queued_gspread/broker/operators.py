"""The queue as an operator sees it: pause it, drain it, look at its jobs, and cancel them."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection.client import Link, as_text, reply_expiry
from queued_gspread.broker.connection.deadline import until
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.errors import CallCancelledError, ConfigurationError
from queued_gspread.protocol.messages import Reply
from queued_gspread.protocol.signing import is_signed, load_keys, sign

from .envelope import bound_reply
from .failed_calls import MOST_FAILED, kept_calls, places
from .keys import Keys
from .listed_jobs import WHOLE, page_of
from .pauses import DRAIN, MOST_PAUSES, one_line, pauses_of, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.settings import Settings

    from .failed_calls import FailedCall
    from .listed_jobs import ListedJob
    from .pauses import Pause

__all__ = ["Operator", "who_asks"]

_PATIENCE: Final = 10.0
_PAGE: Final = 500
_ALL_OF_IT: Final = 2**30
_WHAT: Final = {"all": "all calls", "read": "reads", "write": "writes"}


def who_asks() -> str:
    """Return who runs this process, for the server's log: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "?"
    return "_".join(one_line(f"{user}@{socket.gethostname()}", 100).split())


class Operator:
    """Acts on a namespace. What is asked for is in the log of the server that works.

    Args:
        settings: Where the queue is, and the key of callers that sign.
        by: Who asks, as one word.

    Raises:
        ConfigurationError: The signing key file cannot be used.

    """

    def __init__(self, settings: Settings, by: str | None = None) -> None:
        self.settings = settings
        self.by = by or who_asks()
        self._keys = Keys(settings.namespace)
        self._link = Link(settings)
        path = settings.signing_key_file
        self._keyring = None if path is None else load_keys(path, copied=True)

    def pause(self, what: str, lane: str = "", why: str = "") -> None:
        """Send no further requests of a kind, or of a spreadsheet, until that is resumed.

        Args:
            what: ``all``, ``read`` or ``write``.
            lane: The spreadsheet's lane; '' for all of them.
            why: The reason, for callers and for the log.

        Raises:
            ConfigurationError: There are too many pauses.
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        where = f" of the spreadsheet {lane}" if lane else ""
        self._begin(scope_of(what, lane), f"pause {_WHAT[what]}{where}", why)

    def drain(self, why: str = "") -> None:
        """Have the queue take no new calls until that is resumed; raises as :meth:`pause` does."""
        self._begin(scope_of(DRAIN), "drain the queue", why)

    def _begin(self, scope: str, what: str, why: str) -> None:
        keys = [self._keys.server, self._keys.actions]
        args = [scope, self.by, one_line(why), what, MOST_PAUSES]
        if not self._run("pause", keys, args):
            raise ConfigurationError(
                f"there are {MOST_PAUSES} pauses in {self.settings.place}, and no more can be: "
                "resume some, or pause everything"
            )

    def resume(self, scope: str = "", why: str = "") -> tuple[Pause, ...]:
        """End a pause, or all of them and a drain; return what has ended.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        keys = [self._keys.server, self._keys.actions, self._keys.locks]
        what = f"resume {scope}" if scope else "resume everything"
        return pauses_of(self._run("resume", keys, [scope, self.by, one_line(why), what]))

    def pauses(self) -> tuple[Pause, ...]:
        """Return what is paused, and whether the queue is drained.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        return pauses_of(self._ask("hget", self._keys.server, "paused") or b"")

    def waiting(self) -> int:
        """Return how many calls wait or are being made, and locks that are asked for or held.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        return int(self._ask("get", self._keys.depth) or 0)

    def note(self, what: str, why: str = "") -> None:
        """Have the server's log say what is asked for here.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        keys = [self._keys.server, self._keys.actions]
        self._run("note_action", keys, [self.by, one_line(what), one_line(why)])

    def lanes(self, spreadsheet: str = "") -> list[str]:
        """Return the lanes that hold jobs, by name; those of one spreadsheet, if it is given.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        names = sorted(map(as_text, self._ask("smembers", self._keys.active)))
        return [name for name in names if spreadsheet in ("", name.partition("!")[0])]

    def jobs(self, lane: str) -> Iterator[ListedJob]:
        """Yield the jobs of a lane, in order.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        after, page = "", self._page(lane, "")
        while True:
            after, jobs = page
            yield from jobs
            if not after:
                return
            page = self._page(lane, after)

    def find(self, job_id: str, spreadsheet: str = "") -> ListedJob | None:
        """Return a job with all of its body; None if it is not in the queue (any more).

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        for lane in self.lanes(spreadsheet):
            after, found = self._page(lane, "", job_id)
            while after and not found:
                after, found = self._page(lane, after, job_id)
            if found:
                return found[0]
        return None

    def whole(self, job: ListedJob) -> ListedJob:
        """Return a job with all of its body; as it is, if it is not in the queue any more.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        if len(job.body) == job.size:
            return job
        _, found = self._page(job.lane, job.just_before, job.job_id, count=1)
        return found[0] if found else job

    def _page(
        self, lane: str, after: str, job_id: str = "", count: int = _PAGE
    ) -> tuple[str, list[ListedJob]]:
        keys = [self._keys.lane(lane), self._keys.progress]
        args = [after, count, _ALL_OF_IT if job_id else WHOLE, job_id]
        return page_of(lane, self._run("jobs", keys, args))

    def cancel(self, job: ListedJob, why: str = "", failure: bytes = b"") -> str:
        """Cancel a call that has written nothing; its caller gets a ``CallCancelledError``.

        Args:
            job: The job.
            why: The reason, for the caller.
            failure: What is kept of its failure, if nobody waits for it.

        Returns:
            The job's fate, as ``withdraw.lua`` says it: ``withdrawn`` or ``ended`` if it was
            cancelled.

        Raises:
            ConfigurationError: The job is signed, and there is no key to sign the answer with.
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        job = self.whole(job)  # its timeout stands at its end
        reply = self._reply(job, Reply(error=self.error(job, why)).encode())
        expiry = reply_expiry(job.shown()["timeout"])
        keys = [*self._keys.of_withdraw(job.lane, job.job_id), self._keys.failed]
        args: list[Any] = [job.job_id, job.stream_id, job.lane, "", "gently", reply, expiry]
        return as_text(self._run("withdraw", keys, [*args, failure, MOST_FAILED]))

    def error(self, job: ListedJob, why: str = "") -> CallCancelledError:
        """Return the error that tells a caller that its call was cancelled."""
        reason = f": {one_line(why)}" if why else ""
        error = CallCancelledError(
            f"cancelled by {self.by}{reason}. The call has written nothing, and will not be made"
        )
        error.job_id = job.job_id
        return error

    def failures(self) -> list[tuple[FailedCall, bytes]]:
        """Return what is kept of calls that failed, the latest first, each with its form in Redis.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        return kept_calls(self.settings, self._link, places(self._keys))

    def dismiss(self, call: FailedCall, kept: bytes, why: str = "") -> None:
        """Forget a call that failed, and its job if servers died of it.

        Args:
            call: The call.
            kept: Its form in Redis.
            why: The reason, for the log.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        keys = [self._keys.server, self._keys.actions, self._keys.poisoned, *places(self._keys)]
        what = one_line(f"dismiss the failure of the job {call.job_id}")
        job_id = call.job_id if call.sort == "poisoned" else ""
        self._run("dismiss", keys, [job_id, self.by, what, one_line(why), kept])

    def _reply(self, job: ListedJob, reply: bytes) -> bytes:
        if not is_signed(job.body):
            return reply
        if self._keyring is None:
            raise ConfigurationError(
                f"the job {job.job_id} is signed, and its caller takes no answer that is not: give "
                "--signing-key-file a copy of the server's key"
            )
        bound = bound_reply(self.settings.namespace, job.lane, job.job_id, job.body)
        return sign(self._keyring, "reply", bound, reply)

    def _run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        with until(now() + _PATIENCE):
            return self._link.connection.run(script, keys, args)

    def _ask(self, command: str, *args: Any) -> Any:
        try:
            return getattr(self._link.connection.redis, command)(*args)
        except RedisError as error:
            raise unavailable(self.settings, error) from error
