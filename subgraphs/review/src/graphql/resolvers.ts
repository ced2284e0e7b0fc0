/** The GraphQL door: guard, parse, one call, map. Holds no rule and no SQL. */

import { GraphQLScalarType } from "graphql";
import { z } from "zod";
import type { Outcome, Refused } from "../app/app.ts";
import { deleteReview, updateReview } from "../app/changeReview.ts";
import { Busy, createReview } from "../app/createReview.ts";
import { hideReview, showReview } from "../app/moderateReview.ts";
import { isVisible, pageOfAll, pageOfUser } from "../app/readReviews.ts";
import type { Opinion } from "../domain/review.ts";
import { isStaff } from "../kit/auth/users.ts";
import { requireStaff, requireUser, whoOf } from "../kit/graphql/caller.ts";
import { ApiError } from "../kit/graphql/error.ts";
import { type PageArgs, pageOf, parsePage } from "../kit/graphql/page.ts";
import { type Prefix, readId, showId } from "../kit/id.ts";
import { isKey } from "../kit/pg/idempotency.ts";
import { sqlState } from "../kit/pg/pool.ts";
import { refused } from "../kit/refusal.ts";
import type { ReviewRow, Sort } from "../store/reviews.ts";
import type { Context } from "./context.ts";

interface Entity {
  readonly id: string;
}
interface Page {
  readonly first: number;
  readonly after?: string | null;
}
interface Input<T> {
  readonly input: T;
}
interface OfReview {
  readonly reviewId: string;
}

const Id = z.uuid();
const ByRating = z.tuple([z.int(), z.uuid()]);
const isMissing = { review: null, userErrors: [] };

/** Reads an `ID` argument; one of another kind or damaged is `BAD_USER_INPUT` at `field`. */
function idAt(prefix: Prefix, text: unknown, ...field: string[]): string {
  const uuid = typeof text === "string" ? readId(prefix, text) : undefined;
  if (uuid === undefined) throw ApiError.badInput(`not a valid ${prefix}_ id`, ...field);
  return uuid;
}

/** A fault of a store, or of ours, hides its reason. */
async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof Busy || sqlState(error) === "55P03")
      throw ApiError.unavailable("The result of the same request");
    throw ApiError.internal(error);
  }
}

function userError({ refused: code, message, field }: Refused) {
  return { code, message, field: field ?? null };
}

async function payload(outcome: Promise<Outcome<ReviewRow>>) {
  const result = await guarded(outcome);
  if ("done" in result) return { review: result.done, userErrors: [] };
  return { ...isMissing, userErrors: result.refusals.map(userError) };
}

/** A review that the viewer may see; another is as good as none. */
function seen(review: ReviewRow | undefined, { caller }: Context): ReviewRow | null {
  if (review === undefined) return null;
  if (isVisible(review, caller.user)) return review;
  refused("ownership", whoOf(caller), showId("rev", review.id), "NOT_FOUND", "it is hidden");
  return null;
}

const isOwnOrStaff = (userId: string, { caller: { user } }: Context) => user?.id === userId || isStaff(user);

function byId(kind: string, rows: readonly ReviewRow[], args: PageArgs<string>) {
  return pageOf(
    kind,
    rows,
    args,
    (row) => row.id,
    (row) => row,
  );
}

const Query = {
  review: async (_: unknown, { id }: Entity, context: Context) =>
    seen(await context.review.load(idAt("rev", id, "id")), context),
  reviews: async (_: unknown, args: Page & { status?: "VISIBLE" | "HIDDEN" | null }, context: Context) => {
    requireStaff(context.caller);
    const page = parsePage("reviews", Id, args);
    const hidden = args.status == null ? undefined : args.status === "HIDDEN";
    const rows = pageOfAll(context.app, hidden, { limit: page.first + 1, after: page.after });
    return byId("reviews", await guarded(rows), page);
  },
};

const Mutation = {
  createReview: (
    _: unknown,
    { input }: Input<Opinion & { productId: string; idempotencyKey: string }>,
    { app, caller }: Context,
  ) => {
    const userId = requireUser(caller).id;
    const productId = idAt("prod", input.productId, "input", "productId");
    const key = input.idempotencyKey;
    if (!isKey(key))
      throw ApiError.badInput("an idempotencyKey has 1 to 200 characters", "input", "idempotencyKey");
    const { rating, title, body } = input;
    return payload(createReview(app, { userId, productId, key, rating, title, body }));
  },
  updateReview: (_: unknown, { input }: Input<Opinion & OfReview>, { app, caller }: Context) => {
    const userId = requireUser(caller).id;
    return payload(updateReview(app, userId, idAt("rev", input.reviewId, "input", "reviewId"), input));
  },
  deleteReview: async (_: unknown, { input }: Input<OfReview>, { app, caller }: Context) => {
    const userId = requireUser(caller).id;
    const id = idAt("rev", input.reviewId, "input", "reviewId");
    const { review, userErrors } = await payload(deleteReview(app, userId, id));
    const product = review === null ? null : { id: showId("prod", review.product_id) };
    return { product, deletedReviewId: review === null ? null : showId("rev", review.id), userErrors };
  },
  hideReview: (_: unknown, { input }: Input<OfReview & { reason: string }>, { app, caller }: Context) => {
    const by = requireStaff(caller).id;
    return payload(hideReview(app, by, idAt("rev", input.reviewId, "input", "reviewId"), input.reason));
  },
  showReview: (_: unknown, { input }: Input<OfReview>, { app, caller }: Context) => {
    requireStaff(caller);
    return payload(showReview(app, idAt("rev", input.reviewId, "input", "reviewId")));
  },
};

const productOf = ({ id }: Entity) => readId("prod", id) ?? "";

const Product = {
  __resolveReference: ({ id }: Entity) => idAt("prod", id, "id") && { id },
  averageRating: async (product: Entity, _: unknown, { rating }: Context) => {
    const found = await rating.load(productOf(product));
    // Two digits are enough for stars, and don't look like more than they are.
    return found === undefined ? null : Math.round((100 * found.total) / found.reviews) / 100;
  },
  reviewCount: async (product: Entity, _: unknown, { rating }: Context) =>
    (await rating.load(productOf(product)))?.reviews ?? 0,
  reviews: async (product: Entity, args: Page & { sort: Sort }, { pages }: Context) => {
    const kind = `product.reviews.${args.sort}`;
    const { first, after } = parsePage(kind, ByRating, args);
    const key = after === undefined ? undefined : { rating: after[0], id: after[1] };
    const rows = await pages.load({
      productId: productOf(product),
      sort: args.sort,
      limit: first + 1,
      after: key,
    });
    return pageOf(
      kind,
      rows,
      { first, after },
      (row) => [row.rating, row.id] as [number, string],
      (row) => row,
    );
  },
  viewerCanReview: async (product: Entity, _: unknown, { caller, bought, mine }: Context) => {
    if (caller.user === undefined) return null;
    const id = productOf(product);
    const [has, own] = await Promise.all([bought.load(id), mine.load(id)]);
    return has && own === undefined;
  },
  viewerReview: async (product: Entity, _: unknown, { mine }: Context) => {
    const own = await mine.load(productOf(product));
    return own === undefined || own.erased_at !== null ? null : own;
  },
};

const User = {
  __resolveReference: ({ id }: Entity) => idAt("usr", id, "id") && { id },
  reviews: async ({ id }: Entity, args: Page, context: Context) => {
    const userId = readId("usr", id) ?? "";
    if (!isOwnOrStaff(userId, context)) return null;
    const page = parsePage("user.reviews", Id, args);
    const rows = pageOfUser(context.app, userId, { limit: page.first + 1, after: page.after });
    return byId("user.reviews", await guarded(rows), page);
  },
};

const Review = {
  __resolveReference: async ({ id }: Entity, context: Context) =>
    seen(await context.review.load(idAt("rev", id, "id")), context),
  id: ({ id }: ReviewRow) => showId("rev", id),
  product: ({ product_id }: ReviewRow) => ({ id: showId("prod", product_id) }),
  author: ({ user_id }: ReviewRow, _: unknown, context: Context) =>
    isOwnOrStaff(user_id, context) ? { id: showId("usr", user_id) } : null,
  createdAt: ({ created_at }: ReviewRow) => created_at,
  editedAt: ({ edited_at }: ReviewRow) => edited_at,
  status: ({ hidden_at }: ReviewRow) => (hidden_at === null ? "VISIBLE" : "HIDDEN"),
  // Who may see a hidden review at all may see why.
  hiddenReason: ({ hidden_why }: ReviewRow) => hidden_why,
};

const DateTime = new GraphQLScalarType<Date, string>({
  name: "DateTime",
  serialize: (value) => (value as Date).toISOString(),
});

const UserError = { __resolveType: () => "ReviewUserError" };

export const resolvers = { Query, Mutation, Product, User, Review, DateTime, UserError };
