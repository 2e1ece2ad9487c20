"""Quotas and settings as JSON objects: a field of a table for each."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.not_computed import ON_GAP
from queued_gspread.emulator.limits.window import MOVEMENTS
from queued_gspread.web.fields import Field, Json, read_object

from . import kinds

if TYPE_CHECKING:
    from queued_gspread.emulator.limits.quotas import Quotas

    from .controlled import Controlled

QUOTAS = {
    "reads": Field("an account's reads in a window, 0 for any number", kinds.COUNT),
    "writes": Field("an account's writes in a window", kinds.COUNT),
    "project_reads": Field("reads of all accounts together", kinds.COUNT),
    "project_writes": Field("writes of all accounts together", kinds.COUNT),
    "drive": Field("an account's requests to Drive", kinds.COUNT),
    "window": Field("length of the window in seconds", kinds.LENGTH),
    "movement": Field("how the window moves", kinds.choice(*MOVEMENTS)),
    "offset": Field("where fixed windows begin, in seconds", kinds.OFFSET),
    "counted": Field("when a request is counted", kinds.choice("arrival", "answer", "random")),
    "count_refused": Field("refused requests count as well", kinds.FLAG),
    "retry_after": Field(
        "Retry-After of a 429: seconds, or a date", kinds.RETRY_AFTER, default="none"
    ),
}
# The attributes of an emulator that can be set while it runs, by their names.
SETTINGS = {
    "latency": Field("seconds from arrival to answer, or lowest to highest", kinds.SPAN),
    "apply_share": Field("share of it before a request is applied, or random", kinds.SHARE),
    "append_race": Field("seconds in which appends overwrite each other", kinds.SECONDS),
    "token_lifetime": Field("seconds until an access token expires", kinds.SECONDS),
    "storage": Field("service accounts may own files", kinds.FLAG),
    "clock_ahead": Field("seconds by which Google's clock is ahead", kinds.OFFSET),
    "not_computed": Field(
        "what reading a formula that is not computed does", kinds.choice(*ON_GAP)
    ),
}


def quotas_json(quotas: Quotas) -> Json:
    """Return all fields of quotas."""
    return asdict(quotas)


def changed_quotas(quotas: Quotas, body: Any) -> Quotas:
    """Return quotas with the fields of a JSON object changed, or raise WrongFieldError."""
    return replace(quotas, **read_object(body, QUOTAS))


def settings_json(emulator: Controlled) -> Json:
    """Return all settings."""
    return {name: getattr(emulator, name) for name in SETTINGS}


def change_settings(emulator: Controlled, body: Any) -> None:
    """Set the fields of a JSON object, or raise WrongFieldError and set none."""
    for name, value in read_object(body, SETTINGS).items():
        setattr(emulator, name, value)
