"""Formulas as syntax trees: arithmetic, comparison, references and function calls."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from queued_gspread.emulator.book.a1 import Bounds, parse_bounds, split_title
from queued_gspread.emulator.book.cell import CellError, Value


@dataclass(frozen=True)
class Constant:
    """A number, a text, a truth value or an error; None for an argument left out."""

    value: Value


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


class UnsupportedSyntaxError(Exception):
    """A formula in Google's syntax that is not supported here; the text names the part."""


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![A-Za-z0-9_:!])
    |(?P<text>"(?:[^"]|"")*")
    |(?P<error>(?:(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)?
       \#(?:REF!|DIV/0!|VALUE!|NAME\?|NUM!|N/A|NULL!|ERROR!))
    |(?P<range>(?:(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)?
       (?:\$?[A-Za-z]{1,3}\$?\d+(?::\$?[A-Za-z]{1,3}(?:\$?\d+)?)?
         |\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d+:\$?\d+)(?![\w(]))
    |(?P<name>[^\W\d][\w.]*)
    |(?P<mark><=|>=|<>|[-+*/^&=<>(),;%{}:])
    )""",
    re.VERBOSE,
)
_BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1}
_BINARY |= {"&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 6}
# A sign binds tighter than a power: -2^2 is 4.
_UNARY_STRENGTH = 6
_EXACT = 2**53
# The function names of the signs for ranges, arrays and calls of a LAMBDA.
RANGE, ARRAY, ARRAY_ROW, CALL = ":", "{}", "{,}", "()"
Token = tuple[str, str]


@lru_cache(maxsize=20_000)
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
            if text[place:].lstrip().startswith("["):
                raise UnsupportedSyntaxError("references to tables")
            raise FormulaSyntaxError(text)
        kind = match.lastgroup
        found.append((match[kind] if kind == "mark" else kind, match[kind]))
        place = match.end()
    return [*found, ("end", "")]


class _Parser:
    """A precedence-climbing parser over tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = deque(tokens)

    def expect(self, kind: str) -> str:
        found, text = self.tokens[0]
        if found != kind:
            raise FormulaSyntaxError(text)
        if found != "end":
            self.tokens.popleft()
        return text

    def expression(self, strength: int) -> Node:
        left = self.operand()
        while True:
            operator = self.tokens[0][0]
            if operator == "%":
                self.tokens.popleft()
                left = Call("/", (left, Constant(100)))
            elif _BINARY.get(operator, -1) > strength:
                self.tokens.popleft()
                left = Call(operator, (left, self.expression(_BINARY[operator])))
            else:
                return left

    def operand(self) -> Node:
        if self.tokens[0][0] in {"-", "+"}:
            sign = self.tokens.popleft()[0]
            return Call(f"unary {sign}", (self.expression(_UNARY_STRENGTH),))
        node = self.primary()
        while self.tokens[0][0] == ":":
            self.tokens.popleft()
            node = Call(RANGE, (node, self.primary()))
        while self.tokens[0][0] == "(" and isinstance(node, Call):
            node = Call(CALL, (node, *self.arguments()))
        return node

    def primary(self) -> Node:
        kind, text = self.tokens.popleft()
        if kind == "{":
            return self.array()
        if kind == "(":
            node = self.expression(0)
            self.expect(")")
            return node
        if kind == "number":
            return _number(text)
        if kind == "text":
            return Constant(text[1:-1].replace('""', '"'))
        if kind == "error":
            return Constant(CellError(text[text.rindex("#") :]))
        return self.named(kind, text)

    def array(self) -> Node:
        """Return an array of what stands between braces: rows of cells."""
        rows: list[Node] = []
        closing = ";" if self.tokens[0][0] != "}" else "}"
        while closing == ";":
            cells = [self.expression(0)]
            while self.tokens[0][0] == ",":
                self.tokens.popleft()
                cells.append(self.expression(0))
            rows.append(Call(ARRAY_ROW, tuple(cells)))
            closing = self.tokens.popleft()[0]
        if closing != "}" or not rows:
            raise FormulaSyntaxError(closing)
        return Call(ARRAY, tuple(rows))

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
        if self.tokens[0][0] != ")":
            found.append(self.argument())
        while self.tokens[0][0] in {",", ";"}:
            self.tokens.popleft()
            found.append(self.argument())
        self.expect(")")
        return tuple(found)

    def argument(self) -> Node:
        left_out = self.tokens[0][0] in {",", ";", ")"}
        return Constant(None) if left_out else self.expression(0)


def functions_in(node: Node) -> set[str]:
    """Return the names of all functions and operators that a formula has."""
    found, waiting = set[str](), [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Call):
            found.add(each.function)
            waiting += each.arguments
    return found


def _number(text: str) -> Constant:
    value = float(text)
    if math.isinf(value):
        return Constant(CellError("#NUM!"))
    return Constant(int(value) if value.is_integer() and value < _EXACT else value)
