/** SQL of reviews and ratings. */

import type { Opinion } from "../domain/review.ts";
import type { Executor } from "../kit/pg/pool.ts";

/** A review as it is stored; ids are bare UUIDs. */
export interface ReviewRow extends Opinion {
  readonly id: string;
  readonly product_id: string;
  readonly user_id: string;
  readonly created_at: Date;
  readonly edited_at: Date | null;
  readonly hidden_at: Date | null;
  readonly hidden_why: string | null;
  readonly erased_at: Date | null;
}

const COLUMNS = `id, product_id, user_id, rating, title, body, created_at, edited_at, hidden_at, hidden_why,
  erased_at`;

/** In which order a product's reviews are listed. */
export type Sort = "NEWEST" | "HIGHEST" | "LOWEST";

/** Where a page of a product's reviews goes on: the rating counts in the orders by rating. */
export interface ReviewKey {
  readonly id: string;
  readonly rating: number;
}

/** What a page asks for. */
export interface PageOf<K> {
  readonly limit: number;
  readonly after: K | undefined;
}

/** Adds a review; nothing if the user has one of this product. */
export async function insert(
  tx: Executor,
  review: Opinion & { readonly id: string; readonly productId: string; readonly userId: string },
): Promise<ReviewRow | undefined> {
  const added = await tx.query<ReviewRow>(
    `INSERT INTO review (id, product_id, user_id, rating, title, body) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT ON CONSTRAINT one_review_each DO NOTHING RETURNING ${COLUMNS}`,
    [review.id, review.productId, review.userId, review.rating, review.title, review.body],
  );
  return added.rows[0];
}

/** A review, locked for the transaction. */
export async function lock(tx: Executor, id: string): Promise<ReviewRow | undefined> {
  const found = await tx.query<ReviewRow>(`SELECT ${COLUMNS} FROM review WHERE id = $1 FOR UPDATE`, [id]);
  return found.rows[0];
}

export async function edit(tx: Executor, id: string, opinion: Opinion): Promise<ReviewRow | undefined> {
  const changed = await tx.query<ReviewRow>(
    `UPDATE review SET rating = $2, title = $3, body = $4, edited_at = statement_timestamp()
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id, opinion.rating, opinion.title, opinion.body],
  );
  return changed.rows[0];
}

export async function hide(
  tx: Executor,
  id: string,
  by: string,
  why: string,
): Promise<ReviewRow | undefined> {
  const changed = await tx.query<ReviewRow>(
    `UPDATE review SET hidden_at = statement_timestamp(), hidden_by = $2, hidden_why = $3
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id, by, why],
  );
  return changed.rows[0];
}

export async function show(tx: Executor, id: string): Promise<ReviewRow | undefined> {
  const changed = await tx.query<ReviewRow>(
    `UPDATE review SET hidden_at = NULL, hidden_by = NULL, hidden_why = NULL
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id],
  );
  return changed.rows[0];
}

export async function remove(tx: Executor, id: string): Promise<void> {
  await tx.query("DELETE FROM review WHERE id = $1", [id]);
}

/** Takes the words away and leaves the fact. */
export async function erase(tx: Executor, id: string): Promise<void> {
  await tx.query(`UPDATE review SET title = '', body = '', erased_at = statement_timestamp() WHERE id = $1`, [
    id,
  ]);
}

/** Counts a review that became visible. */
export async function count(tx: Executor, productId: string, rating: number): Promise<void> {
  await tx.query(
    `INSERT INTO product_rating (product_id, reviews, total) VALUES ($1, 1, $2)
     ON CONFLICT (product_id) DO UPDATE
     SET reviews = product_rating.reviews + 1, total = product_rating.total + excluded.total`,
    [productId, rating],
  );
}

/** Changes the count and sum of a product that has reviews. */
export async function recount(
  tx: Executor,
  productId: string,
  reviews: number,
  total: number,
): Promise<void> {
  await tx.query(
    "UPDATE product_rating SET reviews = reviews + $2::bigint, total = total + $3::bigint WHERE product_id = $1",
    [productId, reviews, total],
  );
}

/** Count and sum of products that have any. */
export interface RatingRow {
  readonly product_id: string;
  readonly reviews: number;
  readonly total: number;
}

export async function ratings(executor: Executor, products: readonly string[]): Promise<RatingRow[]> {
  const found = await executor.query<RatingRow>(
    "SELECT product_id, reviews, total FROM product_rating WHERE product_id = ANY($1::uuid[]) AND reviews > 0",
    [products],
  );
  return found.rows;
}

export async function byIds(executor: Executor, ids: readonly string[]): Promise<ReviewRow[]> {
  const found = await executor.query<ReviewRow>(
    `SELECT ${COLUMNS} FROM review WHERE id = ANY($1::uuid[]) AND erased_at IS NULL`,
    [ids],
  );
  return found.rows;
}

/** The user's reviews of these products, erased ones too. */
export async function ofUser(
  executor: Executor,
  userId: string,
  products: readonly string[],
): Promise<ReviewRow[]> {
  const found = await executor.query<ReviewRow>(
    `SELECT ${COLUMNS} FROM review WHERE user_id = $1 AND product_id = ANY($2::uuid[])`,
    [userId, products],
  );
  return found.rows;
}

const NEXT: Readonly<Record<Sort, { readonly order: string; readonly after: string }>> = {
  NEWEST: { order: "id DESC", after: "id < $4::uuid AND $3::int IS NOT NULL" },
  HIGHEST: { order: "rating DESC, id DESC", after: "(rating, id) < ($3::int, $4::uuid)" },
  LOWEST: { order: "rating, id", after: "(rating, id) > ($3::int, $4::uuid)" },
};

/** The visible reviews of each of these products: one page of each in one statement. */
export async function pages(
  executor: Executor,
  products: readonly string[],
  sort: Sort,
  { limit, after }: PageOf<ReviewKey>,
): Promise<ReviewRow[]> {
  const next = NEXT[sort];
  const found = await executor.query<ReviewRow>(
    `SELECT page.* FROM unnest($1::uuid[]) AS wanted CROSS JOIN LATERAL (
       SELECT ${COLUMNS} FROM review
       WHERE product_id = wanted AND hidden_at IS NULL AND ($4::uuid IS NULL OR (${next.after}))
       ORDER BY ${next.order} LIMIT $2) AS page`,
    [products, limit, after?.rating ?? null, after?.id ?? null],
  );
  return found.rows;
}

/** A page of one user's reviews, the newest first. */
export async function pageOfUser(
  executor: Executor,
  userId: string,
  { limit, after }: PageOf<string>,
): Promise<ReviewRow[]> {
  const found = await executor.query<ReviewRow>(
    `SELECT ${COLUMNS} FROM review
     WHERE user_id = $1 AND erased_at IS NULL AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $2`,
    [userId, limit, after ?? null],
  );
  return found.rows;
}

/** A page of all reviews, the newest first; those that are hidden, those that are not, or both. */
export async function pageOfAll(
  executor: Executor,
  hidden: boolean | undefined,
  { limit, after }: PageOf<string>,
): Promise<ReviewRow[]> {
  const found = await executor.query<ReviewRow>(
    `SELECT ${COLUMNS} FROM review
     WHERE erased_at IS NULL AND ($1::bool IS NULL OR (hidden_at IS NOT NULL) = $1) AND ($3::uuid IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $2`,
    [hidden ?? null, limit, after ?? null],
  );
  return found.rows;
}
