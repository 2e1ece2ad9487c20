"""How long the parts of a server wait, where no option says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from queued_gspread.broker import QueueTiming
from queued_gspread.broker.connection.client import LONGEST_LOOK

__all__ = ["Timing"]


@dataclass(frozen=True)
class Timing:
    """The waits of a server that no option sets, all in seconds. Tests take shorter ones.

    Attributes:
        silent_redis: After how long the log says that Redis does not answer, at the start.
        first_token: How long a starting server waits for its first access token, before it takes a
            lease without one.
        standby_beat: How soon a server that stands by takes over from one that ended in good order.
        renewal: How long a caller may take to renew a job signed for an earlier server, from the
            moment on at which it can see that server's generation.
        slow_answer: After how long a request that Google has not answered is reported to callers.
        key_file_check: How often the credentials file is looked at for a change.
        scheduler_pause: How often the scheduler sees whether all is over, and its pause after an
            error.
        publish: How often a server publishes what those see who look at the queue.
        queue: The waits for Redis.

    """

    silent_redis: float = 2.0
    first_token: float = 2.0
    standby_beat: float = 0.1
    renewal: float = LONGEST_LOOK
    slow_answer: float = 3.0
    key_file_check: float = 5.0
    scheduler_pause: float = 0.5
    publish: float = 2.0
    queue: QueueTiming = field(default_factory=QueueTiming)
