"""Formulas as syntax trees: arithmetic, comparison, references and function calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from queued_gspread.emulator.a1 import Bounds, parse_bounds, split_title

if TYPE_CHECKING:
    from queued_gspread.emulator.cell import Scalar


@dataclass(frozen=True)
class CellError:
    """A value that could not be computed, by its code: `#DIV/0!`."""

    code: str


Value: TypeAlias = "Scalar | CellError"


@dataclass(frozen=True)
class Constant:
    """A number, a text or a truth value."""

    value: Scalar


@dataclass(frozen=True)
class Reference:
    """Cells, of another sheet where a title is given."""

    title: str | None
    bounds: Bounds


@dataclass(frozen=True)
class Name:
    """The name of a range."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function or an operator with its operands."""

    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = "Constant | Reference | Name | Call"


class FormulaSyntaxError(ValueError):
    """A text that is no formula; a cell shows it as `#ERROR!`."""


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![A-Za-z0-9_:!])
    |(?P<text>"(?:[^"]|"")*")
    |(?P<range>(?:(?:'(?:[^']|'')+'|[A-Za-z_][\w.]*)!)?
       (?:\$?[A-Za-z]{1,3}\$?\d+(?::\$?[A-Za-z]{1,3}(?:\$?\d+)?)?
         |\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d+:\$?\d+)(?![\w(]))
    |(?P<name>[A-Za-z_][\w.]*)
    |(?P<mark><=|>=|<>|[-+*/^&=<>(),;%])
    )""",
    re.VERBOSE,
)
_BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1}
_BINARY |= {"&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 6}
# A sign binds tighter than a power: -2^2 is 4.
_UNARY_STRENGTH = 6
Token = tuple[str, str]


def parse(formula: str) -> Node:
    """Return the tree of a formula that begins with `=`."""
    parser = _Parser(_tokens(formula[1:]))
    node = parser.expression(0)
    parser.expect("end")
    return node


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match or not match.lastgroup:
            raise FormulaSyntaxError(text)
        kind = match.lastgroup
        found.append((match[kind] if kind == "mark" else kind, match[kind]))
        place = match.end()
    return [*found, ("end", "")]


class _Parser:
    """A precedence-climbing parser over tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens

    def expect(self, kind: str) -> str:
        found, text = self.tokens[0]
        if found != kind:
            raise FormulaSyntaxError(text)
        if found != "end":
            self.tokens.pop(0)
        return text

    def expression(self, strength: int) -> Node:
        left = self.operand()
        while True:
            operator = self.tokens[0][0]
            if operator == "%":
                self.tokens.pop(0)
                left = Call("/", (left, Constant(100)))
            elif _BINARY.get(operator, -1) > strength:
                self.tokens.pop(0)
                left = Call(operator, (left, self.expression(_BINARY[operator])))
            else:
                return left

    def operand(self) -> Node:
        kind, text = self.tokens.pop(0)
        if kind in {"-", "+"}:
            return Call("NEGATE" if kind == "-" else "PLUS", (self.expression(_UNARY_STRENGTH),))
        if kind == "(":
            node = self.expression(0)
            self.expect(")")
            return node
        if kind == "number":
            value = float(text)
            return Constant(int(value) if value.is_integer() else value)
        if kind == "text":
            return Constant(text[1:-1].replace('""', '"'))
        return self.named(kind, text)

    def named(self, kind: str, text: str) -> Node:
        if kind == "range":
            title, cells = split_title(text)
            bounds = parse_bounds((cells or "").replace("$", ""))
            if bounds is None:
                raise FormulaSyntaxError(text)
            return Reference(title, bounds)
        if kind != "name":
            raise FormulaSyntaxError(text)
        if self.tokens[0][0] == "(":
            return Call(text.upper(), self.arguments())
        if text.upper() in {"TRUE", "FALSE"}:
            return Constant(text.upper() == "TRUE")
        return Name(text)

    def arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        found: list[Node] = []
        while self.tokens[0][0] != ")":
            found.append(self.expression(0))
            if self.tokens[0][0] not in {",", ";"}:
                break
            self.tokens.pop(0)
        self.expect(")")
        return tuple(found)
