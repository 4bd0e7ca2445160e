"""Optional OpenTelemetry spans: ``with span("encode"): ...`` costs next to nothing until :func:`start_tracing`.

OpenTelemetry is not imported before that. Spans are exported by OTLP over HTTP, from a thread with a bounded queue: a
slow or unreachable collector loses spans, never an answer. Endpoint, export interval and service name come from the
standard ``OTEL_*`` variables.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

from tillside import __version__

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

SERVICE: Final = "tillside"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_SECONDS: Final = 2.0


class Span(Protocol):
    """The operations of a span used by the server."""

    def set(self, name: str, value: str | int | float | bool) -> None:
        """Set an attribute; never the id of an item or a shopper."""

    def stage(self, name: str, *, start_ns: int, end_ns: int) -> None:
        """Add a finished child span, with times as of ``time.time_ns``: for work shared by a batch of requests."""

    def fail(self, reason: str) -> None:
        """Mark the span as failed."""


class _NoSpan:
    """No-op span and its own context manager."""

    __slots__ = ()

    def __enter__(self) -> "_NoSpan":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def set(self, name: str, value: str | int | float | bool) -> None:
        pass

    def stage(self, name: str, *, start_ns: int, end_ns: int) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass


_NO_SPAN: Final = _NoSpan()


class _RealSpan:
    """An OpenTelemetry span."""

    def __init__(self, tracer: "Tracer", inner: "trace.Span") -> None:
        self._tracer = tracer
        self._inner = inner

    def set(self, name: str, value: str | int | float | bool) -> None:
        self._inner.set_attribute(name, value)

    def stage(self, name: str, *, start_ns: int, end_ns: int) -> None:
        if not self._inner.is_recording():
            return
        from opentelemetry import trace

        context = trace.set_span_in_context(self._inner)
        self._tracer.start_span(name, context=context, start_time=start_ns).end(end_ns)

    def fail(self, reason: str) -> None:
        from opentelemetry import trace

        self._inner.set_status(trace.StatusCode.ERROR, reason)


_tracer: "Tracer | None" = None


def span(name: str, *, headers: Mapping[str, str] | None = None) -> AbstractContextManager[Span]:
    """Context manager of a span; nested spans become children.

    Args:
        headers: headers of the request being answered, lower-case; a W3C ``traceparent`` in them becomes the parent.
            Only for the outermost span of a request.
    """
    return _NO_SPAN if _tracer is None else _real_span(_tracer, name, headers)


@contextlib.contextmanager
def _real_span(tracer: "Tracer", name: str, headers: Mapping[str, str] | None) -> Iterator[Span]:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if headers is None else TraceContextTextMapPropagator().extract(headers)
    kind = trace.SpanKind.INTERNAL if headers is None else trace.SpanKind.SERVER
    with tracer.start_as_current_span(
        name, context=context, kind=kind, record_exception=False, set_status_on_exception=False
    ) as inner:
        real = _RealSpan(tracer, inner)
        try:
            yield real
        except Exception as error:  # only its type: the message may hold item ids
            real.fail(type(error).__name__)
            raise


def tracing_wanted(environment: Mapping[str, str], *, flag: bool) -> bool:
    """Whether to export spans: by the flag, or by ``OTEL_*`` variables that name an exporter or an endpoint.

    ``OTEL_SDK_DISABLED=true`` and ``OTEL_TRACES_EXPORTER=none`` override everything else.

    Raises:
        ValueError: an exporter other than ``otlp`` is named.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    if exporter not in ("", "otlp"):
        raise ValueError(f"OTEL_TRACES_EXPORTER must be otlp or none, got {exporter[:60]!r}")
    return flag or bool(exporter) or any(environment.get(name) for name in ENDPOINTS)


def start_tracing(*, processor: "SpanProcessor | None" = None) -> Callable[[], None]:
    """Make :func:`span` record, and return the stop function, which flushes for at most FLUSH_SECONDS.

    Args:
        processor: span processor; by default spans are exported in batches to ``OTEL_EXPORTER_OTLP_ENDPOINT``.

    Raises:
        ValueError: the extra ``trace`` is not installed.
    """
    global _tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ValueError(f"tracing needs the extra trace, pip install 'tillside[trace]': {error}") from None
    named = Resource({SERVICE_NAME: SERVICE, "service.version": __version__})
    provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()) if processor is None else processor)
    _tracer = provider.get_tracer(SERVICE, __version__)

    def stop() -> None:
        global _tracer
        _tracer = None
        thread = threading.Thread(target=provider.shutdown, name="tracing-stop", daemon=True)
        thread.start()
        thread.join(FLUSH_SECONDS)

    return stop


@contextlib.contextmanager
def tracing(environment: Mapping[str, str], *, flag: bool) -> Iterator[None]:
    """Record and export spans while the block runs, if :func:`tracing_wanted`.

    Raises:
        ValueError: tracing is wanted but not installed, or the exporter is not supported.
    """
    stop = start_tracing() if tracing_wanted(environment, flag=flag) else None
    try:
        yield
    finally:
        if stop is not None:
            stop()
