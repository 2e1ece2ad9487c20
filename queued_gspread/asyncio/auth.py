"""The entry points, as the blocking ones: they send nothing, so they are plain functions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec

from queued_gspread import auth

from .classes import Client

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "api_key",
    "authorize",
    "oauth",
    "oauth_from_dict",
    "service_account",
    "service_account_from_dict",
]

P = ParamSpec("P")


def _asynchronous(entry: Callable[P, Any]) -> Callable[P, Client]:
    @functools.wraps(entry)
    def make(*args: P.args, **kwargs: P.kwargs) -> Client:
        return Client(entry(*args, **kwargs))

    return make


def _with_info(
    entry: Callable[P, tuple[Any, dict[str, Any]]],
) -> Callable[P, tuple[Client, dict[str, Any]]]:
    @functools.wraps(entry)
    def make(*args: P.args, **kwargs: P.kwargs) -> tuple[Client, dict[str, Any]]:
        client, info = entry(*args, **kwargs)
        return Client(client), info

    return make


authorize = _asynchronous(auth.authorize)
service_account = _asynchronous(auth.service_account)
service_account_from_dict = _asynchronous(auth.service_account_from_dict)
oauth = _asynchronous(auth.oauth)
api_key = _asynchronous(auth.api_key)
oauth_from_dict = _with_info(auth.oauth_from_dict)
