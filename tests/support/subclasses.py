"""Subclasses of Python's own types that show something other than their value."""

from __future__ import annotations

import enum


class Text(str):
    """A text whose class spells it differently."""

    __slots__ = ()

    def __str__(self):
        return "another text"

    __repr__ = __str__

    def __format__(self, _):
        return "a third one"


class Whole(int):
    def __str__(self):
        return "another int"

    __repr__ = __format__ = __str__

    def __bool__(self):
        return False


class Real(float):
    __slots__ = ()

    def __str__(self):
        return "another float"

    __repr__ = __str__


class Row(list):
    def __iter__(self):
        return iter([*super().__iter__(), 1])


class Pair(tuple):
    __slots__ = ()

    def __iter__(self):
        return iter([*super().__iter__(), 2])


class Table(dict):
    def items(self):
        return [*super().items()][::-1]


class Raw(bytes):
    __slots__ = ()


class Bag(set):
    pass


class Marked(str, enum.Enum):
    LOW = "low"


class Numbered(int, enum.Enum):
    ONE = 1
