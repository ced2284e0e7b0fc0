/** The built program as a process: how it refuses to start, tells that it is ready, and ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually, GATEWAY_KEY, type Json, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

function run(environment: Record<string, string>): { child: ChildProcess; lines: Json[] } {
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const lines: Json[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  return { child, lines };
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  server.close();
  return `127.0.0.1:${typeof at === "object" ? at?.port : 0}`;
}

it("refuses to start without its variables, and names all", async () => {
  const { child, lines } = run({});
  expect(await once(child, "exit")).toEqual([78, null]);
  const faults = lines[0].faults.join("\n");
  for (const name of ["GRAPHQL_ADDR", "INTERNAL_ADDR", "OPS_ADDR", "GATEWAY_KEY", "DATABASE_URL"]) {
    expect(faults).toContain(name);
  }
});

it("is ready, answers, tells its metrics, and ends in good order", async () => {
  const [graphql, internal, ops] = await Promise.all([freeAddress(), freeAddress(), freeAddress()]);
  const addresses = { GRAPHQL_ADDR: graphql, INTERNAL_ADDR: internal, OPS_ADDR: ops };
  const { child, lines } = run({ ...stage.environment, ...addresses, LOG: "debug" });
  const exit = once(child, "exit");
  const get = async (path: string) => fetch(`http://${ops}${path}`).catch(() => undefined);
  await eventually("readiness", async () => (await get("/readyz"))?.status === 200);
  expect((await get("/healthz"))?.status).toBe(200);

  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const answer = await fetch(`http://${graphql}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-gateway-key": GATEWAY_KEY,
      "x-correlation-id": "one-1",
      traceparent,
    },
    body: JSON.stringify({ query: 'query Named { review(id: "rev_01h455vb4pex5vsknk084sn02q") { id } }' }),
  });
  expect(await answer.json()).toEqual({ data: { review: null } });
  const metrics = (await (await get("/metrics"))?.text()) ?? "";
  for (const sample of [
    'http_requests_total{listener="graphql",method="POST",route="/graphql",status="200"} 1',
    'graphql_operations_total{operation="Named",outcome="ok",type="query"} 1',
    'mercato_inbox_pending{consumer="review.order-events"} 0',
    "process_resident_memory_bytes ",
  ]) {
    expect(metrics).toContain(sample);
  }

  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  for (const line of lines) {
    expect(line).toMatchObject({
      service: "review",
      target: expect.any(String),
      message: expect.any(String),
    });
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(["ERROR", "WARN", "INFO", "DEBUG"]).toContain(line.level);
  }
  const answered = lines.find((line) => line.message === "answered" && line.path === "/graphql");
  expect(answered).toMatchObject({ correlation_id: "one-1", trace_id: "0af7651916cd43dd8448eb211c80319c" });
  expect(lines.map((line) => line.message)).toEqual(
    expect.arrayContaining(["serving", "draining", "stopped"]),
  );
});
