"""A ``with`` that is found in a context variable: a thread's, or a task's and those it starts.

Blocks end in any order, and anywhere: those of generators may end after others that were begun
since, or in another task, and the exception of a signal handler may come between any two steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .locking import here

if TYPE_CHECKING:
    from contextvars import ContextVar
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Block", "InContext", "innermost"]

B = TypeVar("B", bound="Block")


@dataclass(eq=False)
class Block:
    """One ``with``.

    Attributes:
        begun_by: What it was begun with.
        outer: The block around it.
        owner: The process, thread and task that have begun it.
        is_open: Whether it has not ended.

    """

    begun_by: Any
    outer: Any
    owner: tuple[int, int, Any] = field(default_factory=here)
    is_open: bool = True


class InContext:
    """What begins and ends such blocks. Threads and tasks may use it, again too.

    A subclass has the context variable, and the class of its blocks.
    """

    _current: ClassVar[ContextVar[Any]]
    _block: ClassVar[type[Block]] = Block

    def __enter__(self) -> Self:
        block = self._block(self, innermost(self._current.get()))
        try:
            self._current.set(block)
        except BaseException:  # a signal handler's: then Python calls no __exit__
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._end()
        except BaseException:  # a signal handler's: calls after the block must not be in it
            self._end()
            raise

    def _end(self) -> None:
        latest = block = self._current.get()
        while block is not None and not (block.begun_by is self and block.is_open):
            block = block.outer
        if block is None:
            self._current.set(innermost(latest))
            return
        block.is_open = False
        # Out of this context even if it was begun in another one, as in a forked child's parent.
        self._current.set(innermost(block.outer if block is latest else latest))
        if block is latest:
            block.outer = None  # tasks that start each other would keep all of them

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


def innermost(block: B | None) -> B | None:
    """Return a block or the one around it, without those that were begun here and have ended."""
    while block is not None and not block.is_open and block.owner == here():
        block = block.outer
    return block
