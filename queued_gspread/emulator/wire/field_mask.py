"""Field masks: the `fields` of a request, applied to a JSON answer."""

from __future__ import annotations

import copy
import re
from typing import Any

Mask = dict[str, "Mask"]
_PART = re.compile(r"[(),./]|[^(),./\s]+")


def parse_mask(text: str) -> Mask:
    """Return the tree that a mask like `kind,files(id,name)` or `sheets.data/values` spells."""
    mask: Mask = {}
    _parse(_PART.findall(text), mask)
    return mask


def _parse(parts: list[str], root: Mask) -> None:
    node = root
    while parts:
        part = parts.pop(0)
        if part == "(":
            _parse(parts, node)
        elif part == ")":
            return
        elif part == ",":
            node = root
        elif part not in "./":
            node = node.setdefault(part, {})


def apply_mask(mask: Mask, value: Any) -> Any:
    """Return the parts of a JSON value that a mask names; an empty mask names all."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [apply_mask(mask, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: apply_mask(mask[key], item) for key, item in value.items() if key in mask}


def replaced(old: Any, new: Any, mask: Mask) -> Any:
    """Return an object in which what a mask names is taken from another, also where it lacks."""
    if not mask or "*" in mask:
        return copy.deepcopy(new)
    found = copy.deepcopy(old)
    for name, below in mask.items():
        part = new.get(name)
        if below and name in old:
            part = replaced(old[name], part or {}, below)
        found.pop(name, None)
        if part is not None:
            found[name] = copy.deepcopy(part)
    return found


def paths(mask: Mask, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return every path from the root of a mask to a leaf."""
    if not mask:
        return [prefix]
    return [path for key, below in mask.items() for path in paths(below, (*prefix, key))]


def names(mask: Mask, *path: str) -> bool:
    """Whether a mask asks for what lies at a path, or for a part of it."""
    for key in path:
        if not mask or "*" in mask:
            return True
        if key not in mask:
            return False
        mask = mask[key]
    return True
