"""A watchdog: it ends processes and removes a folder once the process that started it has died.

A script that imports nothing but the standard library, to be there in a moment: its arguments are
the id of its parent, and the folder. A line on standard input is the id of one more process to
end, with a minus sign of one that need not be; ``done`` means that nothing is left to do.

That its parent has died shows in its having another one: a forked child of the parent keeps the
pipe open, and would keep everything alive.
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
    """Return the processes to end when the owner has died; None if it says that all is done."""
    received = b""
    while True:
        if select.select([0], [], [], PAUSE)[0]:
            found = os.read(0, 4096)
            received += found
            if b"done\n" in received:
                return None
            if found:
                continue
            break
        if os.getppid() != owner:
            break
    left: set[int] = set()
    for pid in map(int, received.split(b"\n")[:-1]):
        left = left | {pid} if pid > 0 else left - {-pid}
    return left


def end(pid: int) -> None:
    """Kill a process, unless its id is by now that of one that does not lead a session."""
    with contextlib.suppress(OSError):
        if os.getsid(pid) == pid:
            os.kill(pid, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a folder, in which a process that is being killed may still make a file."""
    import shutil  # noqa: PLC0415 - only now: it takes longer than all the rest

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
