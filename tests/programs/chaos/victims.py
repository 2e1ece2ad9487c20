"""The processes of a run, each with what can befall it: killed, stopped, and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import redis
from durable import new_durable_redis
from limits import UNLIMITED
from processes import ServerProcess, environment, start
from waiting import PATIENCE, eventually
from wire import Wire

from .plan import LEASE, LIMIT, NAMESPACE, WINDOW

ROOT = Path(__file__).parents[3]
# Longer than any time without a server in these runs, and short enough to be met.
GRACE = 6.0
_WORKER = "from tests.programs.chaos.worker import main; main()"
_RECALLED = re.compile(r"from memory: (\d+)")
_COMPLAINTS = ("an error of this program", "Traceback")


class Server:
    """A place for a server: whenever its process is killed, another takes its place."""

    def __init__(
        self,
        name,
        folder,
        redis_url,
        key_files,
        api_endpoint,
        lease=LEASE,
        signing_key_file=None,
        options=(),
    ):
        self._name, self._folder = name, folder
        limits = UNLIMITED | {"reads_per_minute": LIMIT, "writes_per_minute": LIMIT}
        self._options = [
            *("--redis-url", redis_url, "--namespace", NAMESPACE, "--lease", lease),
            *("--api-endpoint", api_endpoint),
            *(f"--service-account={path}" for path in key_files),
            *("--quota-window", WINDOW, "--log-level", "debug"),
            *(f"--{option.replace('_', '-')}={limit}" for option, limit in limits.items()),
            *(("--signing-key-file", signing_key_file) if signing_key_file else ()),
            *(_flag(option, value) for option, value in dict(options).items()),
        ]
        self._processes = []
        self._killed = set()
        self.start()

    def start(self):
        log = self._folder / f"{self._name}-{len(self._processes)}.log"
        self._processes.append(ServerProcess(log, *self._options))

    def restart(self):
        """Start it anew, again where it found no Redis, as whoever looks after it would."""
        self.start()
        eventually(lambda: self._is_up or self.process.poll() is not None)
        if not self._is_up:
            self.restart()

    @property
    def _is_up(self):
        log = self._processes[-1].log
        return any(text in log for text in ("working as", "standing by"))

    @property
    def process(self):
        """The process that runs now, or was the last to."""
        return self._processes[-1].process

    def signal(self, name):
        if name == "SIGKILL":
            self._killed.add(self.process.pid)
        self.process.send_signal(getattr(signal, name))

    def until_it_works(self):
        self._processes[-1].until_log("working as")

    def until_it_stands_by(self):
        self._processes[-1].until_log("standing by")

    def wait(self):
        self.process.wait(PATIENCE)

    def end(self):
        for process in self._processes:
            process.end()

    @property
    def recalled(self):
        """How many requests its processes have answered from memory, as far as they could say."""
        return sum(map(int, _RECALLED.findall("\n".join(each.log for each in self._processes))))

    def complaints(self):
        """Return what its processes should not have said, and how they should not have ended."""
        for number, process in enumerate(self._processes):
            name = f"{self._name}-{number}"
            status = process.process.poll()
            is_meant = process.process.pid in self._killed or _may_end(status, process.log)
            if status and not is_meant:
                yield f"{name} ended with status {status}: {process.log[-500:]}"
            lines = [line for line in process.log.splitlines() if _is_complaint(line)]
            yield from (f"{name} said: {line}" for line in lines)


def _flag(option, value):
    return f"--{option}" if value is True else f"--{option}={value}"


def _may_end(status, log):
    """Tell whether a process may have ended: before it knew of signals, or without a Redis."""
    *_, last = log.splitlines() or [""]
    return (status == -signal.SIGTERM and not log) or (
        status == 1 and last.startswith("queued-gspread server: Redis at ")
    )


def _is_complaint(line):
    return any(text in line for text in _COMPLAINTS)


class Client:
    """A client's process; the history goes to a file of its own."""

    def __init__(self, work, grace=GRACE, **where):
        self.work = work
        self.is_killed = False
        self._began = time.time()
        self._history = Path(where["folder"], f"{work.name}.jsonl")
        self.wire = Wire(where["redis_url"]).__enter__() if work.is_wired else None
        if self.wire:
            where = {**where, "redis_url": self.wire.url}
        own = {name: value for name, value in vars(work).items() if name != "is_wired"}
        todo = {**own, **where}
        self._process = start(
            _WORKER,
            json.dumps(todo),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(GRACE=str(grace)),
        )

    def until_ready(self):
        assert self._process.stdout.readline() == "ready\n"

    def go(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def stop(self):
        """Have one that works without end make no further call."""
        self.go()

    @property
    def is_running(self):
        return self._process.poll() is None

    @property
    def exit_status(self):
        return self._process.poll()

    @property
    def complaint(self):
        """How it has ended, if that is not as it should."""
        own = -signal.SIGKILL if self.work.forgets else 0
        is_well = self.is_killed or self.exit_status == own
        return "" if is_well else f"{self.work.name} ended with status {self.exit_status}"

    def signal(self, name):
        if name in ("SIGKILL", "SIGTERM"):
            self.is_killed = True
        self._process.send_signal(getattr(signal, name))

    def join(self, seconds):
        """Wait for its end; tell whether it came, or nothing for so long in its history."""
        while self.is_running:
            left = self._last_word + seconds - time.time()
            if left <= 0:
                return False
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(left)
        return True

    @property
    def _last_word(self):
        """When one of its calls began or ended last."""
        return self._history.stat().st_mtime if self._history.exists() else self._began

    def end(self):
        if self.is_running:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        if self.wire:
            self.wire.__exit__(None, None, None)


class Redis:
    """A Redis that has on its disk what it has confirmed."""

    def __init__(self):
        self._server = new_durable_redis()
        self._server.start()
        self.url = self._server.url

    def signal(self, name):
        if name == "SIGKILL":
            self._server.kill()
        elif name == "SIGTERM":
            self._server.stop()
        else:
            os.kill(self._server.pid, getattr(signal, name))

    def restart(self):
        self._server.start()

    def client(self):
        """Return a plain client of it."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def end(self):
        self._server.close()
