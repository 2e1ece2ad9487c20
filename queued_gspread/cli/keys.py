"""``queued-gspread keys``: show what is kept under idempotency keys, or settle an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc
from queued_gspread.broker import Promises
from queued_gspread.broker.operators import Operator
from queued_gspread.errors import IdempotencyKeyError
from queued_gspread.protocol.signing import load_keys
from queued_gspread.settings import Settings

from .options import Parser, count, positive_seconds
from .output import say

if TYPE_CHECKING:
    import argparse

    from queued_gspread.broker import KeptCall

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show the calls under idempotency keys whose outcome is not known, a line for each: the key, "
    "the call's number in its block, its state, its spreadsheet, and since when. Or settle them, "
    "once you have looked whether they were made."
)
_KNOWN: Final = ("answered", "made")


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    parser.option(
        "--signing-key-file",
        "the file with the server's key, if it has one: what is settled as made is signed",
        metavar="FILE",
    )
    # What is said of one key is for this one time: it has no environment variable.
    parser.add_argument("key", nargs="?", metavar="KEY", help="show the calls under this key alone")
    parser.add_argument(
        "--all", action="store_true", help="show the calls whose outcome is known too"
    )
    said = parser.add_mutually_exclusive_group()
    for name, is_made, about in (
        ("--made", True, "settle that the call under KEY was made: it is not made again"),
        ("--not-made", False, "settle that it was not made: the next one is made"),
    ):
        said.add_argument(name, dest="is_made", action="store_const", const=is_made, help=about)
    parser.add_argument(
        "--number",
        type=count,
        metavar="NUMBER",
        help="its number in its block, if the outcome of several is not known",
    )
    parser.add_argument(
        "--keep",
        type=positive_seconds,
        default=86_400.0,
        metavar="SECONDS",
        help="how long to keep that it was made (default %(default)s)",
    )
    parser.example("keys", "those whose outcome is unknown")
    parser.example("keys order-1 --made", "it is there: do not make it again")


def run(options: argparse.Namespace) -> int:
    """Show what is kept, or settle an outcome; return the exit status.

    Raises:
        IdempotencyKeyError: There is no such call whose outcome is not known.
        ConfigurationError: The signing key file cannot be used.
        BrokerUnavailableError: Redis cannot be reached.

    """
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    queue, where = Promises(settings), f"namespace {settings.namespace!r} at {settings.shown_url}"
    # Redis may name one twice while others come.
    found = {call.field: call for call in queue.all() if options.key in (None, call.key)}
    calls = sorted(found.values(), key=lambda call: (call.since, call.key, call.number))
    unknown = [call for call in calls if call.state not in _KNOWN]
    if options.is_made is not None:
        call = _one_of(unknown, options, where)
        settled = f"{'made' if options.is_made else 'not made'} in {call.spreadsheet}"
        Operator(settings).note(f"settle a call under an idempotency key as {settled}")
        return _settle(queue, options, call)
    for call in calls if options.all else unknown:
        say(_shown(call))
    if not (calls if options.all else unknown):
        what = "is kept under an idempotency key" if options.all else "has an unknown outcome"
        say(f"no call {what} in {where}")
    return 0


def _settle(queue: Promises, options: argparse.Namespace, call: KeptCall) -> int:
    said = "an operator has settled that it was made" if options.is_made else ""
    path = options.signing_key_file
    keyring = None if path is None else load_keys(path, copied=False)
    word = queue.settle(call, said, options.keep, keyring)
    if word != "settled":
        raise IdempotencyKeyError(f"not settled, as the call is {_WORDS[word]}: {_shown(call)}")
    say(f"settled as {'made' if said else 'not made'}: {_shown(call)}")
    return 0


_WORDS: Final = {
    "running": "still in the queue: wait for its end",
    "known": "settled already, or answered",
}


def _one_of(unknown: list[KeptCall], options: argparse.Namespace, where: str) -> KeptCall:
    """Return the call that is meant."""
    if options.key is None:
        raise IdempotencyKeyError("name the key whose call is to be settled")
    found = [call for call in unknown if options.number in (None, call.number)]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(str(call.number) for call in found)
        raise IdempotencyKeyError(
            f"{len(found)} calls under {options.key!r} have an unknown outcome: give the number of "
            f"one, by --number ({numbers})"
        )
    raise IdempotencyKeyError(f"no call under {options.key!r} has an unknown outcome in {where}")


def _shown(call: KeptCall) -> str:
    since = shown_utc(call.since)
    return f"{call.key!r} {call.number}: {call.state}, in {call.spreadsheet!r}, since {since}"
