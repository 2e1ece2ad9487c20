"""Ways to break a message. Pure: the same numbers make the same message."""

from __future__ import annotations

import inspect
import json

from hostile import any_exception

from queued_gspread.protocol.codec.registry import JOB, REPLY
from queued_gspread.protocol.kinds import KINDS, Group

TAGS = [*sorted(JOB.tags | REPLY.tags), "set", "frozenset", "pattern", "nonsense", ""]
# Names that a job must not reach: private ones, attributes, what is answered locally.
FORBIDDEN = sorted(
    {
        name
        for kind in KINDS.values()
        for name, _ in inspect.getmembers_static(kind.cls)
        if kind.groups.get(name) not in (Group.CALL, Group.REMOTE)
    }
    | {"__class__", "__globals__", "__reduce_ex__", "eval", "system", "session", "auth", ""}
)
_NUMBERS = [0, -1, 1.5, -0.0, 2**31, 2**63, -(2**70), 10**400, 1e308, 5e-324]
_TEXTS = ["", "x", "\0", "~", "__class__", "A1", "é", "\U0001f600", "../../x", "a" * 5000, "1e999"]


def text_of(tree):
    """Write a tree, whatever it holds."""
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")


def junk(random, depth=3):
    """Return a value that nobody expects."""
    choice = random.randrange(9)
    if choice < 2 or depth == 0:
        return random.choice([*_NUMBERS, None, True, False])
    if choice < 4:
        return random.choice([*_TEXTS, "\ud800", random.choice(FORBIDDEN)])
    if choice < 6:
        return [junk(random, depth - 1) for _ in range(random.randrange(4))]
    if choice < 7:
        return {random.choice(_TEXTS): junk(random, depth - 1) for _ in range(random.randrange(4))}
    fields = [junk(random, depth - 1) for _ in range(random.randrange(8))]
    return {"~": [random.choice(TAGS), *fields]}


def spots(tree):
    """Return every place of a tree as (container, key)."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in list(pairs):
        found.append((tree, key))
        if isinstance(value, (dict, list)):
            found += spots(value)
    return found


# Of the text


def truncated(random, message):
    return message[: random.randrange(len(message))]


def flipped(random, message):
    broken = bytearray(message)
    for _ in range(random.randint(1, 3)):
        broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
    return bytes(broken)


def spliced(random, message):
    begin, end = sorted(random.randrange(len(message)) for _ in "12")
    return message[:begin] + message[end:] + message[begin : begin + random.randrange(9)]


def not_utf8(random, message):
    at = random.randrange(len(message))
    return message[:at] + random.choice([b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\0"]) + message[at:]


def noise(random, message):
    return random.randbytes(random.randrange(200))


def nested(random, message):
    opening = random.choice([b"[", b'{"a":', b'{"~":["tuple",[', b'{"~":["exception",'])
    return opening * random.choice([50, 900, 5000, 100_000])


def doubled_field(random, message):
    name = random.choice(list(json.loads(message)))
    extra = f'{{"{name}":'.encode() + text_of(junk(random)) + b","
    return (
        extra + message[1:] if random.random() < 0.5 else message[:-1] + b"," + extra[1:-1] + b"}"
    )


# Of the tree


def _on_tree(change):
    def mutation(random, message):
        tree = json.loads(message)
        changed = change(random, tree)
        return text_of(tree if changed is None else changed)

    mutation.__name__ = change.__name__.strip("_")
    return mutation


def swapped_type(random, tree):
    container, key = random.choice(spots(tree))
    container[key] = junk(random)


def swapped_field(random, tree):
    tree[random.choice(list(tree))] = junk(random)


def missing_field(random, tree):
    del tree[random.choice(list(tree))]


def renamed_field(random, tree):
    name = random.choice(list(tree))
    tree[random.choice(_TEXTS)] = tree.pop(name)


def wrong_tag(random, tree):
    container, key = random.choice(spots(tree))
    container[key] = {"~": [random.choice(TAGS), container[key]]}


def deep_value(random, tree):
    value = 0
    for _ in range(random.choice([30, 99, 101, 400])):
        value = [value] if random.random() < 0.5 else {"a": value}
    container, key = random.choice(spots(tree))
    container[key] = value


def hostile_exception(random, tree):
    container, key = random.choice(spots(tree))
    container[key] = any_exception(random)


def colliding_keys(random, tree):
    keys = [number * random.choice([1, 2**40, 2**61 - 1]) for number in range(200)]
    items = keys if random.random() < 0.5 else [item for key in keys for item in (key, 0)]
    container, key = random.choice(spots(tree))
    container[key] = {"~": [random.choice(["dict", "set", "tuple"]), items]}


def another_shape(random, tree):
    return random.choice([None, 0, "job", [], {}, [tree], {"v": 1}, {"v": tree}, junk(random)])


def another_version(random, tree):
    tree["v"] = random.choice([0, 2, 99, -1, "1", None, 1.0, True, 10**30])


def forbidden_method(random, tree):
    tree["method"] = random.choice(FORBIDDEN)


def hostile_id(random, tree):
    # gspread makes text of it.
    tree |= {"kind": "http_client", "method": "values_get", "args": [any_exception(random), "A1"]}


def endless_pattern(random, tree):
    tree["args"] = [{"~": ["pattern", "(a*)*b", 0]}]


def unknown_kind(random, tree):
    tree["kind"] = random.choice(["", "Client", "cell", "os", "__class__", None, 7, ["client"]])


def another_kind(random, tree):
    tree["kind"] = random.choice(list(KINDS))


def wrong_target(random, tree):
    wrong = [None, {}, {"spreadsheet": {}}, {"spreadsheet": None, "properties": None}, [], "x"]
    odd = {"spreadsheet": {"id": junk(random)}, "properties": {"title": junk(random)}}
    tree["target"] = random.choice([*wrong, odd, junk(random)])


def wrong_arguments(random, tree):
    tree["args"] = [junk(random) for _ in range(random.randrange(5))]
    tree["kwargs"] = {random.choice(_TEXTS): junk(random) for _ in range(random.randrange(3))}


@_on_tree
def hostile_error(random, tree):
    tree["error"] = any_exception(random)


OF_BYTES = (truncated, flipped, spliced, not_utf8)
TEXT = (*OF_BYTES, noise, nested, doubled_field)
TREE = tuple(
    map(
        _on_tree,
        (
            *(swapped_type, swapped_field, missing_field, renamed_field, wrong_tag),
            *(deep_value, another_shape, another_version, hostile_exception, colliding_keys),
        ),
    )
)
JOB_TREE = tuple(
    map(
        _on_tree,
        (
            *(forbidden_method, endless_pattern, unknown_kind, another_kind, wrong_target),
            *(wrong_arguments, hostile_id),
        ),
    )
)
OF_REPLIES = (*TEXT, *TREE, hostile_error)
OF_JOBS = TEXT + TREE + JOB_TREE


def broken(random, message, mutations):
    """Return the name of a mutation, and the message that it makes."""
    mutation = random.choice(mutations)
    return mutation.__name__, mutation(random, message)
