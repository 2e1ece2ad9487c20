"""A proxy for the bus of a Cluster's node, which can cut it off in both directions."""

from __future__ import annotations

import contextlib
import socket
import threading

from waiting import PATIENCE

HOST = "127.0.0.1"
# The place of the sender's name in each message of the bus (Redis's clusterMsg).
_SENDER = slice(40, 80)


class Bus:
    """Forwards between one node of a Cluster and the other nodes.

    Args:
        isolated: The names of the nodes that are cut off: nothing to or from them passes.

    """

    def __init__(self, isolated):
        self._isolated = isolated
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._links = {}
        self._threads = [threading.Thread(target=self._accept)]

    def lead_to(self, port, name):
        """Set the node that it leads to: the port of its bus, and its name."""
        self._there, self._name = (HOST, port), name
        self._threads[0].start()

    def drop(self):
        """Close the connections to and from nodes that are cut off."""
        for sockets, names in list(self._links.items()):
            if names & self._isolated:
                _end(*sockets)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sockets in list(self._links):
            _end(*sockets)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(PATIENCE)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._run(self._connect, near)

    def _run(self, *work):
        self._threads.append(threading.Thread(target=work[0], args=work[1:]))
        self._threads[-1].start()

    def _connect(self, near):
        """Read the sender from the first message; forward it unless either node is cut off."""
        with near, contextlib.suppress(OSError), socket.create_connection(self._there) as far:
            first = near.recv(_SENDER.stop, socket.MSG_WAITALL)
            names = {first[_SENDER].decode(errors="replace"), self._name}
            self._links[near, far] = names
            if not names & self._isolated:
                far.sendall(first)
                back = threading.Thread(target=_pump, args=(far, near))
                back.start()
                _pump(near, far)
                back.join(PATIENCE)
            del self._links[near, far]


def _pump(source, target):
    with contextlib.suppress(OSError):
        while said := source.recv(65_536):
            target.sendall(said)
    _end(source, target)


def _end(*sockets):
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
