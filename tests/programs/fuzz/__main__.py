"""Throw broken jobs at a server and broken replies at a client, and count what comes of them.

    python -m tests.programs.fuzz [--count N] [--seed N] [--valid N]

Half of the count are jobs (a third of them for a server with a signing key), half are replies
(a fifth of them signed, and then altered).
A hundredth as many enqueues come late, and as many jobs stand in the places of others; signals come
in a quarter more of the replies. ``--valid N`` makes so many valid calls as well. The status is 1
if something went wrong.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator import Emulator

from .client_side import Planted, throw_signed
from .late_tries import LateTries
from .server_side import Fuzzed

_SHOWN = 10


def main() -> int:
    """Run the programme; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.fuzz")
    parser.add_argument("--count", type=int, default=3000, help="broken messages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--valid", type=int, default=0, help="valid calls")
    options = parser.parse_args()
    # What the emulator cannot make out is a 500; its log is not what is looked at here.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    on_server = options.count // 2
    signed = on_server // 3
    wrong = []
    with (
        tempfile.TemporaryDirectory() as name,
        TemporaryRedis() as redis,
        Emulator(seed=1) as emulator,
    ):
        folder = Path(name)
        for count, is_signed in ((on_server - signed, False), (signed, True)):
            wrong += _jobs(redis.url, emulator, folder, count, options.seed, is_signed)
        altered = (options.count - on_server) // 5
        wrong += _replies(redis.url, options.count - on_server - altered, options.seed)
        wrong += _signed(folder, altered, options.seed)
        wrong += _tries(redis.url, emulator, folder, options.count // 100, options.seed)
        if options.valid:
            _valid(redis.url, emulator, folder, options.valid)
    print(f"wrong: {len(wrong)}")
    for text in wrong[:_SHOWN]:
        print(f"  {text:.2000}")
    return 1 if wrong else 0


def _jobs(url, emulator, folder, count, seed, is_signed):
    server = Fuzzed(url, emulator, folder, signed=is_signed)
    try:
        tally = server.throw(count, seed) if count else None
    finally:
        server.close()
    if tally is None:
        return []
    keyed = "with a signing key" if is_signed else "without a key"
    print(f"{count} broken jobs at a server {keyed}, {tally.valid * 2} valid calls in between")
    print("  broken by:", _counts(tally.by_mutation))
    print("  answered:", _counts(tally.by_outcome))
    print("  the server's memory: {:.1f} MiB, then {:.1f} MiB".format(*tally.memory))
    return tally.wrong


def _replies(url, count, seed):
    planted = Planted(url)
    try:
        outcomes, wrong = planted.throw(count, seed)
        interrupted, more = planted.throw(count // 4, seed, alarmed=0.8)
    finally:
        planted.close()
    print(f"{count // 4} more at a client with signals:", _counts(interrupted))
    wrong += more
    print(f"{count} broken replies at a client\n  what the call came to:", _counts(outcomes))
    return wrong


def _tries(url, emulator, folder, count, seed):
    told, wrong = LateTries(url).throw(count, seed)
    print(f"{count} enqueues that came late\n  what their callers were told:", _counts(told))
    server = Fuzzed(url, emulator, folder)
    try:
        made, others = server.throw_in_equal_places(count, seed)
    finally:
        server.close()
    print(f"{count} jobs in the places of others, {made} of them made")
    return wrong + others


def _signed(folder, count, seed):
    key = folder / "client.key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    outcomes, wrong = throw_signed(key, count, seed)
    print(f"{count} altered signed replies\n  what the call came to:", _counts(outcomes))
    return wrong


def _valid(url, emulator, folder, count):
    server = Fuzzed(url, emulator, folder)
    try:
        before, after = server.make(count)
    finally:
        server.close()
    print(f"{count} valid calls\n  the server's memory: {before:.1f} MiB, then {after:.1f} MiB")


def _counts(counter):
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main())
