/** What leads from a slow bucket of a graph to a trace. */

import { SpanKind } from "@opentelemetry/api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { httpRequests, httpSeconds, registry, scrape, took } from "../../src/kit/metrics.ts";
import { inSpan, remote, startTelemetry } from "../../src/kit/telemetry.ts";

const LABELS = { listener: "graphql", method: "POST", route: "/graphql" };

let flush: () => Promise<void>;

beforeAll(() => {
  // Nobody listens there: what is recorded counts, wherever it goes.
  flush = startTelemetry(new URL("http://127.0.0.1:9"));
});

afterAll(() => flush());

/** A request of a trace that took some milliseconds; the bucket's line afterwards. */
async function request(traceparent: string, route: string): Promise<string | undefined> {
  const work = async () => took(httpSeconds, { ...LABELS, route }, performance.now() - 30);
  await inSpan("request", SpanKind.SERVER, {}, work, remote(traceparent));
  return (await scrape())
    .split("\n")
    .find(
      (line) =>
        line.startsWith("http_request_duration_seconds_bucket") &&
        line.includes(`"${route}"`) &&
        line.includes('le="0.05"'),
    );
}

it("tells for each bucket the trace of one who took so long", async () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  expect(await request(`00-${trace}-b7ad6b7169203331-01`, "/a")).toMatch(
    new RegExp(`\\} 1 # \\{trace_id="${trace}"\\} 0\\.03\\d* \\d+\\.?\\d*$`),
  );
});

it("leads to no trace that was not recorded", async () => {
  expect(await request("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "/b")).toMatch(/\} 1$/);
});

it("is told in the format that has examples", async () => {
  httpRequests.inc({ ...LABELS, status: "200" });
  const told = await scrape();
  expect(registry.contentType).toContain("application/openmetrics-text");
  expect(told).toContain("# TYPE http_requests counter\n");
  expect(told).toContain(
    'http_requests_total{listener="graphql",method="POST",route="/graphql",status="200"} 1\n',
  );
  expect(told.endsWith("# EOF\n")).toBe(true);
});
