"""A watchdog that ends processes and removes a folder once the process that started it has died.

This script imports only the standard library, so that it starts in a moment. Its arguments are the
id of its parent and the folder. Each line on standard input is the id of one more process to end;
with a minus sign, of one that need no longer be ended. ``done`` means that nothing is left to do.

It notices the death of its parent by having another parent. A closed pipe is not enough: a forked
child of the parent keeps the pipe open, and would keep everything alive.
"""

import contextlib
import os
import select
import signal
import sys
import time

PAUSE = 0.2
REMOVALS = 100


def outlived(owner: int) -> set[int] | None:
    """Wait until the owner has died; return the processes to end, or None if it sent ``done``."""
    received = b""
    while True:
        if select.select([0], [], [], PAUSE)[0]:
            chunk = os.read(0, 4096)
            received += chunk
            if b"done\n" in received:
                return None
            if chunk:
                continue
            break
        if os.getppid() != owner:
            break
    left: set[int] = set()
    for pid in map(int, received.split(b"\n")[:-1]):
        left = left | {pid} if pid > 0 else left - {-pid}
    return left


def end(pid: int) -> None:
    """Kill a process, unless it leads no session: then its id belongs to another one by now."""
    with contextlib.suppress(OSError):
        if os.getsid(pid) == pid:
            os.kill(pid, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a folder in which a process that is being killed may still create files."""
    import shutil  # noqa: PLC0415 - only when needed: it takes longer than everything else

    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.05)


if __name__ == "__main__":
    left_behind = outlived(int(sys.argv[1]))
    if left_behind is not None:
        for process in left_behind:
            end(process)
        remove(sys.argv[2])
