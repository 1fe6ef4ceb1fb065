"""Spans as OpenTelemetry knows them; needs the extra `otel`, and touches none of its globals."""

from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import propagate
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

Attribute = str | int | float | bool


class OtelSpan:
    """A span that is recorded."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def trace_id(self) -> str | None:
        """What the trace is found by, 32 hex digits; None where nothing is recorded."""
        context = self._span.get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None

    def rename(self, name: str) -> None:
        """Give the span the name that its end calls for."""
        self._span.update_name(name)

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Set attributes."""
        self._span.set_attributes(attributes)

    def fail(self, why: str) -> None:
        """Mark the span as failed."""
        self._span.set_attribute("error.type", why)
        self._span.set_status(trace.Status(trace.StatusCode.ERROR))


class OtelTracer:
    """Begins spans with one provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("bitfloor", version("bitfloor"))

    @contextmanager
    def span(self, name: str, *, headers: Mapping[str, str] | None = None) -> Iterator[OtelSpan]:
        """Begin a span within the current one, or within the caller's that the headers name."""
        with self._tracer.start_as_current_span(
            name,
            context=None if headers is None else propagate.extract(headers),
            kind=trace.SpanKind.INTERNAL if headers is None else trace.SpanKind.SERVER,
            # an error's message may hold what was sent to us
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            told = OtelSpan(span)
            try:
                yield told
            except Exception as error:
                told.fail(type(error).__qualname__)
                raise


def exporting(service: str) -> OtelTracer:
    """Return a tracer whose spans go where the OTEL_* variables say, over OTLP and HTTP."""
    # what the environment says of the resource goes before
    said = {"service.name": service, "service.version": version("bitfloor")}
    resource = Resource.create(said | dict(OTELResourceDetector().detect().attributes))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTracer(provider)
