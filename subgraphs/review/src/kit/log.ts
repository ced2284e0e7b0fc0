/** Logs as JSON lines on stdout, with the fields of the house: time, level, service, target, ids, message. */

import { hrtime } from "node:process";
import { isSpanContextValid, trace } from "@opentelemetry/api";
import { destination, pino } from "pino";
import { correlationId } from "./scope.ts";

const LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
type Level = (typeof LEVELS)[number];
type Fields = Readonly<Record<string, unknown>>;

/** Of a list such as `info,sqlx=warn` only the part without a target means anything here. */
export function levelOf(filter: string): Level | "silent" {
  const word = filter
    .split(",")
    .map((part) => part.trim().toLowerCase())
    .find((part) => !part.includes("="));
  if (word === "off") return "silent";
  return LEVELS.find((level) => level === word) ?? "info";
}

const started = { at: BigInt(Date.now()) * 1_000n, ticks: hrtime.bigint() };

const lines = pino(
  {
    level: levelOf(process.env.LOG ?? "info"),
    base: { service: "review" },
    messageKey: "message",
    timestamp: () => `,"time":"${now()}"`,
    formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    mixin: () => {
      const id = correlationId();
      const span = trace.getActiveSpan()?.spanContext();
      return {
        ...(id === undefined ? {} : { correlation_id: id }),
        ...(span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId } : {}),
      };
    },
  },
  destination({ dest: 1, sync: true }),
);

/** Microseconds, as the other services write them. */
function now(): string {
  const micros = started.at + (hrtime.bigint() - started.ticks) / 1_000n;
  const seconds = new Date(Number(micros / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, "0")}Z`;
}

/** What went wrong, in one line, with its causes. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An AggregateError of a refused connection has no message of its own.
  const own = error.message || (error as NodeJS.ErrnoException).code || error.name;
  return error.cause === undefined ? own : `${own}: ${reasonOf(error.cause)}`;
}

/** A log whose lines come from `target`. */
export function logOf(target: string) {
  const at = (level: Level) => (fields: Fields, message: string) =>
    lines[level]({ target, ...fields }, message);
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
