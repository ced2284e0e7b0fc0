/** SQL of what is known of orders. */

import { BOUGHT } from "../domain/review.ts";
import type { Executor } from "../kit/pg/pool.ts";

/** Notes where an order stands, unless something later is known. */
export async function noteStatus(
  tx: Executor,
  order: { readonly id: string; readonly userId: string; readonly sequence: number; readonly status: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO buyer_order (order_id, user_id, sequence, status) VALUES ($1, $2, $3, $4)
     ON CONFLICT (order_id) DO UPDATE SET sequence = excluded.sequence, status = excluded.status
     WHERE buyer_order.sequence < excluded.sequence`,
    [order.id, order.userId, order.sequence, order.status],
  );
}

/** Notes what was in an order. */
export async function noteProducts(
  tx: Executor,
  orderId: string,
  products: readonly string[],
): Promise<void> {
  await tx.query(
    `INSERT INTO order_product (order_id, product_id)
     SELECT $1, product FROM unnest($2::uuid[]) AS product ON CONFLICT DO NOTHING`,
    [orderId, products],
  );
}

/** Those of the products that the user has bought. */
export async function boughtAmong(
  executor: Executor,
  userId: string,
  products: readonly string[],
): Promise<Set<string>> {
  const found = await executor.query<{ product_id: string }>(
    `SELECT DISTINCT product_id FROM buyer_order JOIN order_product USING (order_id)
     WHERE user_id = $1 AND status = ANY($2) AND product_id = ANY($3::uuid[])`,
    [userId, BOUGHT, products],
  );
  return new Set(found.rows.map((row) => row.product_id));
}
