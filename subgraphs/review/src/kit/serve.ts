/** Listening, answering, and draining without dropping a request. */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Address } from "./env.ts";
import { logOf, reasonOf } from "./log.ts";
import { httpInFlight, httpRequests, httpSeconds, took } from "./metrics.ts";
import { accepted, HEADER, withCorrelation } from "./scope.ts";
import { inSpan, remote, TRACEPARENT } from "./telemetry.ts";

/** A client that can't even send its headers in this time is gone or hostile. */
const HEADER_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the router keeps an idle connection, so that it never writes into one being closed. */
const KEEP_ALIVE_MS = 75_000;
/** After this, connections that still answer are cut. */
const DRAIN_MS = 10_000;

const log = logOf("http");

/** What came. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** All values of a header, however often it was sent. */
  all(name: string): readonly string[];
  /** The body; refused with 413 beyond the route's limit. */
  body(): Promise<Buffer>;
}

/** What goes back. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer in place of a result. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly maxBody?: number;
  readonly handle: (request: Request) => Promise<Answer> | Answer;
}

/** An address and what answers there. */
export interface Listener {
  /** What it is for: `graphql`, `internal`, `ops`. */
  readonly name: string;
  readonly address: Address;
  readonly routes: readonly Route[];
  /** Asked before any route; throws a {@link Refusal}. */
  readonly guard?: (request: Request) => void;
}

/** A listener that answers. */
export interface Bound {
  readonly port: number;
  /** Lets the connections finish, then returns. */
  close(): Promise<void>;
}

export function json(status: number, body: unknown, type = "application/json"): Answer {
  return { status, headers: { "content-type": type }, body: JSON.stringify(body) };
}

/** Binds before anything is served, so that a taken port is an error of the start. */
export async function listen(listener: Listener): Promise<Bound> {
  let draining = false;
  const server = createServer((incoming, outgoing) => {
    if (draining) outgoing.setHeader("connection", "close");
    answer(listener, incoming, outgoing).catch((error: unknown) => {
      log.error({ error: reasonOf(error) }, "a request could not be answered");
      outgoing.destroy();
    });
  });
  server.headersTimeout = HEADER_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await bind(server, listener);
  const at = server.address();
  return {
    port: typeof at === "object" && at !== null ? at.port : listener.address.port,
    close: () => {
      draining = true;
      return drain(server, listener.name);
    },
  };
}

function bind(server: Server, { name, address }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(`listener ${name} can't bind ${address.host}:${address.port}`, { cause: error }));
    });
    server.listen(address.port, address.host, resolve);
  });
}

function drain(server: Server, name: string): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      log.warn({ listener: name }, "connections cut after the drain time");
      server.closeAllConnections();
    }, DRAIN_MS);
    // Connections that are idle now, or when their answer is out, are closed.
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

async function answer(
  listener: Listener,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const begun = performance.now();
  const method = incoming.method ?? "";
  const path = (incoming.url ?? "/").split("?", 1)[0] ?? "/";
  const route = listener.routes.find((candidate) => candidate.path === path);
  const id = accepted(one(incoming.headers[HEADER]));
  // The template, never the path: ids in labels would grow without bound.
  const labels = { listener: listener.name, method: methodLabel(method), route: route?.path ?? "unmatched" };
  httpInFlight.inc({ listener: listener.name });
  const name = route === undefined ? method : `${method} ${route.path}`;
  const attributes = { "http.request.method": method, "url.path": path };
  const parent = remote(one(incoming.headers[TRACEPARENT]));
  const work = () =>
    inSpan(
      name,
      SpanKind.SERVER,
      attributes,
      async (span) => {
        const result = await run(listener, route, toRequest(incoming, method, path, route?.maxBody ?? 0));
        span.setAttribute("http.response.status_code", result.status);
        if (result.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        const took_ms = performance.now() - begun;
        log.debug({ method, path, status: result.status, took_ms }, "answered");
        took(httpSeconds, labels, begun);
        return result;
      },
      parent,
    );
  const result = await withCorrelation(id, work);
  httpInFlight.dec({ listener: listener.name });
  httpRequests.inc({ ...labels, status: String(result.status) });
  // What of the body was not read would be taken for the next request.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  outgoing.writeHead(result.status, { ...result.headers, [HEADER]: id });
  outgoing.end(result.body);
}

async function run(listener: Listener, route: Route | undefined, request: Request): Promise<Answer> {
  try {
    listener.guard?.(request);
    if (route === undefined) return { status: 404 };
    if (route.method !== request.method) return { status: 405, headers: { allow: route.method } };
    return await route.handle(request);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    log.error({ error: reasonOf(error) }, "a request failed");
    return { status: 500 };
  }
}

function toRequest(incoming: IncomingMessage, method: string, path: string, limit: number): Request {
  return {
    method,
    path,
    headers: incoming.headers,
    all: (name) => incoming.headersDistinct[name] ?? [],
    body: () => read(incoming, limit),
  };
}

function read(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      // The rest is read all the same: who is still writing would not see the answer.
      if (length > limit) reject(new Refusal({ status: 413, body: "length limit exceeded" }));
      else chunks.push(chunk);
    });
    incoming.once("end", () => resolve(Buffer.concat(chunks)));
    incoming.once("error", reject);
  });
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function methodLabel(method: string): string {
  return ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"].includes(method) ? method : "OTHER";
}
