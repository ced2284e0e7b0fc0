/** A buyer reviews a product, once. */

import { type Opinion, opinionOf } from "../domain/review.ts";
import { uuidv7 } from "../kit/id.ts";
import { claim, complete, requestHash, type Scope } from "../kit/pg/idempotency.ts";
import { type Executor, transaction } from "../kit/pg/pool.ts";
import { boughtAmong } from "../store/orders.ts";
import * as reviews from "../store/reviews.ts";
import { type App, type Outcome, refuse } from "./app.ts";

/** What a user wants to say of a product; ids are bare UUIDs. */
export interface NewReview extends Opinion {
  readonly userId: string;
  readonly productId: string;
  readonly key: string;
}

/** The result of the same request is not known yet. */
export class Busy extends Error {}

/** Undoes the transaction: a refusal leaves no key behind, so that it may be tried again once its reason is gone. */
class Undone extends Error {
  readonly outcome: Outcome<reviews.ReviewRow>;

  constructor(outcome: Outcome<reviews.ReviewRow>) {
    super("refused");
    this.outcome = outcome;
  }
}

export async function createReview(app: App, asked: NewReview): Promise<Outcome<reviews.ReviewRow>> {
  const opinion = opinionOf(asked);
  if ("length" in opinion) {
    return { refusals: opinion.flatMap((fault) => refuse("INVALID", fault.message, fault.field).refusals) };
  }
  const scope = { principal: asked.userId, operation: "createReview", key: asked.key };
  const hash = requestHash([asked.productId, asked.rating, asked.title, asked.body]);
  try {
    return await transaction(app.pool, (tx) => once(tx, scope, hash, asked, opinion));
  } catch (error) {
    if (error instanceof Undone) return error.outcome;
    throw error;
  }
}

async function once(
  tx: Executor,
  scope: Scope,
  hash: Buffer,
  asked: NewReview,
  opinion: Opinion,
): Promise<Outcome<reviews.ReviewRow>> {
  const claimed = await claim(tx, scope, hash);
  switch (claimed.kind) {
    case "inProgress":
      throw new Busy();
    case "reused":
      return refuse(
        "IDEMPOTENCY_KEY_REUSED",
        "The idempotency key belongs to another request",
        "idempotencyKey",
      );
    case "replay":
      return replay(tx, claimed.outcome);
    case "fresh": {
      const review = await write(tx, asked, opinion);
      await complete(tx, scope, { reviewId: review.id });
      return { done: review };
    }
  }
}

async function replay(tx: Executor, outcome: unknown): Promise<Outcome<reviews.ReviewRow>> {
  const id = (outcome as { reviewId: string }).reviewId;
  const [review] = await reviews.byIds(tx, [id]);
  return review === undefined ? refuse("NOT_FOUND", "The review was deleted since") : { done: review };
}

async function write(tx: Executor, asked: NewReview, opinion: Opinion): Promise<reviews.ReviewRow> {
  const { userId, productId } = asked;
  const bought = await boughtAmong(tx, userId, [productId]);
  if (!bought.has(productId)) {
    throw new Undone(refuse("NOT_A_BUYER", "Only who has bought the product may review it", "productId"));
  }
  const review = await reviews.insert(tx, { id: uuidv7(), productId, userId, ...opinion });
  if (review === undefined) {
    const [mine] = await reviews.ofUser(tx, userId, [productId]);
    throw new Undone(
      mine?.erased_at
        ? refuse("REVIEW_HIDDEN", "Your review of this product was taken down", "productId")
        : refuse("ALREADY_REVIEWED", "You have reviewed this product: edit that review", "productId"),
    );
  }
  await reviews.count(tx, productId, opinion.rating);
  return review;
}
