"""Spans: none unless asked for, and then the right ones, in the caller's trace."""

import contextlib
import json
import subprocess
import sys

import pytest

from serving.telemetry import tracing
from serving.telemetry.tracing import span, start_tracing, tracing_wanted

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}


@pytest.fixture
def spans():
    """Records for the length of a test; gives the spans that ended so far."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    stop = start_tracing(processor=SimpleSpanProcessor(exporter))
    yield exporter.get_finished_spans
    stop()


def test_without_tracing_a_span_is_one_object_for_all():
    with span("request", headers=TRACEPARENT) as outer, span("encode") as inner:
        assert outer is inner
        inner.set("tier", "model")
        inner.stage("queue", start_ns=1, end_ns=2)
        inner.fail("never")


def test_spans_nest_and_the_callers_trace_goes_on(spans):
    with span("recommend", headers=TRACEPARENT) as outer:
        outer.set("tier", "model")
        with span("encode"):
            pass
        outer.stage("queue", start_ns=1_000, end_ns=3_000)
    encode, queue, recommend = spans()
    assert [encode.name, queue.name, recommend.name] == ["encode", "queue", "recommend"]
    assert f"{recommend.context.trace_id:032x}" == TRACE_ID
    assert f"{recommend.parent.span_id:016x}" == "b7ad6b7169203331"
    assert {encode.parent.span_id, queue.parent.span_id} == {recommend.context.span_id}
    assert (queue.start_time, queue.end_time) == (1_000, 3_000)
    assert dict(recommend.attributes) == {"tier": "model"}
    assert [one.kind.name for one in (encode, recommend)] == ["INTERNAL", "SERVER"]


@pytest.mark.parametrize("headers", [{}, {"traceparent": "garbage"}, {"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"}])
def test_without_a_sane_traceparent_a_trace_begins(spans, headers):
    with span("recommend", headers=headers):
        pass
    [one] = spans()
    assert one.parent is None
    assert f"{one.context.trace_id:032x}" != TRACE_ID


def test_a_trace_that_the_caller_does_not_sample_leaves_nothing(spans):
    with span("recommend", headers={"traceparent": TRACEPARENT["traceparent"][:-2] + "00"}) as outer:
        outer.stage("queue", start_ns=1_000, end_ns=3_000)
    assert spans() == ()


def test_a_failure_is_marked_by_its_type_alone(spans):
    with pytest.raises(KeyError), span("recommend", headers={}):
        raise KeyError("secret-item")
    [one] = spans()
    assert (one.status.status_code.name, one.status.description) == ("ERROR", "KeyError")
    assert one.events == ()
    assert "secret" not in one.to_json()


def test_the_service_is_named(spans, monkeypatch):
    with span("recommend", headers={}):
        pass
    [one] = spans()
    assert one.resource.attributes["service.name"] == "tillside"


def test_a_process_traces_if_it_is_wanted_and_until_it_ends(monkeypatch):
    events = []
    monkeypatch.setattr(tracing, "start_tracing", lambda: events.append("start") or (lambda: events.append("stop")))
    with tracing.tracing({}, flag=False):
        assert events == []
    with contextlib.suppress(KeyError), tracing.tracing({}, flag=True):
        assert events == ["start"]
        raise KeyError
    assert events == ["start", "stop"]


def test_after_the_end_nothing_is_recorded(spans):
    tracing._tracer, before = None, tracing._tracer
    try:
        with span("recommend", headers={}):
            pass
    finally:
        tracing._tracer = before
    assert spans() == ()


@pytest.mark.parametrize(
    ("environment", "flag", "wanted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True, False),
        ({"OTEL_SDK_DISABLED": "true"}, True, False),
    ],
)
def test_who_wants_tracing(environment, flag, wanted):
    assert tracing_wanted(environment, flag=flag) is wanted


def test_another_exporter_is_refused():
    with pytest.raises(ValueError, match="OTEL_TRACES_EXPORTER must be otlp or none, got 'zipkin'"):
        tracing_wanted({"OTEL_TRACES_EXPORTER": "zipkin"}, flag=False)


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_nothing_of_opentelemetry_is_imported_unless_asked_for():
    program = (
        "import json, sys; from serving.telemetry.tracing import span; span('x'); print(json.dumps(list(sys.modules)))"
    )
    assert not [name for name in json.loads(run(program).stdout) if name.startswith("opentelemetry")]


def test_without_the_extra_one_sentence_says_what_to_install():
    program = (
        "import sys; sys.modules['opentelemetry.sdk.trace'] = None; "
        "from serving.telemetry.tracing import start_tracing; start_tracing()"
    )
    [last] = run(program).stderr.splitlines()[-1:]
    assert last.startswith("ValueError: tracing needs the extra trace, pip install 'tillside[trace]': ")


def test_spans_go_out_by_otlp_over_http():
    """A collector on loopback gets a protobuf body at /v1/traces when the process ends its tracing."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    program = """
import http.server, os, threading
got = []
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        got.append((self.path, self.headers["content-type"], self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
os.environ["OTEL_SERVICE_NAME"] = "shop-eu"
from serving.telemetry.tracing import span, start_tracing
stop = start_tracing()
with span("recommend", headers={}):
    pass
stop()
server.shutdown()
print([(path, kind, b"recommend" in body, b"shop-eu" in body) for path, kind, body in got])
"""
    assert run(program).stdout == "[('/v1/traces', 'application/x-protobuf', True, True)]\n"
