"""Redis as the queue: the only package that knows its keys.

``producer`` is the callers' side: it enqueues jobs, waits for replies and withdraws jobs.
``core`` decides for it, without I/O, and ``collector`` waits for the replies of many at a time.
``consumer`` is the server's side: it holds the lease and takes jobs from the lanes; ``dispatch``
acquires and releases the quota's slots, and ``fencing`` runs the scripts of both under the server's
epoch. ``jobs`` and ``permits`` are their results, as plain data. ``keys`` names the keys in Redis,
and ``lua/`` has everything that must be atomic. ``connection/`` finds the master and talks to it;
``waiting/`` tells a waiting caller what it waits for.
"""

from queued_gspread.broker.waiting.holdups import (
    AGAIN,
    INTERVAL,
    MEMORY,
    MOST_NAMED,
    PAUSED,
    QUOTA,
    SENT,
    SHARED,
    Holdup,
    Holdups,
)
from queued_gspread.broker.waiting.notices import Notice
from queued_gspread.broker.waiting.reason import CERTAIN, SPACED, Sight, bound, longest

from .actions import Action
from .answered import NOTHING_ANSWERED, AnsweredIds, Vouched
from .backlog import Backlog, Predecessor
from .beat import ANY, Beat, Candidate
from .collector import Collector, Latch
from .consumer import Consumer
from .failed_calls import FAILED, FailedCall, failed_calls
from .fencing import StaleEpochError
from .foreign import shown
from .formats import Other, shown_others
from .jobs import Entry, Ready, Stop
from .keys import FORMAT
from .locks import (
    LOCKED,
    LockHolder,
    holder_lane,
    is_lock,
    lock_number,
    spreadsheet_lane,
)
from .observing import KEPT, Observed, ServerHash, observe
from .pauses import (
    DRAIN,
    EVERYTHING,
    READS,
    WRITES,
    Pause,
    one_line,
)
from .permits import (
    ALL,
    KINDS,
    LENT,
    NO_SLOT,
    NO_UPDATE,
    PAUSE,
    AcquireArgs,
    AnsweredSlot,
    JournalUpdate,
    Permit,
    Project,
    QuotaState,
    ReleaseArgs,
    Slot,
)
from .producer import Producer, QueuedJob
from .promises import KeptCall, Promises
from .published import BOUNDS, Card, LaneAtWork, Publication, Published, Work
from .resources import FINE, AccountAtWork, CacheAtWork
from .timing import QueueTiming
from .withdrawal import UNDONE, add_note, lock_lost, meaning, note, tell_answered

__all__ = [
    "AGAIN",
    "ALL",
    "ANY",
    "BOUNDS",
    "CERTAIN",
    "DRAIN",
    "EVERYTHING",
    "FAILED",
    "FINE",
    "FORMAT",
    "INTERVAL",
    "KEPT",
    "KINDS",
    "LENT",
    "LOCKED",
    "MEMORY",
    "MOST_NAMED",
    "NOTHING_ANSWERED",
    "NO_SLOT",
    "NO_UPDATE",
    "PAUSE",
    "PAUSED",
    "QUOTA",
    "READS",
    "SENT",
    "SHARED",
    "SPACED",
    "UNDONE",
    "WRITES",
    "AccountAtWork",
    "AcquireArgs",
    "Action",
    "AnsweredIds",
    "AnsweredSlot",
    "Backlog",
    "Beat",
    "CacheAtWork",
    "Candidate",
    "Card",
    "Collector",
    "Consumer",
    "Entry",
    "FailedCall",
    "Holdup",
    "Holdups",
    "JournalUpdate",
    "KeptCall",
    "LaneAtWork",
    "Latch",
    "LockHolder",
    "Notice",
    "Observed",
    "Other",
    "Pause",
    "Permit",
    "Predecessor",
    "Producer",
    "Project",
    "Promises",
    "Publication",
    "Published",
    "QueueTiming",
    "QueuedJob",
    "QuotaState",
    "Ready",
    "ReleaseArgs",
    "ServerHash",
    "Sight",
    "Slot",
    "StaleEpochError",
    "Stop",
    "Vouched",
    "Work",
    "add_note",
    "bound",
    "failed_calls",
    "holder_lane",
    "is_lock",
    "lock_lost",
    "lock_number",
    "longest",
    "meaning",
    "note",
    "observe",
    "one_line",
    "shown",
    "shown_others",
    "spreadsheet_lane",
    "tell_answered",
]
