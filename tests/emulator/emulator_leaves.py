"""Every field that can be set in a message of the Sheets API, each with a value to look for."""

from __future__ import annotations

from discovery import document

SCHEMAS = document("sheets.v4")["schemas"]
_SAMPLES = {"string": "sample", "boolean": True, "integer": 1, "number": 1.0, "any": 1}


def leaves(schema, seen=()):
    """Yield each settable field below a type: its path, and a message with it alone."""
    for name, field in SCHEMAS[schema]["properties"].items():
        if field.get("readOnly"):
            continue
        wrapped = _wrapping(name, field)
        inner = field.get("items") or field.get("additionalProperties") or field
        below = inner.get("$ref")
        if below is None:
            yield (name,), wrapped(_sample(inner))
        elif below not in seen:
            for path, message in leaves(below, (*seen, below)):
                yield (name, *path), wrapped(message)


def holds(tree, path, message):
    """Whether a tree has what a message has at the end of a path, under the same name."""
    return _has(tree, path[-1], _at(message, path))


def _wrapping(name, field):
    if field.get("type") == "array":
        return lambda value: {name: [value]}
    if "additionalProperties" in field:
        return lambda value: {name: {"0": value}}
    return lambda value: {name: value}


def _sample(field):
    # The first value of an enumeration says that nothing is said.
    return field["enum"][1] if "enum" in field else _SAMPLES[field["type"]]


def _at(message, path):
    for name in path:
        message = _only(message)[name]
    return message


def _only(value):
    while isinstance(value, list) or (isinstance(value, dict) and "0" in value):
        value = value[0] if isinstance(value, list) else value["0"]
    return value


def _has(tree, name, value):
    if isinstance(tree, list):
        return any(_has(item, name, value) for item in tree)
    if not isinstance(tree, dict):
        return False
    return _includes(tree.get(name), value) or any(
        _has(item, name, value) for item in tree.values()
    )


def _includes(found, value):
    if isinstance(value, list) and isinstance(found, list):
        return all(item in found for item in value)
    return found == value
