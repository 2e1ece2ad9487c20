"""Spans: of callers, of servers, and of requests to Google, over all that lies between them."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import re
import subprocess
import sys
import threading
from functools import partial

import pytest
from calls import read, send
from gate import cell_of, google_error
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.semconv._incubating.attributes import messaging_attributes, url_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode
from waiting import PATIENCE, eventually

import queued_gspread as gspread
import queued_gspread.asyncio as asynchronous
from queued_gspread import _tracing
from queued_gspread.broker.operators import Operator
from queued_gspread.errors import CodecError, QueueDrainedError, SignatureError
from queued_gspread.protocol.messages import Job, NoObjects, Once
from queued_gspread.protocol.signing import load_keys, sign, verify
from queued_gspread.server.policy.promises import digest_of
from queued_gspread.settings import Settings

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"
PARTITION = messaging_attributes.MESSAGING_DESTINATION_PARTITION_ID
SECRET = "a very secret value"
PLAIN = (
    b'{"v":1,"versions":["0.2","6.2"],"kind":"worksheet","target":null,"method":"acell","args":'
    b'["A1"],"kwargs":{},"caller":["host",1],"identity":null,"http_timeout":null,"timeout":null}'
)


class Exported:
    """The spans that have ended, in the order in which they did."""

    def __init__(self, provider, exporter):
        self.tracer = provider.get_tracer("test")
        self._exporter = exporter

    def __call__(self, kind=None):
        spans = self._exporter.get_finished_spans()
        return [span for span in spans if span.kind is kind or kind is None]

    @property
    def producers(self):
        return self(SpanKind.PRODUCER)

    @property
    def consumers(self):
        return self(SpanKind.CONSUMER)

    @property
    def clients(self):
        return self(SpanKind.CLIENT)

    def clear(self):
        self._exporter.clear()


class Second(Sampler):
    """Samples the second of the updates."""

    def __init__(self):
        self._seen = 0

    def should_sample(self, *_, attributes, **__):
        self._seen += attributes.get("queued_gspread.method") == "worksheet.update_acell"
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self._seen == 2 else Decision.DROP)

    def get_description(self):
        return "the second"


@pytest.fixture
def provide(monkeypatch):
    """Return a function that sets the tracer provider of this test, as programs do once."""

    def set_provider(**options):
        provider, exporter = (
            TracerProvider(shutdown_on_exit=False, **options),
            InMemorySpanExporter(),
        )
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        monkeypatch.setattr(_tracing._Known, "has_failed", False)
        return Exported(provider, exporter)

    return set_provider


@pytest.fixture
def exported(provide):
    return provide()


def ids(spans):
    return [span.context.span_id for span in spans]


def parents(spans):
    return [None if span.parent is None else span.parent.span_id for span in spans]


def links(span):
    return [link.context.span_id for link in span.links]


def job(**fields):
    """Return a job whose versions and caller are always the same."""
    return Job(
        "worksheet", "acell", None, ("A1",), caller=("host", 1), versions=("0.2", "6.2"), **fields
    )


# What a call's spans are -------------------------------------------------------------------------


def test_a_call_is_a_trace_from_its_caller_to_google(ws, exported, namespace):
    """Caller, server and request each have a span, a child of the one before, in one trace."""
    exported.clear()
    with exported.tracer.start_as_current_span("mine") as mine:
        ws.update_acell("A1", SECRET)
    client, consumer, producer, _ = exported()
    assert [producer.kind, consumer.kind, client.kind] == [
        SpanKind.PRODUCER,
        SpanKind.CONSUMER,
        SpanKind.CLIENT,
    ]
    assert parents([producer, consumer, client]) == [
        mine.get_span_context().span_id,
        *ids([producer, consumer]),
    ]
    assert consumer.parent.is_remote
    assert links(consumer) == ids([producer])
    assert links(client) == ids([consumer])
    assert len({span.context.trace_id for span in exported()}) == 1
    assert producer.name == f"send {namespace}"
    assert consumer.name == f"process {namespace}"
    assert client.name == "PUT /v4/spreadsheets/{spreadsheetId}/values/{range}"


def test_spans_are_named_by_the_conventions_and_tell_no_content(ws, exported, namespace, emulator):
    """Of what a call is about, spans have its spreadsheet's id and its method, and nothing else."""
    exported.clear()
    ws.update_acell("B7", SECRET)
    client, consumer, producer = exported()
    named, book = messaging_attributes, ws.spreadsheet_id
    about = {
        named.MESSAGING_SYSTEM: "queued_gspread",
        named.MESSAGING_DESTINATION_NAME: namespace,
        PARTITION: book,
        named.MESSAGING_MESSAGE_ID: producer.attributes[named.MESSAGING_MESSAGE_ID],
        "queued_gspread.method": "worksheet.update_acell",
    }
    for span, operation in (producer, "send"), (consumer, "process"):
        outcome = {} if span is producer else {"queued_gspread.outcome": "ok"}
        does = dict.fromkeys(
            (named.MESSAGING_OPERATION_NAME, named.MESSAGING_OPERATION_TYPE), operation
        )
        assert dict(span.attributes) == about | does | outcome
    host, port = emulator.url.removeprefix("http://").split(":")
    assert dict(client.attributes) == {
        http_attributes.HTTP_REQUEST_METHOD: "PUT",
        http_attributes.HTTP_RESPONSE_STATUS_CODE: 200,
        server_attributes.SERVER_ADDRESS: host,
        server_attributes.SERVER_PORT: int(port),
        url_attributes.URL_TEMPLATE: "/v4/spreadsheets/{spreadsheetId}/values/{range}",
        PARTITION: book,
        "queued_gspread.calls": 1,
    }
    assert client.instrumentation_scope.schema_url == Schemas.V1_44_0.value
    assert SECRET not in "".join(span.to_json() for span in exported())
    assert not any(span.events for span in exported())


def test_a_merged_request_is_linked_to_all_its_calls(stage, exported):
    """Calls that share a request have one span for it, with a link to each of theirs."""
    here = stage()
    exported.clear()
    here.play(*[partial(here.sheet.update_acell, f"A{row}", row) for row in (1, 2, 3)])
    (merged,) = [span for span in exported.clients if span.attributes["queued_gspread.calls"] > 1]
    updates = [
        span
        for span in exported.consumers
        if span.attributes["queued_gspread.method"] == "worksheet.update_acell"
    ]
    assert merged.attributes["queued_gspread.calls"] == 3
    assert sorted(links(merged)) == sorted(ids(updates))
    assert parents([merged]) == links(merged)[:1]
    assert len({span.context.trace_id for span in updates}) == 3
    assert merged.name == "POST /v4/spreadsheets/{spreadsheetId}/values:batchUpdate"


def test_a_merged_request_is_in_a_trace_that_is_recorded(stage, provide):
    """Where the first of several calls is not sampled, their request is in the trace of another."""
    exported = provide(sampler=ParentBased(Second()))
    here = stage()
    exported.clear()
    here.play(*[partial(here.sheet.update_acell, f"A{row}", row) for row in (1, 2, 3)])
    (merged,) = [span for span in exported.clients if span.attributes["queued_gspread.calls"] > 1]
    (sampled,) = exported.consumers
    assert parents([merged]) == ids([sampled])


def test_each_attempt_is_a_span(serve, client, gate, background, exported, hasty):
    """A request that is sent again has a span for each attempt, the first one's with its status."""
    serve(quota_window=0.1)
    reading = background(read, client)
    gate.next().fail(google_error(503))
    gate.next().answer({})
    reading.result(PATIENCE)
    first, second = exported.clients
    assert first.attributes[error_attributes.ERROR_TYPE] == "503"
    assert first.status.status_code is StatusCode.ERROR
    assert second.status.status_code is StatusCode.UNSET
    assert parents([first, second]) == ids(exported.consumers) * 2


# How they end -------------------------------------------------------------------------------------


def test_the_spans_of_a_call_that_fails_say_so(serve, client, gate, background, exported):
    """A failed call's spans have the status of an error and its class, and no text of it."""
    serve()
    reading = background(read, client)
    gate.next().fail(google_error(404, SECRET))
    assert isinstance(reading.exception(PATIENCE), gspread.exceptions.APIError)
    for span in exported():
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
    types = {span.kind: span.attributes[error_attributes.ERROR_TYPE] for span in exported()}
    assert types == {
        SpanKind.PRODUCER: "APIError",
        SpanKind.CONSUMER: "APIError",
        SpanKind.CLIENT: "404",
    }
    told = "".join(span.to_json() for span in exported())
    assert SECRET not in told
    assert "message of 404" not in told


def test_a_call_that_sends_nothing_has_a_span_all_the_same(ws, exported):
    """A call that gspread refuses before its first request has a span at the server, an error."""
    exported.clear()
    with pytest.raises(gspread.exceptions.IncorrectCellLabel):
        ws.acell("no cell")
    (consumer,) = exported.consumers
    assert consumer.attributes[error_attributes.ERROR_TYPE] == "IncorrectCellLabel"
    assert parents([consumer]) == ids(exported.producers)
    assert exported.clients == []


def test_a_call_that_is_taken_over_has_a_span_at_each_server(
    serve, client, gate, background, exported
):
    """Both servers' spans are children of the caller's; the first says that it left the call."""
    server = serve()
    listing = background(client.openall)
    first = gate.next()
    stop = background(server.stop)
    eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("valve")])
    first.answer({"files": [{"id": "one", "name": "One"}]})
    stop.result(PATIENCE)
    serve()
    gate.next().answer({"files": [{"id": "one", "name": "One"}]})  # a read is made again
    gate.next().answer({"properties": {"title": "One"}})
    assert [book.id for book in listing.result(PATIENCE)] == ["one"]
    outcomes = [span.attributes["queued_gspread.outcome"] for span in exported.consumers]
    assert outcomes == ["left", "ok"]
    assert parents(exported.consumers) == ids(exported.producers) * 2
    left, made = ids(exported.consumers)
    assert parents(exported.clients) == [left, made, made]


# Where the context comes from ---------------------------------------------------------------------


def test_a_thread_has_the_context_that_it_was_given(ws, exported):
    """A thread of its own begins a trace; one that runs in a copied context goes on with it."""
    exported.clear()
    with exported.tracer.start_as_current_span("mine") as mine:
        inside = contextvars.copy_context()
        for run in (lambda work: work()), inside.run:
            thread = threading.Thread(target=run, args=(partial(ws.update_acell, "A1", 1),))
            thread.start()
            thread.join(PATIENCE)
    assert parents(exported.producers) == [None, mine.get_span_context().span_id]


@pytest.mark.parametrize("reorder", [False, True])
def test_pipelined_calls_belong_to_where_they_were_made(ws, exported, reorder):
    """In a pipeline, also one that reorders, each call's span is of its line, and has its end."""
    exported.clear()
    with gspread.pipeline(reorder=reorder):
        with exported.tracer.start_as_current_span("first") as first:
            ws.append_row([1])
        with exported.tracer.start_as_current_span("second") as second:
            ws.update_acell("C1", 2)
    spans = [span.get_span_context().span_id for span in (first, second)]
    assert sorted(parents(exported.producers)) == sorted(spans)
    assert sorted(parents(exported.consumers)) == sorted(ids(exported.producers))


def test_the_span_of_a_pipelined_call_has_its_failure(ws, exported):
    """A call of a pipeline that fails ends its caller's span as an error."""
    exported.clear()
    with pytest.raises(gspread.exceptions.APIError), gspread.pipeline():
        ws.update("no range!", [[1]])
    (producer,) = exported.producers
    assert producer.attributes[error_attributes.ERROR_TYPE] == "APIError"


@pytest.mark.parametrize("waits", [True, False])
def test_a_call_that_is_not_put_in_ends_its_span(ws, exported, redis_url, namespace, waits):
    """A call of a pipeline that the queue refuses ends its span as an error, once."""
    Operator(Settings(redis_url, namespace), "ann@web1").drain()
    exported.clear()
    with pytest.raises(QueueDrainedError), gspread.pipeline(wait=waits):
        ws.append_row([1])
    (producer,) = exported()
    assert producer.attributes[error_attributes.ERROR_TYPE] == "QueueDrainedError"


def test_a_future_that_is_cancelled_ends_its_span(serve, client, gate, background, exported):
    """A call of a pipeline that is withdrawn ends its span as an error."""
    serve()
    http = client.http_client
    held = background(read, client)
    gate.next()
    with gspread.pipeline() as pipe:
        future = pipe.submit(http.request, "get", cell_of("lane"))
        assert future.cancel()
        (producer,) = exported.producers
    assert producer.attributes[error_attributes.ERROR_TYPE] == "PipelineError"
    gate.open()
    held.result(PATIENCE)


def test_a_call_that_nobody_waits_for_is_traced(serve, client, gate, exported):
    """Its caller's span ends once it is in the queue, and the server's is a child of that."""
    serve()
    gate.open()
    http = client.http_client
    exported.clear()
    with gspread.pipeline(wait=False):
        http.values_append("book", "A1", {"valueInputOption": "RAW"}, {"values": [[1]]})
        (producer,) = exported.producers
    eventually(lambda: exported.consumers)
    assert producer.status.status_code is StatusCode.UNSET
    assert parents(exported.consumers) == ids([producer])


def test_each_task_has_its_own_context(serve, gate, exported, redis_url, namespace):
    """Calls of tasks, awaited together or left in the queue, belong to the span of their task."""
    serve()
    gate.open()

    async def call(http, name):
        with exported.tracer.start_as_current_span(name) as mine:
            await http.request("get", cell_of("book"))
            async with asynchronous.pipeline(wait=False):
                await http.values_append("book", "A1", {}, {"values": [[1]]})
            await http.request("get", cell_of("book"), params={"a": {1}})  # runs in a thread
        return mine.get_span_context().span_id

    async def main():
        http = asynchronous.authorize(redis_url=redis_url, namespace=namespace).http_client
        return await asyncio.gather(*[call(http, name) for name in ("first", "second")])

    mine = asyncio.run(main())
    assert sorted(parents(exported.producers)) == sorted(mine * 3)
    eventually(lambda: len(exported.consumers) == len(exported.producers))
    assert sorted(parents(exported.consumers)) == sorted(ids(exported.producers))


def test_a_task_that_is_cancelled_ends_its_span(serve, gate, exported, redis_url, namespace):
    """The span of a call whose task is cancelled ends as an error of that name."""
    serve()

    async def main():
        http = asynchronous.authorize(redis_url=redis_url, namespace=namespace).http_client
        task = asyncio.ensure_future(http.request("get", cell_of("book")))
        await asyncio.to_thread(gate.next)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (producer,) = exported.producers
    assert producer.attributes[error_attributes.ERROR_TYPE] == "CancelledError"


# What travels, and what does not -----------------------------------------------------------------


def test_a_job_without_a_trace_is_as_it_always_was():
    """A job's bytes are the same as before there were traces, unless its caller traces."""
    assert job().encode() == PLAIN
    traced = json.loads(job(traceparent=PARENT).encode())
    assert traced.pop("traceparent") == PARENT
    assert traced == json.loads(PLAIN)


@pytest.mark.parametrize("is_there", [False, True], ids=["no API", "no provider"])
def test_nothing_is_sent_without_a_provider(ws, monkeypatch, is_there):
    """Without the API, and with it as long as no provider is set, jobs have no such field."""
    if not is_there:
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    sent = []
    encode = Job.encode
    monkeypatch.setattr(Job, "encode", lambda job: sent.append(encode(job)) or sent[-1])
    assert _tracing.tracer() is None
    ws.update_acell("A1", 1)
    assert [b"traceparent" in body for body in sent] == [False]


def test_the_package_does_without_the_api():
    """Nothing of the package imports the API, with clients, servers and asyncio."""
    parts = "asyncio", "server", "cli", "monitor"
    code = [
        "import sys",
        "sys.modules['opentelemetry'] = None",
        *(f"import queued_gspread.{part}" for part in parts),
        "queued_gspread.authorize(redis_url='redis://127.0.0.1:1')",
        "assert 'opentelemetry.trace' not in sys.modules",
    ]
    subprocess.run([sys.executable, "-c", "; ".join(code)], check=True)


def test_a_call_whose_argument_cannot_travel_has_spans_for_its_requests(ws, exported):
    """Where gspread's own method runs here, each of its requests has a span, and it has none."""
    exported.clear()
    ws.find(re.compile("x"))
    assert {span.attributes["queued_gspread.method"] for span in exported.producers} == {
        "http_client.values_get"
    }


def test_a_signed_trace_cannot_be_changed(serve, signed, signing_key, gate, exported, authorize):
    """With signing, the field is under the signature as all of the job is."""
    serve(signing_key_file=signing_key)
    gate.open()
    client = authorize(signing_key_file=str(signing_key))
    read(client)
    assert parents(exported.consumers) == ids(exported.producers)
    keyring = load_keys(signing_key, copied=True)
    message = sign(keyring, "job", ("x",), job(traceparent=PARENT).encode())
    with pytest.raises(SignatureError, match="altered"):
        verify(keyring, "job", ("x",), message.replace(b"b" * 16, b"c" * 16))


def test_a_key_stands_for_its_call_in_any_trace():
    """A write under an idempotency key is the same call when it is made again in another trace."""
    once = Once("order-1", 0, 60.0)
    bodies = [job(once=once, traceparent=one).encode() for one in (None, PARENT)]
    assert len({digest_of(body, "book") for body in bodies}) == 1


@pytest.mark.parametrize(
    "told",
    ["", "x", PARENT + "-x", PARENT.upper(), PARENT.replace("a", "0"), PARENT.replace("b", "0")],
)
def test_what_is_no_trace_is_none(serve, callers, gate, exported, told):
    """A text that is not of the form begins a trace at the server, and the call is made."""
    serve()
    gate.open()
    body = Job("http_client", "request", args=("get", cell_of("lane")), traceparent=told)
    assert send(callers, body.encode()).error is None
    (consumer,) = exported.consumers
    assert consumer.parent is None
    assert consumer.links == ()


def test_a_trace_of_the_wrong_kind_is_refused():
    """A field that is no text makes the job one that cannot be read, as any other field does."""
    body = job(traceparent=PARENT).encode().replace(b'"' + PARENT.encode() + b'"', b"1")
    with pytest.raises(CodecError, match="traceparent"):
        Job.decode(body, NoObjects())


def test_what_an_intruder_writes_can_be_exported(serve, callers, gate, exported):
    """Names from Redis are cut off and have no half of a character, which no exporter takes."""
    serve()
    gate.open()
    body = Job("http_client", "request", args=("get", cell_of("book"))).encode()
    assert send(callers, body, lane=chr(0xDCFF) + "x" * 10_000).error is None
    for span in exported.consumers + exported.clients:
        assert len(span.attributes[PARTITION]) <= 200
        assert span.attributes[PARTITION].isascii()


# What goes wrong in a tracer ----------------------------------------------------------------------


class Broken(Sampler):
    """Fails."""

    def should_sample(self, *_, **__):
        raise RuntimeError("the sampler fails")

    def get_description(self):
        return "broken"


def test_a_tracer_that_fails_costs_no_call(ws, provide, caplog):
    """An error of the provider's is logged once, and calls are made all the same."""
    exported = provide(sampler=Broken())
    with caplog.at_level(logging.WARNING, "queued_gspread"):
        for value in "1", "2":
            ws.update_acell("A1", value)
    assert ws.acell("A1").value == "2"
    assert exported() == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "calls are made all the same" in caplog.text
