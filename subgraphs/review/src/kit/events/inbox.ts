/** The inbox table: events stored before they are acknowledged, and applied in one transaction with their effect. */

import type { Executor } from "../pg/pool.ts";
import type { Message } from "./message.ts";

/** A stored event as the worker claims it. */
export interface InboxRow {
  readonly message_id: string;
  readonly attempts: number;
  readonly age_s: number;
  readonly aggregate_id: string;
  readonly payload: unknown;
}

/** Stores a batch; answers how many were new. */
export async function store(
  executor: Executor,
  consumer: string,
  messages: readonly Message[],
): Promise<number> {
  const done = await executor.query(
    `INSERT INTO inbox (consumer, message_id, type, aggregate_id, payload)
     SELECT $1, id, type, aggregate_id, payload::json
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS event (id, type, aggregate_id, payload)
     ON CONFLICT DO NOTHING`,
    [
      consumer,
      messages.map((message) => message.id),
      messages.map((message) => message.type),
      messages.map((message) => message.subject),
      messages.map((message) => JSON.stringify(message.body)),
    ],
  );
  return done.rowCount ?? 0;
}

/** Locks due rows of a consumer for the transaction. */
export async function claim(tx: Executor, consumer: string, limit: number): Promise<InboxRow[]> {
  const found = await tx.query<InboxRow>(
    `SELECT message_id, attempts, extract(epoch FROM statement_timestamp() - received_at)::float8 AS age_s,
       aggregate_id, payload
     FROM inbox
     WHERE consumer = $1 AND status = 'PENDING' AND next_try_at <= statement_timestamp()
     ORDER BY next_try_at LIMIT $2
     FOR UPDATE SKIP LOCKED`,
    [consumer, limit],
  );
  return found.rows;
}

/** Locks one row of a consumer, unless another worker holds it or has finished it. */
export async function claimOne(tx: Executor, consumer: string, id: string): Promise<boolean> {
  const found = await tx.query(
    `SELECT 1 FROM inbox WHERE consumer = $1 AND message_id = $2 AND status = 'PENDING' FOR UPDATE SKIP LOCKED`,
    [consumer, id],
  );
  return found.rowCount === 1;
}

/** Marks rows as applied, in the transaction of their effect. */
export async function markDone(tx: Executor, consumer: string, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE inbox SET status = 'DONE', attempts = attempts + 1, done_at = clock_timestamp(), last_error = NULL
     WHERE consumer = $1 AND message_id = ANY($2::uuid[])`,
    [consumer, ids],
  );
}

/** Counts a failure and plans the next try, or none (no delay: dead). */
export async function markFailed(
  executor: Executor,
  consumer: string,
  id: string,
  delayMs: number | undefined,
  error: string,
): Promise<void> {
  await executor.query(
    `UPDATE inbox SET attempts = attempts + 1, last_error = $4,
       status = CASE WHEN $3::float8 IS NULL THEN 'DEAD' ELSE 'PENDING' END,
       next_try_at = clock_timestamp() + make_interval(secs => coalesce($3, 0))
     WHERE consumer = $1 AND message_id = $2 AND status = 'PENDING'`,
    [consumer, id, delayMs === undefined ? null : delayMs / 1_000, error.replaceAll("\0", "\ufffd")],
  );
}

/** Pending rows, dead rows, and the age in seconds of the oldest pending one. */
export async function backlog(executor: Executor, consumer: string) {
  const found = await executor.query<{ pending: number; dead: number; age_s: number }>(
    `SELECT (SELECT count(*) FROM inbox WHERE consumer = $1 AND status = 'PENDING') AS pending,
       (SELECT count(*) FROM inbox WHERE consumer = $1 AND status = 'DEAD') AS dead,
       (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(received_at)), 0)::float8
        FROM inbox WHERE consumer = $1 AND status = 'PENDING') AS age_s`,
    [consumer],
  );
  return found.rows[0] ?? { pending: 0, dead: 0, age_s: 0 };
}

/** Deletes applied rows received more than `days` ago, at most `limit`; tells how many went. */
export async function prune(
  executor: Executor,
  consumer: string,
  days: number,
  limit: number,
): Promise<number> {
  const gone = await executor.query(
    `DELETE FROM inbox WHERE consumer = $1 AND message_id IN (
       SELECT message_id FROM inbox
       WHERE consumer = $1 AND status = 'DONE' AND received_at < now() - make_interval(days => $2)
       LIMIT $3 FOR UPDATE SKIP LOCKED)`,
    [consumer, days, limit],
  );
  return gone.rowCount ?? 0;
}
