"""Drive's search language, as far as clients of spreadsheets use it."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import ROOT_FOLDER
from queued_gspread.emulator.wire.errors import drive_invalid, drive_unimplemented

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator.book.store import File

    Test = Callable[[File], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<word>[A-Za-z][A-Za-z.]*)|(?P<mark>!=|<=|>=|[=<>(){}]))""",
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W_]+")
# Fields that Drive can search and the emulator does not keep, by Google's guide to file searches.
_NOT_KEPT = {
    "appProperties",
    "fullText",
    "labels",
    "memberCount",
    "organizerCount",
    "orgUnitId",
    "properties",
    "shortcutDetails.targetId",
    "viewedByMeTime",
    "visibility",
}


def parse_query(query: str, me: str) -> Test:
    """Return a test of files for a query like `mimeType = "…" and name contains 'a'`.

    The caller's own address may be called `me`, and its folder `root`.
    """
    parser = _Parser(_tokens(query), {"me": me, "root": ROOT_FOLDER})
    test = parser.either()
    if parser.tokens:
        raise drive_invalid("q")
    return test


def _tokens(query: str) -> list[str]:
    found, place, query = [], 0, query.strip()
    while place < len(query):
        match = _TOKEN.match(query, place)
        if not match:
            raise drive_invalid("q")
        found.append(match[0].strip())
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], aliases: dict[str, str]) -> None:
        self.tokens = tokens
        self.aliases = aliases

    def take(self) -> str:
        if not self.tokens:
            raise drive_invalid("q")
        return self.tokens.pop(0)

    def at(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Test:
        tests = [self.both()]
        while self.at("or"):
            tests.append(self.both())
        return lambda file: any(test(file) for test in tests)

    def both(self) -> Test:
        tests = [self.term()]
        while self.at("and"):
            tests.append(self.term())
        return lambda file: all(test(file) for test in tests)

    def term(self) -> Test:
        if self.at("not"):
            test = self.term()
            return lambda file: not test(file)
        if self.at("("):
            test = self.either()
            if not self.at(")"):
                raise drive_invalid("q")
            return test
        return self.comparison()

    def comparison(self) -> Test:
        left = self.take()
        if left in _NOT_KEPT:
            raise drive_unimplemented(f"The emulator does not search for files by {left}.")
        operator = self.take().lower()
        right = self.take()
        if operator == "in" and left[0] in "'\"":
            # Both orders are allowed: gspread asks for `parents in "…"`.
            left, right = right, left
        wanted = _literal(right)
        if operator == "in":
            wanted = self.aliases.get(str(wanted), wanted)
        return _comparison(left, operator, wanted)


def _literal(token: str) -> str | bool:
    if token[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.lower() in {"true", "false"}:
        return token.lower() == "true"
    raise drive_invalid("q")


def _comparison(name: str, operator: str, wanted: Any) -> Test:
    read, compare = _FIELDS.get(name), _OPERATORS.get(operator)
    if read is None or compare is None or operator not in _operators_of(name):
        raise drive_invalid("q")
    if isinstance(wanted, bool) != (name in _FLAGS):
        raise drive_invalid("q")
    if name in _TIMES:
        wanted = _moment(wanted)
    if name in _NAMES and operator == "contains":
        compare = _has_words
    return lambda file: bool(compare(read(file), wanted))


def _operators_of(name: str) -> set[str]:
    """Return the operators that Google's guide has for a field."""
    if name in _TIMES:
        return {"=", "!=", "<", "<=", ">", ">="}
    if name in _FLAGS:
        return {"=", "!="}
    return {"contains", "=", "!="} if name in {*_NAMES, "mimeType"} else {"in"}


def _has_words(found: str, wanted: str) -> bool:
    """Whether each word begins a word of a name: Drive finds HelloWorld by Hello, not by World."""
    words = _WORD.findall(found.casefold())
    return all(
        any(word.startswith(start) for word in words) for start in _WORD.findall(wanted.casefold())
    )


def _moment(wanted: str | bool) -> datetime:
    """Return a time of RFC 3339, which is UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(str(wanted).replace("Z", "+00:00"))
    except ValueError:
        raise drive_invalid("q") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _writers(file: File) -> list[str]:
    roles = {"owner", "writer", "organizer", "fileOrganizer"}
    return [p.get("emailAddress", "") for p in file.permissions if p["role"] in roles]


_FIELDS: dict[str, Callable[[File], Any]] = {
    "name": lambda file: file.title,
    "title": lambda file: file.title,
    "mimeType": lambda file: file.mime_type,
    "parents": lambda file: file.parents,
    "trashed": lambda file: file.trashed,
    "starred": lambda _: False,
    "sharedWithMe": lambda _: False,
    "owners": lambda file: [p["emailAddress"] for p in file.permissions if p["role"] == "owner"],
    "writers": _writers,
    "readers": lambda file: [p.get("emailAddress", "") for p in file.permissions],
    "modifiedTime": lambda file: file.modified,
    "createdTime": lambda file: file.created,
}
_NAMES, _FLAGS = {"name", "title"}, {"trashed", "starred", "sharedWithMe"}
_TIMES = {"modifiedTime", "createdTime"}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda found, wanted: _folded(found) == _folded(wanted),
    "!=": lambda found, wanted: _folded(found) != _folded(wanted),
    "<": lambda found, wanted: found < wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    ">=": lambda found, wanted: found >= wanted,
    "contains": lambda found, wanted: str(wanted).casefold() in str(found).casefold(),
    "in": lambda found, wanted: isinstance(found, list) and wanted in found,
}


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
