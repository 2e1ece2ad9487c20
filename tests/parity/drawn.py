"""Calls of gspread's public methods, drawn from a seed.

Every parameter of every public method that the installed gspread has comes in turn, each time
with another value of :data:`.values.ANYTHING`. The other parameters get what makes sense, or are
left out; some calls have an argument too many, too few, or one of an unknown name.
"""

from __future__ import annotations

import inspect
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread.protocol.kinds import KINDS, Group

from .by_design import is_changed
from .values import ANYTHING, Value, fitting

if TYPE_CHECKING:
    from collections.abc import Iterator

# Who the calls of a class are made on, as the scene has them.
TARGETS = {
    "Client": ["gc"],
    "Spreadsheet": ["sh", "sh", "sh", "other"],
    "Worksheet": ["ws", "ws", "ws", "tail"],
    "HTTPClient": ["http"],
}
# They have no name among the parameters, and are reached through Python's own syntax.
DUNDERS = {"Spreadsheet": ["__iter__", "__repr__"], "Worksheet": ["__repr__"]}
_OPTIONAL = 0.3
_ODD = 0.05
_BY_KEYWORD = 0.4


@dataclass(frozen=True)
class Drawn:
    """A call to be made: on what, which, and with what."""

    target: str
    cls: str
    name: str
    args: tuple[Value, ...] = ()
    kwargs: tuple[tuple[str, Value], ...] = ()
    is_property: bool = False

    @property
    def method(self) -> str:
        return f"{self.cls}.{self.name}"

    def __str__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs)]
        return f"{self.target}.{self.name}" + ("" if self.is_property else f"({', '.join(given)})")

    def arguments(self, scene):
        """Make the arguments anew."""
        args = [value.make(scene) for value in self.args]
        return args, {name: value.make(scene) for name, value in self.kwargs}

    def has_subclasses(self, scene) -> bool:
        """Tell whether an argument is of a class of the caller's below one of Python's."""
        given = self.arguments(scene)
        return any(map(is_changed, [given[0], given[1]]))

    def call(self, scene, args, kwargs):
        """Make the call on what the scene has."""
        found = getattr(getattr(scene, self.target), self.name)
        if self.is_property:
            return found
        result = found(*args, **kwargs)
        return list(result) if self.name == "__iter__" else result


def surface() -> list[tuple[str, str, str | None]]:
    """Return class, name and parameter of all there is to call; None where there is none."""
    found = []
    for kind in KINDS.values():
        cls = kind.cls.__name__
        for name, group in kind.groups.items():
            own = [] if group in (Group.PROPERTY, Group.REMOTE) else parameters(kind.cls, name)
            found += [(cls, name, own_name) for own_name in own] or [(cls, name, None)]
        found += [(cls, name, None) for name in DUNDERS.get(cls, ())]
    return found


def parameters(cls: type, name: str) -> dict[str, inspect.Parameter]:
    """Return the parameters of a method without its self."""
    every = dict(inspect.signature(inspect.getattr_static(cls, name)).parameters)
    every.pop(next(iter(every)))
    return every


def drawn(seed: int) -> Iterator[Drawn]:
    """Yield calls without an end: every parameter in turn, and every value of each in turn."""
    rng = random.Random(seed)
    places = surface()
    left: dict[tuple[str, str, str | None], list[Value]] = {}
    while True:
        rng.shuffle(places)
        for place in places:
            if not left.get(place):
                left[place] = rng.sample(ANYTHING, len(ANYTHING))
            yield _call(rng, *place, left[place].pop())


_CLASSES = {kind.cls.__name__: kind for kind in KINDS.values()}


def _call(rng: random.Random, cls: str, name: str, focus: str | None, value: Value) -> Drawn:
    kind = _CLASSES[cls]
    target = rng.choice(TARGETS[cls])
    if kind.groups.get(name) in (Group.PROPERTY, Group.REMOTE):
        return Drawn(target, cls, name, is_property=True)
    args, kwargs = [], []
    own = {} if name.startswith("__") else parameters(kind.cls, name)
    for each, parameter in own.items():
        if each != focus:
            needed = parameter.default is parameter.empty
            if not needed and rng.random() > _OPTIONAL:
                continue
            chosen = rng.choice(fitting(f"{cls}.{name}", each))
        else:
            chosen = value
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += [chosen] * rng.randint(1, 2)
        elif parameter.kind is parameter.KEYWORD_ONLY or _is_late(own, each, args, kwargs, rng):
            kwargs.append((each, chosen))
        else:
            args.append(chosen)
    if rng.random() < _ODD or (focus is None and rng.random() < _ODD * 6):
        _spoil(rng, args, kwargs, list(own), value)
    return Drawn(target, cls, name, tuple(args), tuple(kwargs))


def _is_late(own, each, args, kwargs, rng) -> bool:
    """Whether an argument is given by keyword: it has to where one before it was left out."""
    return bool(kwargs) or list(own).index(each) != len(args) or rng.random() < _BY_KEYWORD


def _spoil(rng, args, kwargs, own, value) -> None:
    """Give an argument too many, too few, twice, or of a name that there is not."""
    kind = rng.randrange(4)
    if kind == 0:
        args += [value] * (len(own) + 1 - len(args))
    elif kind == 1 and (args or kwargs):
        (args or kwargs).pop(0)
    elif kind == 2 and args and own:
        kwargs.append((own[0], value))
    else:
        kwargs.append((rng.choice(["nope", "self", "args", "kind", "method_", "_"]), value))
