"""A contender's two processes: the callers' and the server's."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack

from .contenders import POLLING
from .peer import Peer


class Pair:
    """The processes of a contender; they live as long as the context.

    Args:
        name: The contender.
        where: See its module.
        log: The file that the server's standard error goes to.

    """

    def __init__(self, name, where, log):
        self.name = name
        self._where = {"contender": name, **where}
        self._log = log
        self._polls = name in POLLING
        self._stack = ExitStack()

    def __enter__(self):
        self.server = self._start("answerer", self._stack.enter_context(self._log.open("w")))
        self.caller = self._start("caller")
        return self

    def until_ready(self):
        """Wait until both are; only then does anything take its turn."""
        for peer in (self.server, self.caller):
            peer.until_ready()
        self._pause()
        return self

    def __exit__(self, *_):
        self._stack.close()

    @contextlib.contextmanager
    def turn(self):
        """Give the processes their turn: a server that polls takes no time from the others."""
        if self._polls:
            self.server.go_on()
        yield self.caller
        self._pause()

    def _pause(self):
        if self._polls:
            self.server.pause()

    def _start(self, module, log=None):
        peer = Peer(module, self._where, log)
        self._stack.callback(peer.end)
        return peer
