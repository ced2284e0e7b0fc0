/** What the resolvers of one operation share: who asks, and batches, so that 100 products are one statement. */

import DataLoader from "dataloader";
import type { App } from "../app/app.ts";
import * as read from "../app/readReviews.ts";
import type { Caller } from "../kit/graphql/caller.ts";
import { ApiError } from "../kit/graphql/error.ts";
import type { RatingRow, ReviewKey, ReviewRow, Sort } from "../store/reviews.ts";

/** One page of a product's reviews. */
export interface PageKey {
  readonly productId: string;
  readonly sort: Sort;
  readonly limit: number;
  readonly after: ReviewKey | undefined;
}

export interface Context {
  readonly app: App;
  readonly caller: Caller;
  readonly rating: DataLoader<string, RatingRow | undefined>;
  readonly review: DataLoader<string, ReviewRow | undefined>;
  /** The viewer's own review by product, an erased one too. */
  readonly mine: DataLoader<string, ReviewRow | undefined>;
  /** Whether the viewer has bought a product. */
  readonly bought: DataLoader<string, boolean>;
  readonly pages: DataLoader<PageKey, ReviewRow[], string>;
}

/** Fresh for each operation: nothing is cached across requests. */
export function contextOf(app: App, caller: Caller): Context {
  const viewer = caller.user?.id;
  return {
    app,
    caller,
    rating: batched(async (products) => {
      const rows = new Map((await read.ratings(app, products)).map((row) => [row.product_id, row]));
      return (product) => rows.get(product);
    }),
    review: batched(async (ids) => {
      const rows = new Map((await read.byIds(app, ids)).map((row) => [row.id, row]));
      return (id) => rows.get(id);
    }),
    mine: batched(async (products) => {
      const found = viewer === undefined ? [] : await read.ofUser(app, viewer, products);
      const rows = new Map(found.map((row) => [row.product_id, row]));
      return (product) => rows.get(product);
    }),
    bought: batched(async (products) => {
      const found = viewer === undefined ? new Set() : await read.bought(app, viewer, products);
      return (product) => found.has(product);
    }),
    pages: new DataLoader((keys) => loadPages(app, keys), {
      cacheKeyFn: (key) => JSON.stringify(key),
      maxBatchSize: 500,
    }),
  };
}

/** A loader over a function that reads all keys and answers how to look one up. A fault is logged once. */
function batched<V>(load: (keys: readonly string[]) => Promise<(key: string) => V>): DataLoader<string, V> {
  return new DataLoader(async (keys) => {
    try {
      return keys.map(await load(keys));
    } catch (error) {
      throw ApiError.internal(error);
    }
  });
}

/** Pages with the same arguments are one statement, whatever the products. */
async function loadPages(app: App, keys: readonly PageKey[]): Promise<ReviewRow[][]> {
  const groups = new Map<string, PageKey[]>();
  for (const key of keys) {
    const alike = JSON.stringify([key.sort, key.limit, key.after]);
    groups.set(alike, [...(groups.get(alike) ?? []), key]);
  }
  const found = new Map<PageKey, ReviewRow[]>();
  try {
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const products = group.map((key) => key.productId);
      const rows = await read.pages(app, products, first.sort, { limit: first.limit, after: first.after });
      for (const key of group)
        found.set(
          key,
          rows.filter((row) => row.product_id === key.productId),
        );
    }
  } catch (error) {
    throw ApiError.internal(error);
  }
  return keys.map((key) => found.get(key) ?? []);
}
