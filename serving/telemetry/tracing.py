"""OpenTelemetry spans, if asked for: ``with span("encode"): ...`` costs next to nothing until :func:`start_tracing`.

Nothing of OpenTelemetry is imported before. Exporting goes by OTLP over HTTP, in a thread with a bounded queue: a
collector that is slow or gone loses spans, never an answer. The ``OTEL_*`` variables say where to, how often and under
which service name, as its specification has them.
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
    """What can be said about the work under way."""

    def set(self, name: str, value: str | int | float | bool) -> None:
        """Give the span an attribute; never an item id or a shopper's."""

    def stage(self, name: str, *, start_ns: int, end_ns: int) -> None:
        """A child that has ended already, in ``time.time_ns``: for work done together with other requests'."""

    def fail(self, reason: str) -> None:
        """Mark the span as failed."""


class _NoSpan:
    """Says nothing, and is its own context manager."""

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
    """A span of OpenTelemetry's."""

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
    """A span around a block; inside another one it is its child.

    Args:
        headers: of the request that the block answers, lower-case; a W3C ``traceparent`` in them is continued. Given
            for the outermost span of a request alone.
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
        except Exception as error:  # its type alone: the message may hold item ids
            real.fail(type(error).__name__)
            raise


def tracing_wanted(environment: Mapping[str, str], *, flag: bool) -> bool:
    """Whether spans are to be exported: by the flag, or by ``OTEL_*`` variables that name an exporter or an endpoint.

    ``OTEL_SDK_DISABLED=true`` and ``OTEL_TRACES_EXPORTER=none`` win over everything.

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
    """Make :func:`span` record, and return what ends it: called at shutdown, it waits two seconds at most.

    Args:
        processor: takes the spans; by default they are exported in batches to ``OTEL_EXPORTER_OTLP_ENDPOINT``.

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
    """While it is open, spans are recorded and exported, if they are wanted; see :func:`tracing_wanted`.

    Raises:
        ValueError: they are wanted and cannot be had.
    """
    stop = start_tracing() if tracing_wanted(environment, flag=flag) else None
    try:
        yield
    finally:
        if stop is not None:
            stop()
