"""A request as the library requests would send it, or the error it would raise."""

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
    """Return the request that gspread's ``HTTPClient.request`` sends for these arguments.

    If the request cannot be sent, raise what google-auth and requests raise, in their order.
    """
    if headers is not None:
        headers.copy()["authorization"] = ""  # fails where google-auth's own code would
    session = requests.Session()
    session.headers.clear()
    session.trust_env = False
    request = session.prepare_request(
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
    session.get_adapter(request.url or "")  # raises for a scheme that cannot be sent
    return request
