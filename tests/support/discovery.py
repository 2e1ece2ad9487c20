"""Google's discovery documents of its APIs, from its client library for Python."""

from __future__ import annotations

import functools
import importlib.resources
import json


@functools.cache
def document(name):
    """Return a discovery document, such as that of `sheets.v4`."""
    folder = importlib.resources.files("googleapiclient.discovery_cache.documents")
    return json.loads((folder / f"{name}.json").read_text())


def methods_in(part):
    """Yield every method of a description, or of a resource in it."""
    yield from part.get("methods", {}).values()
    for resource in part.get("resources", {}).values():
        yield from methods_in(resource)
