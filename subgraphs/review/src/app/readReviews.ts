/** What of reviews is read: one statement each, however many products an operation names. */

import type { CurrentUser } from "../kit/auth/users.ts";
import { isStaff } from "../kit/auth/users.ts";
import { ask } from "../kit/telemetry.ts";
import { boughtAmong } from "../store/orders.ts";
import * as reviews from "../store/reviews.ts";
import type { App } from "./app.ts";

const POSTGRES = "postgresql";

/** Whether the viewer may see it: a hidden review is for its author and for staff. */
export function isVisible(review: reviews.ReviewRow, viewer: CurrentUser | undefined): boolean {
  return review.hidden_at === null || review.user_id === viewer?.id || isStaff(viewer);
}

export function ratings({ pool }: App, products: readonly string[]) {
  return ask(POSTGRES, "ratings", () => reviews.ratings(pool, products));
}

export function byIds({ pool }: App, ids: readonly string[]) {
  return ask(POSTGRES, "reviews by id", () => reviews.byIds(pool, ids));
}

export function ofUser({ pool }: App, userId: string, products: readonly string[]) {
  return ask(POSTGRES, "reviews of a user", () => reviews.ofUser(pool, userId, products));
}

export function bought({ pool }: App, userId: string, products: readonly string[]) {
  return ask(POSTGRES, "products bought", () => boughtAmong(pool, userId, products));
}

export function pages(
  { pool }: App,
  products: readonly string[],
  sort: reviews.Sort,
  page: reviews.PageOf<reviews.ReviewKey>,
) {
  return ask(POSTGRES, "reviews of products", () => reviews.pages(pool, products, sort, page));
}

export function pageOfUser({ pool }: App, userId: string, page: reviews.PageOf<string>) {
  return ask(POSTGRES, "page of a user", () => reviews.pageOfUser(pool, userId, page));
}

export function pageOfAll({ pool }: App, hidden: boolean | undefined, page: reviews.PageOf<string>) {
  return ask(POSTGRES, "page of all", () => reviews.pageOfAll(pool, hidden, page));
}
