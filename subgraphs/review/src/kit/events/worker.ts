/**
 * The inbox worker: applies stored events, each in one transaction with its effect. Fresh events are applied together,
 * because that saves commits; when one of them fails, each is applied alone, so that a bad one holds up nobody.
 */

import { SpanKind } from "@opentelemetry/api";
import type pg from "pg";
import { type Backoff, delay, pause } from "../backoff.ts";
import type { Host } from "../host.ts";
import { logOf, reasonOf } from "../log.ts";
import { handled, inboxAge, inboxDead, inboxPending } from "../metrics.ts";
import { type Executor, type Pool, transaction } from "../pg/pool.ts";
import { newCorrelationId, withCorrelation } from "../scope.ts";
import { inSpan, remote } from "../telemetry.ts";
import * as inbox from "./inbox.ts";
import { DecodeError, fromBody, type Message } from "./message.ts";

/** Events per transaction: each holds its aggregate's lock until the commit. */
const BATCH = 32;
/** The safety net under the wake-up. */
const POLL_MS = 250;
const SAMPLE_MS = 5_000;
const PAUSE_MS = 500;
const MAX_ATTEMPTS = 25;
const RETRY: Backoff = { base: 200, cap: 30_000 };
const PRUNE_EVERY_MS = 300_000;
/** As long as a repeat of an event could still arrive. */
const KEEP_DAYS = 30;
const PRUNE_BATCH = 1_000;

const log = logOf("event_bus");

/** It will never work: kept as dead, with an alarm, for an operator to replay. Any other error is tried again. */
export class DeadEvent extends Error {}

/** Applies one event. Everything it does must be in the given transaction. One of no interest is no error. */
export type Handle = (tx: Executor, message: Message) => Promise<void>;

/** Applies the events of one consumer. */
export class InboxWorker {
  readonly #pool: Pool;
  readonly #consumer: string;
  readonly #handle: Handle;
  #wake: () => void = () => undefined;
  #woken = false;

  /** A worker that a test steps. `consumer` is the queue's name. */
  constructor(pool: Pool, consumer: string, handle: Handle) {
    this.#pool = pool;
    this.#consumer = consumer;
    this.#handle = handle;
  }

  /** Looks for due events now. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Works, and prunes what was applied long ago, until shutdown. */
  start(host: Host): void {
    const stop = host.shutdown;
    stop.addEventListener("abort", () => this.wake());
    host.spawn("inbox worker", () => this.#run(stop));
    host.spawn("event pruner", async () => {
      while (await pause(PRUNE_EVERY_MS, stop)) {
        await this.prune().catch((error: unknown) =>
          log.warn({ error: reasonOf(error) }, "could not prune events"),
        );
      }
    });
  }

  /** One pass over what is due; answers how many events were tried, whatever came of it. */
  async step(): Promise<number> {
    const rows = await transaction(this.#pool, async (tx) => {
      const due = await inbox.claim(tx, this.#consumer, BATCH);
      const fresh = due.filter((row) => row.attempts === 0);
      // Everybody takes the locks of aggregates in one order, or two batches wait for each other.
      fresh.sort((one, other) => (one.aggregate_id < other.aggregate_id ? -1 : 1));
      const applied = await this.#applyAll(tx, fresh);
      return { due, again: applied ? due.filter((row) => row.attempts > 0) : due };
    });
    const alone = new Set(rows.again);
    const together = rows.due.filter((row) => !alone.has(row)).length;
    if (together > 0) handled.inc({ consumer: this.#consumer, outcome: "done" }, together);
    for (const row of rows.again) await this.#applyAlone(row);
    return rows.due.length;
  }

  /** Deletes what was applied long ago, in small batches. */
  async prune(): Promise<void> {
    while ((await inbox.prune(this.#pool, this.#consumer, KEEP_DAYS, PRUNE_BATCH)) === PRUNE_BATCH);
  }

  async #run(stop: AbortSignal): Promise<void> {
    let sampledAt = -SAMPLE_MS;
    while (!stop.aborted) {
      try {
        if (performance.now() - sampledAt >= SAMPLE_MS) {
          sampledAt = performance.now();
          await this.#sample();
        }
        if ((await this.step()) === 0) await this.#rest();
      } catch (error) {
        log.warn({ consumer: this.#consumer, error: reasonOf(error) }, "the worker can't use the inbox");
        await pause(PAUSE_MS, stop);
      }
    }
  }

  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#woken) this.#wake();
    });
    this.#woken = false;
  }

  /** Applies rows in the one transaction; false, and nothing done, as soon as one fails. */
  async #applyAll(tx: pg.PoolClient, rows: readonly inbox.InboxRow[]): Promise<boolean> {
    if (rows.length === 0) return true;
    await tx.query("SAVEPOINT batch");
    try {
      for (const row of rows) await this.#apply(tx, row);
      await inbox.markDone(
        tx,
        this.#consumer,
        rows.map((row) => row.message_id),
      );
      return true;
    } catch {
      await tx.query("ROLLBACK TO SAVEPOINT batch");
      return false;
    }
  }

  async #applyAlone(row: inbox.InboxRow): Promise<void> {
    try {
      const done = await transaction(this.#pool, async (tx) => {
        if (!(await inbox.claimOne(tx, this.#consumer, row.message_id))) return false;
        await this.#apply(tx, row);
        await inbox.markDone(tx, this.#consumer, [row.message_id]);
        return true;
      });
      if (done) handled.inc({ consumer: this.#consumer, outcome: "done" });
    } catch (error) {
      await this.#postpone(row, error);
    }
  }

  /** Applies one event under its cause's trace and correlation id. */
  async #apply(tx: Executor, row: inbox.InboxRow): Promise<void> {
    const message = fromBody(row.payload);
    const attributes = { consumer: this.#consumer, event: message.id, subject: message.subject };
    const work = () =>
      inSpan(
        `process ${message.type}`,
        SpanKind.CONSUMER,
        attributes,
        () => this.#handle(tx, message),
        remote(message.traceparent),
      );
    await withCorrelation(message.correlationId ?? newCorrelationId(), work);
  }

  async #postpone(row: inbox.InboxRow, error: unknown): Promise<void> {
    const hopeless = error instanceof DeadEvent || error instanceof DecodeError;
    const wait = hopeless || row.attempts + 1 >= MAX_ATTEMPTS ? undefined : delay(RETRY, row.attempts);
    const why = reasonOf(error);
    await inbox.markFailed(this.#pool, this.#consumer, row.message_id, wait, why);
    const outcome = wait === undefined ? "dead" : "postponed";
    handled.inc({ consumer: this.#consumer, outcome });
    const fields = { consumer: this.#consumer, event: row.message_id, attempts: row.attempts, error: why };
    if (wait === undefined) log.error(fields, "gave up an event");
    else log.warn(fields, "postponed an event");
  }

  async #sample(): Promise<void> {
    const { pending, dead, age_s } = await inbox.backlog(this.#pool, this.#consumer);
    inboxPending.set({ consumer: this.#consumer }, pending);
    inboxDead.set({ consumer: this.#consumer }, dead);
    inboxAge.set({ consumer: this.#consumer }, Math.floor(age_s));
  }
}
