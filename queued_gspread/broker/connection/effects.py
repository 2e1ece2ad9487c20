"""What a core without I/O asks its shell to do, as plain data, and the type of such a core.

A core is a generator. It yields an effect; the shell does it, and sends the answer back or throws
the error of redis-py's that came in its place. So what to send, what an answer means and when to
give up are decided without I/O, and once for all shells: the one here blocks
(:mod:`.shell`), another one may await, or do the effects of many cores at a time.

A core reads the clock, but waits for nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

__all__ = [
    "AwaitReply",
    "Core",
    "Effect",
    "Extend",
    "Joint",
    "LookAtMaster",
    "Send",
    "Sleep",
    "Tell",
]

T = TypeVar("T")
Command: TypeAlias = Sequence[Any]


@dataclass(slots=True)
class AwaitReply:
    """Wait for a job's reply; the answer is its body, or None after so many seconds without one.

    Attributes:
        key: The stream of the reply.
        seconds: For how long.

    """

    key: str
    seconds: float

    @property
    def command(self) -> Command:
        """The command that waits so."""
        return self.command_of([self.key], self.seconds)

    @staticmethod
    def command_of(keys: Iterable[str], seconds: float) -> Command:
        """Return the command that waits for any of several replies."""
        keys, block = list(keys), max(1, int(seconds * 1000))
        # Reading must not remove a reply: the connection may break in the middle.
        ids = ["0"] * len(keys)
        return ["XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", *keys, *ids]


@dataclass(frozen=True, slots=True)
class Joint:
    """A script's call that a shell may make together with others that have the same in common.

    The script takes any number of them, and its answer begins with a list of what each gets that
    has keys of its own.

    Attributes:
        keys: The keys that they have in common.
        args: The arguments that they have in common.
        own_keys: The keys of this one, which come behind.
        own_args: The arguments of this one, which come behind.

    """

    keys: tuple[str, ...]
    args: tuple[Any, ...]
    own_keys: tuple[str, ...]
    own_args: tuple[Any, ...]


@dataclass(slots=True)
class Send:
    """Send a command; the answer is Redis's.

    Attributes:
        command: The command.
        ahead: The effect that comes next if the answer is good: the shell may send it along, and
            has its answer sooner when the core yields that very object.
        joint: What it has in common with others, if it may go with them.

    """

    command: Command
    ahead: Send | AwaitReply | None = None
    joint: Joint | None = None

    @property
    def company(self) -> Hashable | None:
        """What is the same for all that it may go with; None if it goes alone."""
        joint = self.joint
        return None if joint is None else (*self.command[:2], joint.keys, joint.args)

    @staticmethod
    def joined(sends: Sequence[Send]) -> Command:
        """Return one command for all of these, which are of one company."""
        first, joints = sends[0], [each.joint for each in sends if each.joint is not None]
        if len(joints) <= 1:
            return first.command
        keys = [*joints[0].keys, *(key for each in joints for key in each.own_keys)]
        args = [*joints[0].args, *(arg for each in joints for arg in each.own_args)]
        return [*first.command[:2], len(keys), *keys, *args]

    @staticmethod
    def parts_of(answer: Any, sends: Sequence[Send]) -> Iterator[Any]:
        """Yield what each would have got alone, from the answer to all of them as one."""
        if len(sends) == 1:
            yield answer
            return
        own, *common = answer
        each = iter(own)
        for send in sends:
            yield [[next(each)] if send.joint and send.joint.own_keys else [], *common]


@dataclass(slots=True)
class Tell:
    """Send a command whose answer does not matter, nor whether it arrives.

    Attributes:
        command: The command.
        seconds: For how long to try.

    """

    command: Command
    seconds: float


@dataclass(slots=True)
class Sleep:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(slots=True)
class LookAtMaster:
    """Check whether the connections still lead to the master, as often as that is due."""


@dataclass(slots=True)
class Extend:
    """From now on, wait for Redis until this moment of the clock, whatever the deadline was."""

    end: float


Effect: TypeAlias = AwaitReply | Send | Tell | Sleep | LookAtMaster | Extend
Core: TypeAlias = Generator[Effect, Any, T]
"""A core: it yields effects, receives their answers, and returns its result."""
