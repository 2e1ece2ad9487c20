"""The Lua scripts, each with only the shared functions that it needs.

Redis runs a script's whole text on each call, and so creates every function in it anew. What few
calls need is within a function, so that it is created when it is needed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["SCRIPTS", "Script"]

_FOLDER: Final = Path(__file__).with_name("lua")
_NAMES: Final = (
    "acquire",
    "alive",
    "answer",
    "beat",
    "confirm_intent",
    "copy_slots",
    "deliver_suspect",
    "dismiss",
    "enqueue",
    "extend",
    "formats",
    "grant",
    "head",
    "heads",
    "jobs",
    "journal",
    "lapse",
    "note_action",
    "pause",
    "peek",
    "poison",
    "promise",
    "publish",
    "recount",
    "recover",
    "release",
    "release_slot",
    "remind",
    "requeue",
    "resume",
    "settle",
    "unlock",
    "vouch",
    "want",
    "withdraw",
)
_SHARED: Final = ("common", "quota")
_ON_DEMAND: Final = {"promises": "promise_functions", "locks": "lock_functions"}
"""Of each file with what few calls need: the function that makes what a script names of it."""

_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)
_DEFINITION: Final = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Script:
    """A Lua script and the hash by which Redis knows it."""

    text: str
    sha: str


def with_shared(body: str, shared: str) -> str:
    """Return a script preceded by the shared definitions that it needs, in their order.

    Args:
        body: The script, without comments.
        shared: Definitions that each begin a line; one may use those before it.

    """
    starts = [match.start() for match in _DEFINITION.finditer(shared)]
    definitions = [shared[i:j] for i, j in zip(starts, [*starts[1:], len(shared)], strict=True)]
    text, words = body, set(_WORD.findall(body))
    for definition in reversed(definitions):
        (name,) = _DEFINITION.findall(definition)[:1]
        if name in words:
            text = definition + text
            words.update(_WORD.findall(definition))
    return text


def on_demand(body: str, name: str, definitions: str) -> str:
    """Return a function that makes the definitions of a file that a script names: ``NAME.…``."""
    named = sorted(set(re.findall(rf"\b{name}\.(\w+)", body)))
    if not named:
        return ""
    table = ", ".join(f"{each} = {each}" for each in named)
    made = with_shared(f"return {{{table}}}\n", definitions)
    return f"local function {_ON_DEMAND[name]}()\n{made}end\n"


def _read(name: str) -> str:
    return _COMMENT.sub("", (_FOLDER / f"{name}.lua").read_text())


def _load(name: str, shared: str, rare: dict[str, str]) -> Script:
    body = _read(name)
    makers = "".join(on_demand(body, *each) for each in rare.items())
    text = with_shared(makers + body, shared)
    return Script(text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324 - Redis's choice


def _load_all() -> dict[str, Script]:
    shared = "".join(map(_read, _SHARED))
    rare = {name: _read(name) for name in _ON_DEMAND}
    return {name: _load(name, shared, rare) for name in _NAMES}


SCRIPTS: Final = _load_all()
