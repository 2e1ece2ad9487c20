"""The same steps made twice: by plain gspread, and through the queue.

Each way has an emulator of its own. Both emulators make the same ids and the same times, so
that results, exceptions, warnings, properties and requests have to be equal to the letter.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import gspread
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator import Emulator

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def frozen_clock() -> datetime:
    return NOON


@dataclass
class Scene:
    """What the steps of one way work on."""

    gc: Any
    emulator: Emulator
    sh: Any = None
    ws: Any = None
    other: Any = None
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def http(self) -> Any:
        return self.gc.http_client


@dataclass(frozen=True)
class Observation:
    """What can be seen of one step."""

    result: Any
    raised: Any
    warned: Any
    properties: Any
    requests: Any


def observe(scene: Scene, step: Callable[[Scene], Any]) -> Observation:
    before = len(scene.emulator.ledger)
    result = raised = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(step(scene))
        except Exception as error:  # noqa: BLE001 - whatever gspread raises, both have to
            raised = plain(error)
    return Observation(
        result=result,
        raised=raised,
        # The file and line are where the user called, which is in the step.
        warned=[(w.category, str(w.message), w.filename, w.lineno) for w in caught],
        properties=[plain(o._properties) for o in (scene.sh, scene.ws) if o is not None],
        requests=[
            (s.method, s.path, s.query, s.body, s.status) for s in scene.emulator.ledger[before:]
        ],
    )


def plain(value: Any) -> Any:
    """Return a value as data that can be compared, types included."""
    for kinds, show in _SHOWN:
        if isinstance(value, kinds):
            return show(value)
    return (type(value), value)


def _worksheet(value: Any) -> Any:
    return (
        type(value).__name__,
        plain(value._properties),
        value.spreadsheet_id,
        value.spreadsheet.title,
    )


def _error(value: Any) -> Any:
    response = getattr(value, "response", None)
    cause = value.__cause__
    return (
        type(value),
        str(value),
        repr(value),
        plain(value.args),
        None if response is None else plain(response),
        None if cause is None else plain(cause),
    )


def _response(value: Any) -> Any:
    path = value.url.split("/", 3)[3] if "//" in value.url else value.url
    kind = value.headers.get("Content-Type")
    return (type(value), value.status_code, value.reason, value.content, path, kind, value.encoding)


_SHOWN = (
    (gspread.Worksheet, _worksheet),
    (gspread.Spreadsheet, lambda value: (type(value).__name__, plain(value._properties))),
    (gspread.Cell, lambda value: (type(value), vars(value))),
    (gspread.ValueRange, lambda value: (type(value), list(value), value._json)),
    (requests.Response, _response),
    (Exception, _error),
    (dict, lambda value: (type(value), [(key, plain(item)) for key, item in value.items()])),
    ((list, tuple), lambda value: (type(value), [plain(item) for item in value])),
)
