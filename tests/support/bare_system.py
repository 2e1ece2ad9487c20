"""A system without Unix's own features, such as Windows: imported before this package, or run.

Run as a program, it is the command ``queued-gspread`` there.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
NAMES = {
    os: (
        *("O_CLOEXEC", "chown", "fchmod", "fork", "getegid", "geteuid", "getgid"),
        *("getpgid", "getuid", "killpg", "mkfifo", "pread", "pwrite", "register_at_fork", "setsid"),
    ),
    signal: (
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGUSR1"),
        *("SIGUSR2", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    ),
    socket: ("AF_UNIX",),
}

# By now Python's own Unix modules have loaded what they need.
_ = (asyncio, multiprocessing, subprocess, tempfile)
for module in MODULES:
    sys.modules[module] = None
for place, names in NAMES.items():
    for name in names:
        if hasattr(place, name):
            delattr(place, name)


def _socketpair(*_):
    """Return two connected sockets, as Python makes them on Windows: by TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


socket.socketpair = _socketpair

if __name__ == "__main__":
    from queued_gspread import cli

    sys.exit(cli.main())
