"""The queued client. Its annotations are read at run time, so they must not be strings."""

from pathlib import Path
from typing import Any

import gspread
from google.auth.credentials import Credentials
from gspread.http_client import HTTPClientType
from requests import Session

from queued_gspread.protocol.kinds import CLIENT

from .base import queued
from .http_client import HTTPClient

__all__ = ["Client"]


@queued(CLIENT)
class Client(gspread.Client):
    """A :class:`gspread.Client` whose calls are made by the server.

    Args:
        auth: The credentials; they stay in this process. None means the server's account.
        session: google-auth's, whose credentials are used. Any other is refused: it would send
            requests past the queue.
        http_client: Used if it is a queued class. Any other is accepted and ignored: the server
            does the sending and the backing off.
        redis_url: See :class:`queued_gspread.settings.Settings`, as for the next six.
        namespace: See there.
        timeout: See there.
        grace: See there.
        signing_key_file: See there.
        caller: See there.
        max_age: See there.

    Raises:
        TypeError: Another session was given.
        ConfigurationError: A setting cannot be used.

    """

    def __init__(
        self,
        auth: Credentials | None = None,
        session: Session | None = None,
        http_client: HTTPClientType = HTTPClient,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        grace: float | None = None,
        signing_key_file: str | Path | None = None,
        caller: str | None = None,
        max_age: float | None = None,
    ) -> None:
        cls: Any = http_client
        is_queued = isinstance(cls, type) and issubclass(cls, HTTPClient)
        queued_class = cls if is_queued else HTTPClient
        self.http_client = queued_class(
            auth,
            session,
            redis_url=redis_url,
            namespace=namespace,
            timeout=timeout,
            grace=grace,
            signing_key_file=signing_key_file,
            caller=caller,
            max_age=max_age,
        )
