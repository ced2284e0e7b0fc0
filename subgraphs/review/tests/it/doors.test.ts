/** The doors: gateway key, tokens, media types, limits, the internal listener, and the end of a process. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate, migrationsOf } from "../../src/kit/pg/migrate.ts";
import { MIGRATIONS } from "../../src/start.ts";
import { type Answer, GATEWAY_KEY, newId, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ API_RATES: "query=60000/20000,mutation=1/2" });
});
afterAll(() => stage?.close());

const TYPENAME = { query: "{ __typename }" };
const GRAPHQL = "application/graphql-response+json";

describe("the GraphQL listener", () => {
  it("answers bearers of the gateway key alone", async () => {
    for (const key of ["", "wrong-key-of-sixteen-or-more", `${GATEWAY_KEY}x`]) {
      const answer = await stage.post(TYPENAME, { "x-gateway-key": key });
      expect(answer.status).toBe(401);
      expect((await answer.json()).errors[0].extensions.code).toBe("FORBIDDEN");
    }
    expect((await stage.post(TYPENAME)).status).toBe(200);
  });

  it("keeps a correlation id, or makes one", async () => {
    const kept = await stage.post(TYPENAME, { "x-correlation-id": "mine-1" });
    expect(kept.headers.get("x-correlation-id")).toBe("mine-1");
    const made = await stage.post(TYPENAME, { "x-correlation-id": "not mine" });
    expect(made.headers.get("x-correlation-id")).toMatch(/^[0-9a-f]{32}$/);
    const failed = await stage.post({ query: "{ nonsense }" }, { "x-correlation-id": "mine-2" });
    expect((await failed.json()).errors[0].extensions).toEqual({
      code: "BAD_USER_INPUT",
      correlationId: "mine-2",
    });
  });

  it.each([
    ["no JSON", "{", {}, 400],
    ["a batch", "[]", {}, 400],
    ["no query", "{}", {}, 400],
    ["variables that are a list", '{"query":"{ __typename }","variables":[]}', {}, 400],
    ["a form", "query={__typename}", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["another alphabet", "{}", { "content-type": "application/json; charset=latin1" }, 415],
    ["a media type we don't write", JSON.stringify(TYPENAME), { accept: "text/html" }, 406],
    ["a body too large", JSON.stringify({ query: `{ __typename } #${"x".repeat(262_144)}` }), {}, 413],
  ])("refuses %s", async (_, body, headers, status) => {
    expect((await stage.post(body, headers)).status).toBe(status);
  });

  it("tells what can't run by status where the media type has one", async () => {
    for (const [query, status] of [
      ["{ nonsense }", 400],
      ["{ __typename", 400],
      ["subscription { a }", 400],
      ["{ __schema { queryType { name } } }", 403],
    ] as const) {
      expect((await stage.post({ query }, { accept: GRAPHQL })).status, query).toBe(status);
      expect((await stage.post({ query })).status, query).toBe(200);
    }
    const token = await stage.post(TYPENAME, { authorization: "Bearer nonsense", accept: GRAPHQL });
    expect(token.status).toBe(401);
    expect((await token.json()).errors[0].extensions.code).toBe("UNAUTHENTICATED");
    const get = await fetch(stage.graphqlUrl, { headers: { "x-gateway-key": GATEWAY_KEY } });
    expect(get.status).toBe(405);
  });

  it("suggests no names", async () => {
    const answer = await stage.ask("{ revieww(id: 1) { id } }");
    expect(answer.errors[0].message).toBe('Cannot query field "revieww" on type "Query".');
  });

  it("counts how often one asks", async () => {
    const user = await stage.user();
    const query = `mutation { deleteReview(input: { reviewId: "${newId("rev")}" }) { deletedReviewId } }`;
    const ask = () => stage.post({ query }, { authorization: `Bearer ${user.token}`, accept: GRAPHQL });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await refused.json()).errors[0].extensions.retryAfterSeconds).toBeGreaterThan(0);
  });
});

it("without Redis nobody is counted, and everybody let through", async () => {
  const alone = await Stage.open({ REDIS_URL: "redis://127.0.0.1:1", API_RATES: "query=1/1" });
  try {
    const user = await alone.user();
    for (let time = 0; time < 5; time += 1) {
      expect(await alone.data("{ __typename }", {}, user)).toEqual({ __typename: "Query" });
    }
  } finally {
    await alone.close();
  }
});

describe("the internal listener", () => {
  const lookup = async (
    token: string | undefined,
    body: unknown = { product_ids: [newId("prod")] },
  ): Promise<Answer> =>
    fetch(`${stage.internalUrl}/ratings/lookup`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });

  it("lets the services on the list in, and no other", async () => {
    expect((await lookup(await stage.serviceToken("product", "review"))).status).toBe(200);
    for (const [token, status, code] of [
      [undefined, 401, "UNAUTHENTICATED"],
      [await stage.serviceToken("product", "order"), 401, "UNAUTHENTICATED"],
      [(await stage.user("ADMIN")).token, 401, "UNAUTHENTICATED"],
      [await stage.serviceToken("order", "review"), 403, "FORBIDDEN"],
    ] as const) {
      const answer = await lookup(token);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect((await answer.json()).code).toBe(code);
    }
  });

  it("tells ratings", async () => {
    const product = newId("prod");
    const buyer = await stage.buyer(product);
    const input = { productId: product, rating: 3, title: "So", body: "So.", idempotencyKey: "k" };
    const create =
      "mutation ($input: CreateReviewInput!) { createReview(input: $input) { userErrors { code } } }";
    await stage.data(create, { input }, buyer);
    const token = await stage.serviceToken("product", "review");
    const answer = await lookup(token, { product_ids: [product, newId("prod")] });
    expect(await answer.json()).toEqual({ ratings: [{ product_id: product, reviews: 1, total: 3 }] });
    expect((await lookup(token, { product_ids: ["x"] })).status).toBe(422);
    expect((await lookup(token, {})).status).toBe(400);
  });

  it("has nothing else", async () => {
    expect((await fetch(`${stage.internalUrl}/graphql`, { method: "POST" })).status).toBe(404);
  });
});

describe("migrations", () => {
  it("replicas may migrate together", async () => {
    // biome-ignore lint/suspicious/noExplicitAny: the pool of the tests is one of pg
    const pool = stage.pool as any;
    await Promise.all([migrate(pool, MIGRATIONS), migrate(pool, MIGRATIONS)]);
    const { rows } = await stage.pool.query("SELECT version FROM schema_migration ORDER BY version");
    expect(rows.map((row) => row.version)).toEqual(migrationsOf(MIGRATIONS).map((file) => file.version));
  });

  it("a file that was changed after it was applied is refused", async () => {
    const sql = "UPDATE schema_migration SET checksum = 'other' WHERE version = 3";
    await stage.pool.query(sql);
    // biome-ignore lint/suspicious/noExplicitAny: the pool of the tests is one of pg
    await expect(migrate(stage.pool as any, MIGRATIONS)).rejects.toThrow("has been changed since");
  });
});
