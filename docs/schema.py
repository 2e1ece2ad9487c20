"""Write snapshot.schema.json out of the snapshot's dataclasses: ``python docs/schema.py``.

A test compares the file with what this makes.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from queued_gspread.monitor import Snapshot

FILE = Path(__file__).with_name("snapshot.schema.json")

_SIMPLE = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    types.NoneType: "null",
}
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a snapshot."""
    definitions: dict[str, Any] = {}
    whole = _object(Snapshot, definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A snapshot of a queue of queued_gspread",
        **whole,
        "definitions": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the file."""
    return json.dumps(schema(), indent=2) + "\n"


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    page = inspect.getdoc(cls) or ""
    told = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(page)}
    hints = get_type_hints(cls)
    properties = {
        each.name: {"description": told[each.name], **_type(hints[each.name], definitions)}
        for each in fields(cls)
    }
    return {
        "description": page.split("\n\n")[0],
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if get_origin(hint) in (Union, types.UnionType):
        return {"type": [_type(each, definitions)["type"] for each in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(get_args(hint)[0], definitions)}
    assert is_dataclass(hint)
    if hint.__name__ not in definitions:
        definitions[hint.__name__] = {}
        definitions[hint.__name__] = _object(hint, definitions)
    return {"$ref": f"#/definitions/{hint.__name__}"}


if __name__ == "__main__":
    FILE.write_text(text())
