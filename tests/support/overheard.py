"""What Redis is sent while a test runs."""

from __future__ import annotations

import threading

from waiting import PATIENCE


class Wire:
    """All that clients and servers send to Redis meanwhile."""

    def __init__(self, raw, background):
        self._raw, self._seen = raw, []
        self._ready = threading.Event()
        self._listening = background(self._listen)
        self._ready.wait(PATIENCE)

    def _listen(self):
        with self._raw.monitor() as monitor:
            self._ready.set()
            for one in monitor.listen():
                if "the end of the wire" in one["command"]:
                    return
                self._seen.append(one["command"])

    def read(self):
        """Return it as one text."""
        self._raw.echo("the end of the wire")
        self._listening.result(PATIENCE)
        return "\n".join(self._seen)
