/**
 * Prometheus metrics: one registry per process, with the names and labels that every service has. Labels are written as
 * they are given: in the order of their names, as the other services have them.
 */

import { readdirSync, readFileSync } from "node:fs";
import { trace } from "@opentelemetry/api";
import {
  Counter,
  Gauge,
  Histogram,
  type LabelValues,
  type OpenMetricsContentType,
  Registry,
} from "prom-client";

/** Seconds: from a cache hit to the longest call allowed. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** OpenMetrics for whoever asks: `prom-client` can't tell one set of counters in both formats. */
export const registry = new Registry<OpenMetricsContentType>();
registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);

function counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

function gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

function seconds<L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
  return new Histogram({
    name,
    help,
    labelNames,
    buckets: BUCKETS,
    enableExemplars: true,
    registers: [registry],
  });
}

/**
 * Notes how long something took that began at `begun`, by `performance.now()`. Where the current span is recorded, its
 * trace becomes the example of its bucket.
 */
export function took<L extends string>(histogram: Histogram<L>, labels: LabelValues<L>, begun: number): void {
  const value = (performance.now() - begun) / 1_000;
  const span = trace.getActiveSpan();
  const example = span?.isRecording() ? { trace_id: span.spanContext().traceId } : {};
  // Its names are its own, whatever the type says.
  histogram.observe({ labels, value, exemplarLabels: example as LabelValues<L> });
}

export const httpRequests = counter("http_requests_total", "Requests answered.", [
  "listener",
  "method",
  "route",
  "status",
]);
export const httpSeconds = seconds("http_request_duration_seconds", "Time to answer a request.", [
  "listener",
  "method",
  "route",
]);
export const httpInFlight = gauge("http_requests_in_flight", "Requests being answered.", ["listener"]);
export const operations = counter("graphql_operations_total", "Operations by name, type and outcome.", [
  "operation",
  "type",
  "outcome",
]);
export const operationSeconds = seconds("graphql_operation_seconds", "Time to run an operation.", ["type"]);
export const refusals = counter("refusals_total", "What was refused, by door and code.", ["door", "code"]);
export const storeSeconds = seconds(
  "store_operation_seconds",
  "Operations of stores, as requests wait for them.",
  ["store", "operation", "outcome"],
);
export const rateDecisions = counter(
  "rate_limit_decisions_total",
  "Requests counted against the API limits, by class and outcome (admitted, limited, unchecked).",
  ["class", "outcome"],
);
export const reconnects = counter("mercato_broker_reconnects_total", "Broker connections lost.", ["role"]);
export const consumed = counter(
  "mercato_events_consumed_total",
  "Deliveries taken off a queue, by outcome.",
  ["queue", "outcome"],
);
export const handled = counter("mercato_events_handled_total", "Events applied, by outcome.", [
  "consumer",
  "outcome",
]);
export const inboxPending = gauge("mercato_inbox_pending", "Events that wait to be applied.", ["consumer"]);
export const inboxDead = gauge("mercato_inbox_dead", "Events given up; an operator must look.", ["consumer"]);
export const inboxAge = gauge("mercato_inbox_oldest_age_seconds", "Age of the oldest pending event.", [
  "consumer",
]);

const resident = gauge("process_resident_memory_bytes", "Resident memory.", []);
const descriptors = gauge("process_open_fds", "Open file descriptors.", []);

/** Everything, in the registry's format. Memory and descriptors as `/proc` tells them. */
export async function scrape(): Promise<string> {
  try {
    const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
    resident.set(Number(line?.[1] ?? 0) * 1024);
    descriptors.set(readdirSync("/proc/self/fd").length);
  } catch {
    // Elsewhere than on Linux there is no such folder.
  }
  return registry.metrics();
}
