/** Who may review what, and who sees it. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uuidv7 } from "../../src/kit/id.ts";
import { eventually, type Json, newId, Stage, type User } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

const CREATE = `mutation ($input: CreateReviewInput!) { createReview(input: $input) {
  review { id rating title status author { id } product { averageRating reviewCount } } userErrors { code field } } }`;
const UPDATE = `mutation ($input: UpdateReviewInput!) { updateReview(input: $input) {
  review { rating editedAt product { averageRating } } userErrors { code } } }`;
const DELETE = `mutation ($input: DeleteReviewInput!) { deleteReview(input: $input) {
  deletedReviewId product { reviewCount averageRating } userErrors { code } } }`;
const HIDE = `mutation ($input: HideReviewInput!) { hideReview(input: $input) { review { status hiddenReason } userErrors { code } } }`;
const SHOW =
  "mutation ($input: ShowReviewInput!) { showReview(input: $input) { review { status } userErrors { code } } }";

const says = (productId: string, rating = 4, key = uuidv7()) => ({
  input: { productId, rating, title: "Good", body: "It does what it should.", idempotencyKey: key },
});

async function create(user: User, variables: Json): Promise<Json> {
  return (await stage.data(CREATE, variables, user)).createReview;
}

async function reviewed(product: string, rating = 4): Promise<{ user: User; id: string }> {
  const user = await stage.buyer(product);
  return { user, id: (await create(user, says(product, rating))).review.id };
}

/** Count and sum are those of the visible reviews. */
async function ratingsAddUp(): Promise<void> {
  const { rows } = await stage.pool.query(`
    SELECT product_id FROM product_rating FULL JOIN (
      SELECT product_id, count(*) AS reviews, sum(rating) AS total FROM review WHERE hidden_at IS NULL GROUP BY 1
    ) AS counted USING (product_id)
    WHERE coalesce(counted.reviews, 0) <> coalesce(product_rating.reviews, 0)
       OR coalesce(counted.total, 0) <> coalesce(product_rating.total, 0)`);
  expect(rows).toEqual([]);
}

describe("writing", () => {
  it("a buyer reviews once, and the rating is there", async () => {
    const product = newId("prod");
    const buyer = await stage.buyer(product);
    const { review, userErrors } = await create(buyer, says(product));
    expect(userErrors).toEqual([]);
    expect(review).toMatchObject({ rating: 4, status: "VISIBLE", author: { id: buyer.id } });
    expect(review.product).toEqual({ averageRating: 4, reviewCount: 1 });
    expect((await create(buyer, says(product))).userErrors[0].code).toBe("ALREADY_REVIEWED");
    const seen = await stage.product(product, "viewerCanReview viewerReview { id }", buyer);
    expect(seen).toEqual({ viewerCanReview: false, viewerReview: { id: review.id } });
    await ratingsAddUp();
  });

  it("a stranger and a visitor may not", async () => {
    const product = newId("prod");
    await stage.buyer(product);
    const refused = await create(await stage.user(), says(product));
    expect(refused).toEqual({
      review: null,
      userErrors: [{ code: "NOT_A_BUYER", field: ["input", "productId"] }],
    });
    const answer = await stage.ask(CREATE, says(product));
    expect(answer.errors[0].extensions.code).toBe("UNAUTHENTICATED");
  });

  it("the same key answers the same, and with another input is refused", async () => {
    const product = newId("prod");
    const buyer = await stage.buyer(product);
    const key = uuidv7();
    const answers = await Promise.all([1, 2, 3, 4].map(() => create(buyer, says(product, 5, key))));
    expect(new Set(answers.map((answer) => answer.review.id)).size).toBe(1);
    expect((await create(buyer, says(product, 1, key))).userErrors[0].code).toBe("IDEMPOTENCY_KEY_REUSED");
    await ratingsAddUp();
  });

  it("a refusal leaves no key behind", async () => {
    const product = newId("prod");
    const user = await stage.user();
    const order = newId("ord");
    const key = uuidv7();
    expect((await create(user, says(product, 3, key))).userErrors[0].code).toBe("NOT_A_BUYER");
    await stage.created(order, user, [product]);
    await stage.moved(order, user, 9, "PAID");
    await eventually("the right", async () => (await create(user, says(product, 3, key))).review);
  });

  it("twenty at once leave one review", async () => {
    const product = newId("prod");
    const buyer = await stage.buyer(product);
    const codes = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await create(buyer, says(product))).userErrors[0]?.code ?? "WRITTEN",
      ),
    );
    expect(codes.filter((code) => code === "WRITTEN")).toHaveLength(1);
    expect(codes.filter((code) => code === "ALREADY_REVIEWED")).toHaveLength(19);
    await ratingsAddUp();
  });

  it("bad input is named", async () => {
    const product = newId("prod");
    const buyer = await stage.buyer(product);
    const { userErrors } = await create(buyer, { input: { ...says(product).input, rating: 0, title: "" } });
    expect(userErrors).toEqual([
      { code: "INVALID", field: ["input", "rating"] },
      { code: "INVALID", field: ["input", "title"] },
    ]);
    const answer = await stage.ask(CREATE, says("prod_nonsense"), buyer);
    expect(answer.errors[0].extensions).toMatchObject({
      code: "BAD_USER_INPUT",
      field: ["input", "productId"],
    });
    const long = await stage.ask(CREATE, says(product, 4, "k".repeat(201)), buyer);
    expect(long.errors[0].extensions.code).toBe("BAD_USER_INPUT");
  });
});

describe("changing", () => {
  it("one's own, and nobody else's", async () => {
    const product = newId("prod");
    const { user, id } = await reviewed(product, 2);
    const change = { input: { reviewId: id, rating: 5, title: "Better", body: "After all." } };
    const stranger = await stage.user();
    expect((await stage.data(UPDATE, change, stranger)).updateReview.userErrors[0].code).toBe("NOT_FOUND");
    const { review } = (await stage.data(UPDATE, change, user)).updateReview;
    expect(review).toMatchObject({ rating: 5, product: { averageRating: 5 } });
    expect(review.editedAt).not.toBeNull();
    await ratingsAddUp();

    expect(
      (await stage.data(DELETE, { input: { reviewId: id } }, stranger)).deleteReview.userErrors[0].code,
    ).toBe("NOT_FOUND");
    const gone = (await stage.data(DELETE, { input: { reviewId: id } }, user)).deleteReview;
    expect(gone).toEqual({
      deletedReviewId: id,
      product: { reviewCount: 0, averageRating: null },
      userErrors: [],
    });
    expect(
      (await stage.data(DELETE, { input: { reviewId: id } }, user)).deleteReview.userErrors[0].code,
    ).toBe("NOT_FOUND");
    expect((await create(user, says(product))).userErrors).toEqual([]);
    await ratingsAddUp();
  });
});

describe("moderation", () => {
  it("staff hide and show; others may not", async () => {
    const product = newId("prod");
    const { user, id } = await reviewed(product, 1);
    const staff = await stage.user("CUSTOMER", "SUPPORT");
    const hide = { input: { reviewId: id, reason: "Not about the product" } };
    for (const [who, code] of [
      [user, "FORBIDDEN"],
      [undefined, "UNAUTHENTICATED"],
    ] as const) {
      expect((await stage.ask(HIDE, hide, who)).errors[0].extensions.code).toBe(code);
    }
    const hidden = (await stage.data(HIDE, hide, staff)).hideReview;
    expect(hidden.review).toEqual({ status: "HIDDEN", hiddenReason: "Not about the product" });
    await stage.data(HIDE, hide, staff);
    await ratingsAddUp();

    const query = "query ($id: ID!) { review(id: $id) { status author { id } } }";
    expect((await stage.data(query, { id })).review).toBeNull();
    expect((await stage.data(query, { id }, await stage.user())).review).toBeNull();
    expect((await stage.data(query, { id }, user)).review).toEqual({
      status: "HIDDEN",
      author: { id: user.id },
    });
    expect(await stage.product(product, "reviewCount averageRating reviews { nodes { id } }")).toEqual({
      reviewCount: 0,
      averageRating: null,
      reviews: { nodes: [] },
    });
    const change = { input: { reviewId: id, rating: 5, title: "Sorry", body: "Other words." } };
    expect((await stage.data(UPDATE, change, user)).updateReview.userErrors[0].code).toBe("REVIEW_HIDDEN");

    expect((await stage.data(SHOW, { input: { reviewId: id } }, staff)).showReview.review.status).toBe(
      "VISIBLE",
    );
    await stage.data(SHOW, { input: { reviewId: id } }, staff);
    expect((await stage.product(product, "reviewCount")).reviewCount).toBe(1);
    await ratingsAddUp();
  });

  it("deleting a hidden review is no way around it", async () => {
    const product = newId("prod");
    const { user, id } = await reviewed(product, 1);
    const staff = await stage.user("ADMIN");
    await stage.data(HIDE, { input: { reviewId: id, reason: "Rude" } }, staff);
    expect((await stage.data(DELETE, { input: { reviewId: id } }, user)).deleteReview.deletedReviewId).toBe(
      id,
    );
    expect((await create(user, says(product))).userErrors[0].code).toBe("REVIEW_HIDDEN");
    const { rows } = await stage.pool.query("SELECT title, body FROM review WHERE erased_at IS NOT NULL");
    expect(rows).toEqual([{ title: "", body: "" }]);
    expect((await stage.data(SHOW, { input: { reviewId: id } }, staff)).showReview.userErrors[0].code).toBe(
      "NOT_FOUND",
    );
    await ratingsAddUp();
  });

  it("staff list all, or those that are hidden", async () => {
    const { id } = await reviewed(newId("prod"));
    const staff = await stage.user("SUPPORT");
    const list =
      "query ($status: ReviewStatus) { reviews(first: 100, status: $status) { nodes { id status } } }";
    await stage.data(HIDE, { input: { reviewId: id, reason: "x" } }, staff);
    const { nodes } = (await stage.data(list, { status: "HIDDEN" }, staff)).reviews;
    expect(nodes).toContainEqual({ id, status: "HIDDEN" });
    expect(nodes.every((node: Json) => node.status === "HIDDEN")).toBe(true);
    expect((await stage.ask(list, {}, await stage.user())).errors[0].extensions.code).toBe("FORBIDDEN");
  });
});

describe("reading", () => {
  const PAGE = `query ($r: [_Any!]!, $first: Int!, $after: String, $sort: ReviewSort!) { _entities(representations: $r) {
    ... on Product { reviews(first: $first, after: $after, sort: $sort) { edges { cursor node { id rating author { id } } } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }`;

  async function all(product: string, sort: string): Promise<Json[]> {
    const found: Json[] = [];
    let after: string | null = null;
    do {
      const variables: Json = { r: [{ __typename: "Product", id: product }], first: 2, after, sort };
      const page: Json = (await stage.data(PAGE, variables))._entities[0].reviews;
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      found.push(...page.edges.map((edge: Json) => edge.node));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    return found;
  }

  it("pages go through every review once, in each order", async () => {
    const product = newId("prod");
    for (const rating of [3, 5, 1, 5, 3]) await reviewed(product, rating);
    for (const [sort, ratings] of [
      ["NEWEST", [3, 5, 1, 5, 3]],
      ["HIGHEST", [5, 5, 3, 3, 1]],
      ["LOWEST", [1, 3, 3, 5, 5]],
    ] as const) {
      const found = await all(product, sort);
      expect(found.map((review) => review.rating)).toEqual(ratings);
      expect(new Set(found.map((review) => review.id)).size).toBe(5);
      expect(found.every((review) => review.author === null)).toBe(true);
    }
    expect(await stage.product(product, "averageRating reviewCount")).toEqual({
      averageRating: 3.4,
      reviewCount: 5,
    });
    const variables = { r: [{ __typename: "Product", id: product }], first: 1, sort: "NEWEST" };
    const { endCursor } = (await stage.data(PAGE, variables))._entities[0].reviews.pageInfo;
    const other = await stage.ask(PAGE, { ...variables, sort: "LOWEST", after: endCursor });
    expect(other.errors[0].extensions.code).toBe("BAD_USER_INPUT");
  });

  it("a user's reviews are for themselves and for staff", async () => {
    const { user, id } = await reviewed(newId("prod"));
    const of = async (viewer?: User) =>
      (
        await stage.entities(
          [{ __typename: "User", id: user.id }],
          "... on User { reviews { nodes { id } } }",
          viewer,
        )
      )[0];
    expect(await of(user)).toEqual({ reviews: { nodes: [{ id }] } });
    expect(await of(await stage.user("SUPPORT"))).toEqual({ reviews: { nodes: [{ id }] } });
    expect(await of(await stage.user())).toEqual({ reviews: null });
    expect(await of()).toEqual({ reviews: null });
  });

  it("a hundred products are one statement for each thing that is asked", async () => {
    const products = Array.from({ length: 100 }, () => newId("prod"));
    const buyer = await stage.buyer(products[0] ?? "", products[1] ?? "");
    await create(buyer, says(products[0] ?? ""));
    const representations = products.map((id) => ({ __typename: "Product", id }));
    const selection =
      "... on Product { averageRating reviewCount reviews(first: 3) { nodes { rating } } viewerCanReview viewerReview { id } }";
    const { registry } = await import("../../src/kit/metrics.ts");
    const statements = async () => {
      const metric = await registry.getSingleMetric("store_operation_seconds")?.get();
      const counts = (metric?.values ?? []) as { metricName?: string; value: number; labels: Json }[];
      const of = counts.filter(({ metricName }) => metricName?.endsWith("_count"));
      return new Map(of.map(({ labels, value }) => [labels.operation as string, value]));
    };
    const before = await statements();
    const found = await stage.entities(representations, selection, buyer);
    const after = await statements();
    expect(found).toHaveLength(100);
    expect(found[0]).toMatchObject({ averageRating: 4, reviewCount: 1, viewerCanReview: false });
    expect(found[1]).toMatchObject({ averageRating: null, reviewCount: 0, viewerCanReview: true });
    for (const operation of ["ratings", "reviews of products", "products bought", "reviews of a user"]) {
      expect((after.get(operation) ?? 0) - (before.get(operation) ?? 0), operation).toBe(1);
    }
  });

  it("an entity that can't be is none, and the others are", async () => {
    const query = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }";
    const product = { __typename: "Product", id: newId("prod") };
    const nobody = { __typename: "Review", id: newId("rev") };
    const bad = [{ ...product, id: "nonsense" }, { __typename: "Nothing", id: "x" }, { id: "x" }];
    const { data, errors } = await stage.ask(query, { r: [product, ...bad, nobody] });
    expect(data._entities).toEqual([{ __typename: "Product" }, null, null, null, null]);
    const told = errors.map((error: Json) => [error.path.join("."), error.extensions.code]);
    expect(told.sort()).toEqual([1, 2, 3].map((place) => [`_entities.${place}`, "BAD_USER_INPUT"]));
  });
});
