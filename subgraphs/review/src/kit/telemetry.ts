/** Spans to OTLP when an endpoint is configured, and W3C trace context over HTTP and AMQP. */

import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
} from "@opentelemetry/sdk-trace-node";
import { storeSeconds, took } from "./metrics.ts";

/** The header that carries the trace. */
export const TRACEPARENT = "traceparent";

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Starts tracing; without an endpoint, ids still tie log lines together. Answers what flushes at the end. */
export function startTelemetry(endpoint: URL | undefined): () => Promise<void> {
  const processors =
    endpoint === undefined
      ? []
      : [
          new BatchSpanProcessor(
            new OTLPTraceExporter({
              url: `${endpoint.href.replace(/\/+$/, "")}/v1/traces`,
              timeoutMillis: 3_000,
            }),
            // Spans beyond this many waiting are dropped: telemetry never holds up a request.
            { maxQueueSize: 2_048, scheduledDelayMillis: 1_000 },
          ),
        ];
  const root = endpoint === undefined ? new AlwaysOffSampler() : new AlwaysOnSampler();
  const provider = new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root }),
    resource: resourceFromAttributes({ "service.name": "review" }),
    spanProcessors: processors,
  });
  // Context is carried by hand, in headers that the house knows: no global propagator.
  provider.register({ propagator: null });
  return async () => {
    const limit = new Promise<void>((resolve) => setTimeout(resolve, 2_000).unref());
    await Promise.race([provider.shutdown().catch(() => undefined), limit]);
  };
}

/** The context in which what `traceparent` names is the parent. A malformed value is ignored. */
export function remote(traceparent: string | undefined): Context {
  const [, version, traceId = "", spanId = "", flags = "", more] = FORM.exec(traceparent ?? "") ?? [];
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  const fits = version !== undefined && version !== "ff" && (version !== "00" || more === undefined);
  return fits && isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}

/** The span as a `traceparent` value; nothing if it is not traced. */
export function traceparentOf(span: Span | undefined): string | undefined {
  const of = span?.spanContext();
  if (of === undefined || !isSpanContextValid(of)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, "0")}`;
}

/** Runs `work` in a span of its own; an error marks the span and goes on. */
export async function inSpan<T>(
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  const span = trace.getTracer("mercato").startSpan(name, { kind, attributes }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Asks a store for a request: counted, timed, and a span of the request's trace. Not for what polls. */
export async function ask<T>(store: string, operation: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const attributes = { "db.system.name": store, "db.operation.name": operation };
  return inSpan(`${store} ${operation}`, SpanKind.CLIENT, attributes, async () => {
    let outcome = "failed";
    try {
      const answer = await work();
      outcome = "ok";
      return answer;
    } finally {
      took(storeSeconds, { operation, outcome, store }, begun);
    }
  });
}
