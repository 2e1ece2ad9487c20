"""A request as requests would send it, or the error with which it would not."""

from __future__ import annotations

from typing import Any

import requests

__all__ = ["prepared"]


def prepared(
    method: Any,
    endpoint: Any,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    files: Any = None,
    headers: Any = None,
) -> requests.PreparedRequest:
    """Return what gspread's ``HTTPClient.request`` has requests send for these arguments.

    This raises what google-auth and requests raise, in their order, for what cannot be sent at all.
    """
    if headers is not None:
        headers.copy()["authorization"] = ""  # as google-auth does with a token
    session = requests.Session()
    session.headers.clear()
    session.trust_env = False
    made = session.prepare_request(
        requests.Request(
            method.upper(),
            endpoint,
            headers=headers,
            files=files,
            data=data or {},
            json=json,
            params=params or {},
        )
    )
    session.get_adapter(made.url or "")
    return made
