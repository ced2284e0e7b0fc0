/** Staff take a review down, or put it back. Repeating either changes nothing more. */

import { reasonOf } from "../domain/review.ts";
import { transaction } from "../kit/pg/pool.ts";
import * as reviews from "../store/reviews.ts";
import { type App, type Outcome, refuse } from "./app.ts";

const notThere = () => refuse("NOT_FOUND", "There is no such review", "reviewId");

export async function hideReview(
  app: App,
  by: string,
  id: string,
  given: string,
): Promise<Outcome<reviews.ReviewRow>> {
  const reason = reasonOf(given);
  if (typeof reason !== "string") return refuse("INVALID", reason.message, reason.field);
  return transaction(app.pool, async (tx) => {
    const before = await reviews.lock(tx, id);
    if (before === undefined || before.erased_at !== null) return notThere();
    if (before.hidden_at !== null) return { done: before };
    const after = await reviews.hide(tx, id, by, reason);
    if (after === undefined) return notThere();
    await reviews.recount(tx, after.product_id, -1, -after.rating);
    return { done: after };
  });
}

export async function showReview(app: App, id: string): Promise<Outcome<reviews.ReviewRow>> {
  return transaction(app.pool, async (tx) => {
    const before = await reviews.lock(tx, id);
    if (before === undefined || before.erased_at !== null) return notThere();
    if (before.hidden_at === null) return { done: before };
    const after = await reviews.show(tx, id);
    if (after === undefined) return notThere();
    await reviews.count(tx, after.product_id, after.rating);
    return { done: after };
  });
}
