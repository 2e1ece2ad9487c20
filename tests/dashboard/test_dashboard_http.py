"""What the dashboard answers, to whom, and what it does; without a browser."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import threading
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest
import requests
from dashboards import HEADER, JSON, TOKEN, dashboard
from waiting import PATIENCE, eventually

import queued_gspread.dashboard
import queued_gspread.web
from queued_gspread.dashboard import routes
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import BrokerUnavailableError, CallCancelledError
from queued_gspread.monitor import look
from queued_gspread.settings import Settings

# Who may ask --------------------------------------------------------------------------------------


def plain(site, method, path, headers):
    """Send a request with these headers alone; return its status and what it says."""
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("path", ["/", "/api/queues", "/page/page.js", "/favicon.ico"])
@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
def test_what_a_foreign_page_could_have_sent_is_refused(site, path, foreign):
    """A host or an origin of others, another site and a frame get 403, whatever they ask for."""
    own = {"Host": site.url.removeprefix("http://")}
    assert plain(site, "GET", path, own)[0] == 200
    assert plain(site, "GET", path, own | {"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert plain(site, "GET", path, own | foreign)[0] == 403


def test_a_link_of_another_page_is_followed(site):
    """Who comes by a link sees the page, as that shows nothing to the page with the link."""
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    headers = {"Host": "localhost", **link, "Sec-Fetch-Dest": "document"}
    assert plain(site, "GET", "/", headers)[0] == 200
    assert plain(site, "POST", "/api/token", headers)[0] == 403


def test_only_json_is_taken(site):
    """A form, which a foreign page can send, is refused even with the token."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        answer = requests.post(
            f"{site.url}/api/queues/{site.namespace}/drain",
            data=b"{}",
            headers={HEADER: TOKEN, "Content-Type": kind},
            timeout=PATIENCE,
        )
        assert answer.status_code == 415


def test_another_name_has_to_be_allowed(redis_url, namespace):
    """Behind a proxy the page is reached by the name that it was started with, and no other."""
    with dashboard(redis_url, namespace, allowed=["queues.example"]) as site:
        proxied = {"Host": "queues.example", "Origin": "https://queues.example"}
        assert plain(site, "GET", "/api/queues", proxied)[0] == 200
        assert plain(site, "GET", "/api/queues", {"Host": "other.example"})[0] == 403


def test_every_answer_has_a_strict_policy(site):
    """Pages, errors and streams forbid code and styles that are not the page's own files."""
    for path in ("", "page/page.js", "api/queues", "nosuch", f"api/queues/{site.namespace}/events"):
        with requests.get(f"{site.url}/{path}", timeout=PATIENCE, stream=True) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_asks_no_other_host():
    """Its files name no other host, but for uPlot's own, which is there with its licence."""
    folder = Path(queued_gspread.dashboard.__file__).parent / "page"
    shared = Path(queued_gspread.web.__file__).parent / "page"
    for file in (*folder.glob("*.*"), *shared.glob("*.*")):
        named = set(re.findall(r"https?://[^\s\"']+", file.read_text()))
        assert named <= {"http://www.w3.org/2000/svg"}, file.name
        # Behind a proxy it may stand below any path.
        assert not re.search(r"""(src|href)="/|["'`]/(api|page)/""", file.read_text()), file.name
    version = re.search(r"uPlot\]\S+ ([\d.]+)", (folder / "vendor" / "README.md").read_text())[1]
    head = (folder / "vendor" / "uPlot.esm.js").read_text()[:500]
    assert f"(v{version})" in head
    assert "MIT" in (folder / "vendor" / "uPlot.LICENSE").read_text()


# The token ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 30])
def test_nothing_is_done_without_the_token(site, operator, token):
    """Without the token, or with a wrong one, every action gets 401 and changes nothing."""
    given = {HEADER: token.encode()} if token else {}
    for name in ("pause", "resume", "drain", "cancel", "purge-question", "purge", "dismiss"):
        path = f"api/queues/{site.namespace}/{name}"
        status, told = site.ask("POST", path, {"job": "x", "jobs": ["x"], "last": "1-1"}, **given)
        assert (status, "token" in told["error"]["message"]) == (401, True)
    assert site.ask("POST", "api/token", {}, **given)[0] == 401
    assert operator.pauses() == ()


def test_without_a_token_of_its_own_it_only_shows(redis_url, namespace, operator):
    """A dashboard that was started without a token says so, and refuses each action."""
    with dashboard(redis_url, namespace, token="") as site:
        assert site.ask("GET", "api/queues")[1]["may_act"] is False
        for token in ("", TOKEN):
            status, told = site.post("pause", token=token)
            assert (status, "--dashboard-token-file" in told["error"]["message"]) == (403, True)
        assert site.get("snapshot")[0] == 200
    assert operator.pauses() == ()


def test_the_token_is_in_no_log(site, caplog, operator):
    """What is logged of an action says who asked for it, and neither right nor wrong tokens."""
    with caplog.at_level(logging.DEBUG):
        assert site.post("pause", by="ann", reason="a move")[0] == 200
        assert site.post("resume", token="a-wrong-token-of-tests", by="ann")[0] == 401
        assert site.ask("GET", f"api/queues?token={TOKEN}")[0] == 200
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("queued_gspread")]
    assert any("ann@127.0.0.1,dashboard:" in line and "asks: pause" in line for line in ours)
    assert TOKEN not in "\n".join(ours)
    assert "a-wrong-token-of-tests" not in caplog.text


# What is seen -------------------------------------------------------------------------------------


def events(answer):
    """Yield the events of a stream."""
    lines = (line.decode() for line in answer.iter_lines())
    return (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def stream(site, parts=""):
    path = f"{site.url}/api/queues/{site.namespace}/events?parts={parts}"
    return requests.get(path, timeout=PATIENCE, stream=True)


def test_a_snapshot_is_what_the_monitor_sees(site, ws, redis_url, namespace):
    """Asked for all parts, the page gets the snapshot; asked for none, it gets no large ones."""
    status, seen = site.get("snapshot?parts=lanes,callers,history,histograms,outcomes")
    whole = json.loads(look(Settings(redis_url, namespace)).to_json())
    assert (status, seen["error"]) == (200, "")
    assert seen["parts"].keys() == whole.keys()
    assert seen["parts"]["servers"][0]["role"] == "works"
    assert whole.keys() - site.get("snapshot")[1]["parts"].keys() == {
        *("lanes", "callers", "history", "histograms", "outcomes")
    }
    assert site.get("snapshot?parts=nosuch")[0] == 400
    assert site.ask("GET", "api/queues/nosuch/snapshot")[0] == 404


def test_a_stream_has_what_is_new(site, operator):
    """The first event has all, later ones have the parts that have changed."""
    with stream(site, "history") as answer:
        seen = events(answer)
        assert next(seen)["parts"].keys() >= {"at", "paused", "history", "quota"}
        assert "history" not in next(seen)["parts"]
        operator.pause("all", "", "a move")
        paused = next(each for each in seen if each["parts"].get("paused"))
        assert paused["parts"]["paused"][0]["why"] == "a move"


def test_one_look_for_all(redis_url, namespace):
    """However many pages look, Redis is asked once for all of them, and not at all for none."""
    looks = count()

    def read(settings, seconds):
        next(looks)
        return look(settings, seconds)

    with dashboard(redis_url, namespace, every=0.05, read=read) as site:
        assert next(looks) == 0
        with stream(site) as one, stream(site) as other, stream(site) as third:
            streams = [(events(each), set()) for each in (one, other, third)]

            def is_shared():
                for seen, taken in streams:
                    taken.add(next(seen)["parts"]["at"])
                return set.intersection(*(taken for _, taken in streams))

            eventually(is_shared, "all three get the same look")
        (sampler,) = site.samplers
        eventually(lambda: not sampler.is_looking)
        seen_by_now = next(looks)
        assert not sampler.is_looking
        assert next(looks) == seen_by_now + 1


def test_the_next_look_waits_for_the_last(redis_url, namespace):
    """While Redis keeps one look waiting there is no second one, and the page is told."""
    going, most, goes = [], [], threading.Event()

    def read(settings, seconds):
        going.append(1)
        most.append(len(going))
        goes.wait(PATIENCE)
        going.pop()
        return look(settings, seconds)

    with dashboard(redis_url, namespace, every=0.01, longest=0.01, read=read) as site:
        with stream(site) as answer:
            seen = events(answer)
            assert next(seen)["error"] == "Redis does not answer"
            goes.set()
            assert next(each for each in seen if not each["error"])["parts"]["namespace"]
        goes.set()
    assert max(most) == 1


def test_a_redis_that_freezes_or_goes_is_said_and_comes_back():
    """The page says that Redis does not answer, and goes on by itself once it does."""
    with (
        TemporaryRedis() as daemon,
        dashboard(daemon.url, "a", every=0.05, longest=0.5) as site,
        stream(site) as answer,
    ):
        seen = events(answer)
        assert next(seen)["error"] == ""
        os.kill(daemon.pid, signal.SIGSTOP)
        away = next(each for each in seen if each["error"])
        os.kill(daemon.pid, signal.SIGCONT)
        assert away["parts"] == {}
        assert next(each for each in seen if not each["error"])["parts"]


def test_nobody_waits_for_a_redis_that_is_known_to_be_away(redis_url, namespace):
    """While no look succeeds, a lane's calls and the outcomes are refused at once, with why."""

    def read(settings, seconds):
        raise BrokerUnavailableError("Redis is away, as the look has found")

    with dashboard(redis_url, namespace, every=0.05, read=read) as site, stream(site) as answer:
        next(events(answer))
        for path in ("lanes/x/jobs", "outcomes"):
            status, told = site.get(path)
            assert (status, "the look has found" in told["error"]["message"]) == (503, True)


def test_a_page_that_does_not_read_holds_up_nobody(site):
    """A stream that nobody reads leaves others as they are."""
    with stream(site, "history"), stream(site) as answer:
        assert len(list(islice(events(answer), 20))) == 20


def test_a_page_that_never_reads_again_is_dropped(redis_url, namespace, monkeypatch):
    """A stream whose reader has left without a word ends, and Redis is asked no more for it."""
    monkeypatch.setattr(routes, "_LONGEST_WRITE", 0.2)
    numbers = count()

    def read(settings, seconds):
        return replace(look(settings, seconds), problems=(str(next(numbers)) * 500_000,))

    with dashboard(redis_url, namespace, every=0.02, read=read) as site, socket.socket() as gone:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = site.url.removeprefix("http://").split(":")
        gone.connect((host, int(port)))
        path = f"/api/queues/{namespace}/events"
        gone.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        (sampler,) = site.samplers
        eventually(lambda: next(numbers) > 3, "it is looked at")
        eventually(lambda: not sampler.is_looking, "nobody looks")


def test_several_queues(redis_url, namespace):
    """A dashboard shows each of its queues, and acts on the one that is meant."""
    with dashboard(redis_url, namespace, f"{namespace}-2") as site:
        names = [each["namespace"] for each in site.ask("GET", "api/queues")[1]["queues"]]
        assert names == [namespace, f"{namespace}-2"]
        assert site.post("drain")[0] == 200
        assert site.get("snapshot")[1]["parts"]["paused"][0]["what"] == "drain"
        assert site.ask("GET", f"api/queues/{namespace}-2/snapshot")[1]["parts"]["paused"] == []


# What is done -------------------------------------------------------------------------------------


def test_pause_and_resume(site, operator, ws, caplog):
    """A pause is what the command would make it, in the name of who asks; so is its end."""
    lane = ws.spreadsheet_id
    with caplog.at_level(logging.INFO, "queued_gspread.server"):
        status, told = site.post("pause", what="write", lane=lane, reason="a move", by="ann b")
        (pause,) = operator.pauses()
        assert (status, pause.shown in told["told"]) == (200, True)
        assert (pause.what, pause.lane, pause.why) == ("write", lane, "a move")
        assert pause.by.startswith("ann_b@127.0.0.1,dashboard:")
        eventually(lambda: f"{pause.by} asks: pause writes of the spreadsheet" in caplog.text)
        assert site.post("resume", what="read", lane=lane)[0] == 400
        assert site.post("resume", what="write", lane=lane)[0] == 200
        eventually(lambda: f"asks: resume write:{lane}" in caplog.text)
    assert operator.pauses() == ()
    assert site.post("drain", reason="new machine")[0] == 200
    assert site.post("resume", what="drain")[0] == 200
    assert site.post("resume")[0] == 400


def test_calls_are_listed_in_order_and_cancelled(site, ws, waiting, operator):
    """A lane's calls are there in order, without an argument; one that is cancelled tells why."""
    first, second = waiting(2)
    status, found = site.get(f"lanes/{ws.spreadsheet_id}/jobs")
    jobs = found["jobs"]
    assert (status, len(jobs), found["more"]) == (200, 2, False)
    assert jobs[0]["age"] >= jobs[1]["age"]
    assert "secret" not in json.dumps(found)
    status, told = site.post("cancel", job=jobs[0]["job"], lane=ws.spreadsheet_id, reason="twice")
    assert (status, "its caller is told" in told["told"]) == (200, True)
    with pytest.raises(CallCancelledError, match=r"dashboard:.*: twice"):
        first.result(PATIENCE)
    assert site.post("cancel", job=jobs[0]["job"])[0] == 409
    operator.resume()
    assert second.result(PATIENCE)


def test_who_holds_the_lock_goes_first(site, raw, keys):
    """The calls of who holds a spreadsheet's lock stand between the lock and all who wait."""
    for lane, job in (("a", "Lock"), ("a", "J1"), ("a!1", "J2"), ("b", "J3")):
        raw.sadd(keys.active, lane)
        raw.xadd(keys.lane(lane), {"id": job, "job": "{}"})
    raw.hset(keys.progress, "Lock", "l")
    jobs = site.get("lanes/a/jobs")[1]["jobs"]
    assert [job["job"] for job in jobs] == ["Lock", "J2", "J1"]
    assert [job["state"] for job in jobs] == ["has the lock", "waiting", "waiting"]


def test_a_purge_cancels_what_was_asked_about(site, waiting):
    """The question says how many callers are told, and calls that come after it stay."""
    waiting(2)
    status, asked = site.post("purge-question")
    assert (status, asked["calls"]) == (200, 2)
    assert "Cancel 2 calls in" in asked["question"]
    assert "1 caller is told" in asked["question"]
    calls = waiting(1)
    status, told = site.post("purge", last=asked["last"], reason="wrong file")
    assert (status, told["told"].startswith("cancelled 2 calls")) == (200, True)
    assert isinstance(calls[0].exception(PATIENCE), CallCancelledError)
    assert not calls[2].done()


def test_outcomes_are_listed_and_dismissed(site, ws):
    """Failures are there without their values, and gone once they are dismissed."""
    with pytest.raises(Exception, match="Unable to parse range"):
        ws.get("Nosuch!A1")
    eventually(lambda: site.get("outcomes")[1]["in_all"])
    (outcome,) = site.get("outcomes")[1]["outcomes"]
    assert (outcome["sort"], outcome["method"]) == ("failed", "worksheet.get")
    assert site.post("dismiss", jobs=[outcome["job_id"]], sort="unknown")[1]["dismissed"] == 0
    assert site.post("dismiss", jobs=[outcome["job_id"], "nosuch"])[1]["dismissed"] == 1
    assert site.get("outcomes")[1] == {"outcomes": [], "in_all": 0}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("pause", {"what": "drain"}),
        ("pause", {"lane": "a b"}),
        ("pause", {"lane": 1}),
        ("pause", {"reason": "x" * 201}),
        ("pause", {"nosuch": 1}),
        ("pause", ["all"]),
        ("cancel", {}),
        ("cancel", {"job": "a\nb"}),
        ("purge", {"last": "x"}),
        ("purge", {}),
        ("dismiss", {"jobs": []}),
        ("dismiss", {"jobs": "x"}),
    ],
)
def test_what_cannot_be_used_is_named(site, operator, name, body):
    """A field that is missing, unknown or odd gets 400 with its name, and nothing is done."""
    headers = {HEADER: TOKEN, **JSON}
    status, told = site.ask("POST", f"api/queues/{site.namespace}/{name}", body, **headers)
    assert (status, "cannot be used" in told["error"]["message"]) == (400, True)
    assert operator.pauses() == ()
