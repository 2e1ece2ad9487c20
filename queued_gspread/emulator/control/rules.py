"""Faults and the rules for them, as one JSON object each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.faults import (
    ExpiredToken,
    Fault,
    Html,
    Latency,
    OAuthRefusal,
    Reset,
    Status,
)
from queued_gspread.emulator.http.fault_rules import METHODS
from queued_gspread.web.fields import Field, Json, WrongFieldError, read_object

from . import kinds

if TYPE_CHECKING:
    from queued_gspread.emulator.http.fault_rules import Rule


def _status(default: int) -> Field:
    return Field("status of the answer", kinds.STATUS, default=str(int(default)))


_HEADERS = Field("headers of the answer", kinds.HEADERS, '{"Retry-After": "5"}')
_APPLIED = Field("the request is applied all the same", kinds.FLAG)
# The fields of each kind of fault, besides the rule's own.
FAULTS: dict[str, tuple[type[Fault], dict[str, Field]]] = {
    "status": (
        Status,
        {
            "status": _status(Status.status),
            "message": Field("message of the error", kinds.TEXT, default="Google's"),
            "reason": Field("reason of the error", kinds.TEXT, "notFound"),
            "body": Field(
                "body instead of Google's", kinds.or_null(kinds.BODY), default="Google's"
            ),
            "headers": _HEADERS,
            "applied": _APPLIED,
        },
    ),
    "html": (Html, {"status": _status(Html.status), "headers": _HEADERS, "applied": _APPLIED}),
    "reset": (
        Reset,
        {
            "applied": _APPLIED,
            "late": Field(
                "seconds until it is applied", kinds.or_null(kinds.SECONDS), default="never"
            ),
        },
    ),
    "expired_token": (
        ExpiredToken,
        {"for_good": Field("the token is invalid from then on", kinds.FLAG)},
    ),
    "oauth_refusal": (
        OAuthRefusal,
        {
            "error": Field("OAuth's code of the error", kinds.TEXT, default=OAuthRefusal.error),
            "description": Field(
                "description of the error", kinds.TEXT, default=OAuthRefusal.description
            ),
            "status": _status(OAuthRefusal.status),
        },
    ),
    "latency": (
        Latency,
        {"seconds": Field("seconds, or lowest to highest", kinds.SPAN, "0.1 to 0.5")},
    ),
}
RULE = {
    "kind": Field("what befalls a request", kinds.choice(*FAULTS)),
    "to": Field("which requests", kinds.choice("api", "token")),
    "method": Field("only this method", kinds.or_null(kinds.choice(*METHODS))),
    "path": Field(
        "found in the path, a regular expression", kinds.or_null(kinds.PATTERN), ":append$"
    ),
    "rate": Field("probability", kinds.PROBABILITY, default="1"),
    "skip": Field("how many are let off first", kinds.COUNT, default="0"),
    "count": Field("how many meet it, none for all", kinds.or_null(kinds.COUNT), default="all"),
}
_REQUIRED = {"latency": ["seconds"]}
_NOWHERE = {"oauth_refusal": "api", "expired_token": "token"}


def parse_rule(body: Any) -> tuple[Fault, dict[str, Any]]:
    """Return a fault and the arguments of `Faults.add` for it, or raise WrongFieldError."""
    if not isinstance(body, dict):
        raise WrongFieldError("body", body, "a JSON object")
    kind = read_object({"kind": body.get("kind")}, RULE)["kind"]
    made, own = FAULTS[kind]
    found = read_object(body, RULE | own, _REQUIRED.get(kind, []))
    if found.get("to", "api") == _NOWHERE.get(kind):
        other = "token" if _NOWHERE[kind] == "api" else "api"
        raise WrongFieldError("to", found.get("to", "api"), f"{other} for {kind}")
    arguments = {name: found[name] for name in RULE if name != "kind" and name in found}
    return made(**{name: found[name] for name in own if name in found}), arguments


def rule_json(rule: Rule) -> Json:
    """Return a rule: what `parse_rule` reads, its number, and how many requests it has met.

    `seen` are the requests that it concerned. A rule with a function as `match` says so.
    """
    arguments = {name: getattr(rule, name) for name in RULE if name not in {"kind", "path"}}
    return {
        "number": rule.number,
        **_fault_json(rule.fault),
        **arguments,
        "path": rule.path.pattern if rule.path else None,
        "match": rule.match is not None,
        "seen": rule.seen,
        "hits": rule.hits,
    }


def _fault_json(fault: Fault) -> Json:
    kind = next(kind for kind, (made, _) in FAULTS.items() if isinstance(fault, made))
    held = {field.name: getattr(fault, field.name) for field in fields(fault) if field.init}
    return {"kind": kind, **{name: _plain(value) for name, value in held.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
