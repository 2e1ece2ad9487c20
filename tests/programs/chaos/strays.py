"""A client that also asks for what the servers' own account may not do, which lenders may."""

from __future__ import annotations

from .lending import CLOSED, SHOWN
from .worker import _WEIGHTS, Worker

_STRAYING = 0.5
_A1 = "Sheet1!A1"


class Strays(Worker):
    """Every second call of this client is one on a spreadsheet that is not meant for it.

    Such a call is a ``trespass``, but to read what the account may read: that is a ``visit``.
    """

    def __init__(self, strange, **rest):
        super().__init__(**rest)
        self._strange = strange

    def work(self):
        for _ in range(self._calls):
            if self._chance.random() < _STRAYING:
                self._stray()
            else:
                self._make_one(_WEIGHTS)
        self._end()
        self._journal.close()

    def _stray(self):
        http, title = self._client.http_client, self._chance.choice([CLOSED, SHOWN])
        key = self._strange[title]
        if self._chance.random() < 0.5:
            what = "visit" if title == SHOWN else "trespass"
            self._call(what, title, "read", lambda _: http.values_get(key, _A1) and None)
            return
        how = {"valueInputOption": "RAW"}
        self._call(
            "trespass",
            title,
            self._unique(),
            lambda value: http.values_append(key, _A1, how, {"values": [[value]]}) and None,
        )
