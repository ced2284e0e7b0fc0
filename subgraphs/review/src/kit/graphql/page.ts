/**
 * Relay pages over a keyset: opaque cursors, `first` of 1..100, one row more fetched than shown. A cursor says where a
 * list goes on and authorises nothing. Its kind and checksum make a damaged one, or one of another list, an error
 * instead of a wrong page.
 */

import { createHash } from "node:crypto";
import type { z } from "zod";
import { ApiError } from "./error.ts";

const MAX_FIRST = 100;
const CHECKSUM_LEN = 8;
const MAX_CURSOR_LEN = 1024;

/** The arguments of a connection, checked. */
export interface PageArgs<K> {
  readonly first: number;
  /** The key after which the page begins. */
  readonly after: K | undefined;
}

/** One page of items, as a connection shows it. */
export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly nodes: readonly T[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** Checks the arguments of a connection; `kind` names the list, such as `reviews.newest`. */
export function parsePage<K>(
  kind: string,
  key: z.ZodType<K>,
  args: { readonly first: number; readonly after?: string | null },
): PageArgs<K> {
  if (args.first < 1 || args.first > MAX_FIRST) {
    throw ApiError.badInput("first must be between 1 and 100", "first");
  }
  const after = args.after ?? undefined;
  return { first: args.first, after: after === undefined ? undefined : decode(kind, key, after) };
}

/** The cursor of the item at `key`. */
export function cursor(kind: string, key: unknown): string {
  const body = Buffer.from(JSON.stringify(key));
  return Buffer.concat([checksum(kind, body), body]).toString("base64url");
}

/** A page of `rows`, of which one more than `first` was fetched. */
export function pageOf<R, K, T>(
  kind: string,
  rows: readonly R[],
  args: PageArgs<K>,
  key: (row: R) => K,
  node: (row: R) => T,
): Page<T> {
  const edges = rows.slice(0, args.first).map((row) => ({ cursor: cursor(kind, key(row)), node: node(row) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: rows.length > args.first,
      hasPreviousPage: args.after !== undefined,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function checksum(kind: string, body: Buffer): Buffer {
  return createHash("sha256").update(kind).update("\0").update(body).digest().subarray(0, CHECKSUM_LEN);
}

function decode<K>(kind: string, key: z.ZodType<K>, text: string): K {
  const refuse = () => ApiError.badInput("after is not a cursor of this list", "after");
  if (text.length > MAX_CURSOR_LEN) throw refuse();
  const bytes = Buffer.from(text, "base64url");
  const body = bytes.subarray(CHECKSUM_LEN);
  const whole = bytes.toString("base64url") === text && bytes.length > CHECKSUM_LEN;
  if (!whole || !checksum(kind, body).equals(bytes.subarray(0, CHECKSUM_LEN))) throw refuse();
  const read = key.safeParse(JSON.parse(body.toString("utf8")));
  if (!read.success) throw refuse();
  return read.data;
}
