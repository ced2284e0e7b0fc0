/** An author edits or deletes their review. Repeating either changes nothing more. */

import { type Opinion, opinionOf } from "../domain/review.ts";
import { transaction } from "../kit/pg/pool.ts";
import * as reviews from "../store/reviews.ts";
import { type App, notFound, type Outcome, refuse } from "./app.ts";

export async function updateReview(
  app: App,
  userId: string,
  id: string,
  given: Opinion,
): Promise<Outcome<reviews.ReviewRow>> {
  const opinion = opinionOf(given);
  if ("length" in opinion) {
    return { refusals: opinion.flatMap((fault) => refuse("INVALID", fault.message, fault.field).refusals) };
  }
  return transaction(app.pool, async (tx) => {
    const before = await reviews.lock(tx, id);
    if (before?.user_id !== userId || before.erased_at !== null) return notFound();
    if (before.hidden_at !== null) {
      return refuse("REVIEW_HIDDEN", "This review was taken down: it can only be deleted", "reviewId");
    }
    const { rating, title, body } = opinion;
    if (before.rating === rating && before.title === title && before.body === body) return { done: before };
    const after = await reviews.edit(tx, id, opinion);
    if (after === undefined) return notFound();
    await reviews.recount(tx, after.product_id, 0, after.rating - before.rating);
    return { done: after };
  });
}

/** Answers the review as it was. */
export async function deleteReview(
  app: App,
  userId: string,
  id: string,
): Promise<Outcome<reviews.ReviewRow>> {
  return transaction(app.pool, async (tx) => {
    const before = await reviews.lock(tx, id);
    if (before?.user_id !== userId || before.erased_at !== null) return notFound();
    if (before.hidden_at === null) {
      await reviews.remove(tx, id);
      await reviews.recount(tx, before.product_id, -1, -before.rating);
    } else {
      // The words go. The row stays: deleting must be no way around what a moderator decided.
      await reviews.erase(tx, id);
    }
    return { done: before };
  });
}
