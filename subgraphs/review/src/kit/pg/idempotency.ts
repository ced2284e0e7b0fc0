/** Outcomes stored by idempotency key, in the transaction that makes them; the table of crates/pg-kit. */

import { createHash } from "node:crypto";
import { type Executor, sqlState } from "./pool.ts";

const MAX_KEY_CHARS = 200;

/** Whose key it is and for what. */
export interface Scope {
  readonly principal: string;
  readonly operation: string;
  readonly key: string;
}

/** What is known about a key. */
export type Claim =
  | { readonly kind: "fresh" }
  | { readonly kind: "replay"; readonly outcome: unknown }
  | { readonly kind: "reused" }
  /** Another transaction holds it: this one can only be rolled back. */
  | { readonly kind: "inProgress" };

/** Whether the table takes it. */
export function isKey(key: string): boolean {
  const length = [...key].length;
  return length >= 1 && length <= MAX_KEY_CHARS && !key.includes("\0");
}

/** SHA-256 of an input whose members are written in a fixed order. */
export function requestHash(input: unknown): Buffer {
  return createHash("sha256").update(JSON.stringify(input)).digest();
}

/** Takes the key for this transaction. A concurrent twin waits here until the first one ends, then replays it. */
export async function claim(tx: Executor, scope: Scope, hash: Buffer): Promise<Claim> {
  const key = [scope.principal, scope.operation, scope.key];
  try {
    const inserted = await tx.query(
      `INSERT INTO idempotency_key (principal, operation, key, request_hash) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [...key, hash],
    );
    if (inserted.rowCount === 1) return { kind: "fresh" };
  } catch (error) {
    if (sqlState(error) === "55P03") return { kind: "inProgress" };
    throw error;
  }
  const found = await tx.query<{ request_hash: Buffer; response: unknown }>(
    "SELECT request_hash, response FROM idempotency_key WHERE principal = $1 AND operation = $2 AND key = $3",
    key,
  );
  const [row] = found.rows;
  // Gone between the two statements means purged just now: the caller retries and starts afresh.
  if (row === undefined || (row.response === null && row.request_hash.equals(hash)))
    return { kind: "inProgress" };
  return row.request_hash.equals(hash) ? { kind: "replay", outcome: row.response } : { kind: "reused" };
}

/** Stores the outcome, in the transaction that claimed the key. */
export async function complete(tx: Executor, scope: Scope, outcome: unknown): Promise<void> {
  await tx.query(
    "UPDATE idempotency_key SET response = $4 WHERE principal = $1 AND operation = $2 AND key = $3",
    [scope.principal, scope.operation, scope.key, JSON.stringify(outcome)],
  );
}

/** Forgets keys older than `days`, at most `limit`; tells how many went. */
export async function purge(executor: Executor, days: number, limit: number): Promise<number> {
  const gone = await executor.query(
    `DELETE FROM idempotency_key WHERE (principal, operation, key) IN (
       SELECT principal, operation, key FROM idempotency_key
       WHERE created_at < now() - make_interval(days => $1) LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [days, limit],
  );
  return gone.rowCount ?? 0;
}
