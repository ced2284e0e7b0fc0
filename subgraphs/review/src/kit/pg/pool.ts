/** Connections with the time-outs that keep one stuck request from stopping the others. */

import pg from "pg";
import { delay, pause } from "../backoff.ts";
import type { Secret } from "../env.ts";
import type { Host } from "../host.ts";
import { logOf, reasonOf } from "../log.ts";

/** A store that starts at the same time as its service gets this long to come up. */
const PATIENCE_MS = 15_000;
const WATCH_EVERY_MS = 2_000;
const OPTIONS = [
  "statement_timeout=10s",
  "lock_timeout=2s",
  "idle_in_transaction_session_timeout=15s",
  "client_min_messages=warning",
];
const MAX = { requests: 16, workers: 8 } as const;

export type Purpose = keyof typeof MAX;
export type Pool = pg.Pool;
/** Anything one can ask: a pool, or a connection within a transaction. */
export type Executor = Pick<pg.ClientBase, "query">;

const log = logOf("pg");

// Counts are far from 2^53; a bigint would come as text.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens a pool. Waits a while for a server that is still starting; a wrong password or database fails at once. */
export async function connect(url: Secret, purpose: Purpose, host: Host): Promise<Pool> {
  const pool = new pg.Pool({
    connectionString: url.expose(),
    application_name: `${host.service}-${purpose}`,
    max: MAX[purpose],
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 300_000,
    maxLifetimeSeconds: 1_800,
    options: OPTIONS.map((option) => `-c ${option}`).join(" "),
  });
  const lost = (error: Error) => log.warn({ error: reasonOf(error), purpose }, "lost a connection");
  // A connection that is lost while idle: the next query opens another.
  pool.on("error", lost);
  // One that is lost between two statements of a transaction: nobody else hears of it, and node would end.
  pool.on("connect", (client) => client.on("error", lost));
  host.atEnd(() => pool.end());
  const deadline = Date.now() + PATIENCE_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await pool.query("SELECT 1");
      return pool;
    } catch (error) {
      if (!isRetryable(error) || Date.now() >= deadline) throw error;
      log.warn({ error: reasonOf(error) }, "waiting for PostgreSQL");
      await pause(delay({ base: 100, cap: 1_000 }, attempt), host.shutdown);
    }
  }
}

/** Tells readiness whether the database answers. */
export function watch(pool: Pool, host: Host): void {
  const component = host.readiness.component("postgres");
  component.up();
  host.spawn("database watch", async () => {
    while (await pause(WATCH_EVERY_MS, host.shutdown)) {
      await pool.query("SELECT 1").then(
        () => component.up(),
        (error: unknown) => component.down(reasonOf(error)),
      );
    }
  });
}

/** Runs `work` in one transaction; whatever it throws undoes it. */
export async function transaction<T>(pool: Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  let broken = false;
  try {
    await tx.query("BEGIN");
    const result = await work(tx);
    await tx.query("COMMIT");
    return result;
  } catch (error) {
    await tx.query("ROLLBACK").catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    tx.release(broken);
  }
}

/** SQLSTATE of an error of the database. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The constraint that a statement broke. */
export function constraintOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

/** Whether the same may well succeed in a moment: connection, shutdown, deadlock, serialisation. */
export function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  if (code === undefined) return error instanceof Error;
  return /^(08|40|53|57P)/.test(code);
}
