"""Many cores at a time, over a wire that is a script of answers."""

from __future__ import annotations

import math

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from queued_gspread.broker.connection import joint_shell
from queued_gspread.broker.connection.effects import (
    AwaitReply,
    Extend,
    Joint,
    LookAtMaster,
    Send,
    Sleep,
    Tell,
)
from queued_gspread.broker.connection.joint_shell import JointShell, Run


class Wire:
    """Gives what it was told to, and notes what it is asked."""

    def __init__(self):
        self.writes, self.reads, self.told, self.replies = [], [], [], {}
        self.answers = lambda commands: [b"answer"] * len(commands)

    def ask_all(self, commands):
        self.writes.append(commands)
        return self.answers(commands)

    def ask(self, command):
        self.reads.append(command)
        keys = command[command.index("STREAMS") + 1 :]
        keys = keys[: len(keys) // 2]
        if isinstance(self.replies, Exception):
            raise self.replies
        found = [(key, self.replies.pop(key)) for key in keys if key in self.replies]
        return [[key.encode(), [(b"1-1", [b"body", body])]] for key, body in found] or None

    def tell(self, *commands):
        self.told.append(commands)


class Master:
    looks = 0

    def look(self):
        self.looks += 1


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def shell(wire):
    return JointShell(wire, Master())


@pytest.fixture
def start(shell):
    """Return what has a core run; the list that it returns gets its end."""

    def start(core, limit=math.inf):
        ends = []
        run = Run(core, limit, lambda *end: ends.append(end))
        shell.start(run)
        return run, ends

    return start


def sending(*commands):
    answers = []
    for command in commands:
        try:
            answers.append((yield Send([command])))
        except RedisError as error:
            answers.append(error)
    return answers


def awaiting(key, seconds=60.0):
    return (yield AwaitReply(key, seconds))


def test_commands_of_many_cores_go_in_one_write(shell, wire, start):
    """What all cores want sent is one write, and each gets its own answer."""
    ends = [start(sending(name, f"{name}2"))[1] for name in "abc"]
    wire.answers = lambda commands: [command[0].encode() for command in commands]
    shell.round(1.0)
    shell.round(1.0)
    assert wire.writes == [[["a"], ["b"], ["c"]], [["a2"], ["b2"], ["c2"]]]
    assert [end[0][0] for end in ends] == [[b"a", b"a2"], [b"b", b"b2"], [b"c", b"c2"]]
    assert len(shell) == 0


def asking(name):
    keys, args = (("server",), ("grace",)), (("lane", name), (f"id {name}",))
    joint = Joint(*keys, *args)
    command = ["EVALSHA", "sha", 3, "server", "lane", name, "grace", f"id {name}"]
    return (yield Send(command, joint=joint))


def test_what_many_cores_ask_in_the_same_way_is_one_command(shell, wire, start):
    """Their keys and arguments go together, and each gets its own part of the answer."""
    ends = [start(core)[1] for core in (asking("a"), sending("other"), asking("b"), asking("c"))]
    wire.answers = lambda _: [[[[1], [0], [1]], b"common"], b"own"]
    shell.round(1.0)
    keys, args = ["lane", "a", "lane", "b", "lane", "c"], ["id a", "id b", "id c"]
    assert wire.writes == [[["EVALSHA", "sha", 7, "server", *keys, "grace", *args], ["other"]]]
    parts = [[[[known]], b"common"] for known in (1, 0, 1)]
    assert [end[0][0] for end in ends] == [parts[0], [b"own"], *parts[1:]]


def test_an_error_of_one_command_is_that_of_all_in_it(shell, wire, start):
    """Each of those that have asked together hears of the error."""
    ends = [start(asking(name))[1] for name in "ab"]
    wire.answers = lambda _: [ResponseError("no")]
    shell.round(1.0)
    assert [str(end[0][1]) for end in ends] == ["no", "no"]


def test_many_commands_are_several_writes(shell, wire, start, monkeypatch):
    """A write has so many commands at the most."""
    monkeypatch.setattr(joint_shell, "_MOST_COMMANDS", 2)
    for name in "abc":
        start(sending(name))
    shell.round(1.0)
    assert [len(commands) for commands in wire.writes] == [2, 1]


def test_what_redis_refuses_is_one_cores_error(shell, wire, start):
    """An error in the place of an answer is thrown into the core that asked."""
    wire.answers = lambda commands: [ResponseError("no"), b"yes"]
    first, second = start(sending("a"))[1], start(sending("b"))[1]
    shell.round(1.0)
    assert isinstance(first[0][0][0], ResponseError)
    assert second[0][0] == [b"yes"]


def test_a_lost_connection_is_every_cores_error(shell, wire, start):
    """Each core that waits for an answer, or a reply, learns that the connection was lost."""

    def lose(commands):
        raise RedisConnectionError("lost")

    wire.answers = lose
    ends = [start(sending(name))[1] for name in "ab"]
    shell.round(1.0)
    assert [type(end[0][0][0]) for end in ends] == [RedisConnectionError] * 2
    wire.replies = RedisConnectionError("lost")
    waits = [start(awaiting(name))[1] for name in "ab"]
    shell.round(1.0)
    assert [type(error) for ((_, error),) in waits] == [RedisConnectionError] * 2


def test_replies_are_awaited_by_one_read(shell, wire, start):
    """One read waits for all; those that come are handed out, and the others go on waiting."""
    ends = {key: start(awaiting(key))[1] for key in "abc"}
    wire.replies = {"c": b"C", "a": b"A"}
    shell.round(1.0)
    assert [command[6:9] for command in wire.reads] == [["a", "b", "c"]]
    assert (ends["a"], ends["b"], ends["c"]) == ([(b"A", None)], [], [(b"C", None)])
    assert len(shell) == 1


def test_the_oldest_are_read_while_they_have_replies(shell, wire, start, monkeypatch):
    """After a reply among the oldest, only these are read; after none, all are again."""
    monkeypatch.setattr(joint_shell, "_FEW", 2)
    for key in "abcd":
        start(awaiting(key))
    wire.replies = {"a": b"A"}
    shell.round(1.0)
    shell.round(1.0)
    wire.replies = {"d": b"D"}
    shell.round(1.0)
    shell.round(1.0)
    read = [command[command.index("STREAMS") + 1 :] for command in wire.reads]
    assert [keys[: len(keys) // 2] for keys in read] == [
        ["a", "b", "c", "d"], ["b", "c"], ["b", "c", "d"], ["b", "c"],
    ]  # fmt: skip


def test_a_read_blocks_until_the_first_wait_is_over(shell, wire, start):
    """It lasts no longer than what the first core wants, or than the caller says."""
    start(awaiting("a", 0.3))
    start(awaiting("b", 60.0))
    shell.round(5.0)
    assert wire.reads[0][4] <= 300
    shell.round(0.05)
    assert wire.reads[1][4] <= 50


def test_waits_that_are_over_end_together(shell, wire, start):
    """A core whose reply has not come in time is told so, with those that would be soon."""
    ends = [start(awaiting(key, seconds))[1] for key, seconds in (("a", 0.0), ("b", 0.1))]
    late = start(awaiting("c", 60.0))[1]
    shell.round(1.0)
    assert ends == [[(None, None)], [(None, None)]]
    assert late == []


def test_what_needs_no_answer_is_done_at_once(shell, wire, start):
    """Deadlines and looks for the master take no round; what is told goes in one write."""

    def core(key):
        yield LookAtMaster()
        yield Extend(7.0)
        yield Tell(["UNLINK", key], 1.0)
        yield Sleep(0.0)

    runs = [start(core(key))[0] for key in "ab"]
    assert shell._master.looks == 2
    assert [run.limit for run in runs] == [7.0, 7.0]
    shell.round(0.0)
    assert wire.told == [(["UNLINK", "a"], ["UNLINK", "b"])]


def test_a_core_that_fails_ends_alone(shell, wire, start):
    """What one core raises is its own end, and the others go on."""

    def failing():
        yield Send(["a"])
        raise ValueError("mine")

    failed, other = start(failing())[1], start(sending("b"))[1]
    shell.round(1.0)
    assert isinstance(failed[0][1], ValueError)
    assert other == [([b"answer"], None)]


def test_a_core_that_is_stopped_gets_nothing_more(shell, wire, start):
    """A core that is left where it is has no end, and nothing of it is sent."""
    run, ends = start(sending("a"))
    shell.stop(run)
    shell.round(1.0)
    assert (ends, wire.writes, len(shell)) == ([], [], 0)


def test_a_late_core_does_not_cut_the_others_short(shell, start):
    """A limit that has passed is not that of a write or a read that others wait for, too."""
    moment = joint_shell.now()
    runs = [start(sending("a"), limit)[0] for limit in (moment - 5, moment + 50, moment + 90)]
    assert joint_shell._limit(runs) == moment + 50
    assert joint_shell._limit(runs[:1]) > moment
