/** What the use cases need. */

import type { Pool } from "../kit/pg/pool.ts";

/** The service's stores. Requests and workers have pools of their own, so that requests can't starve the events. */
export interface App {
  readonly pool: Pool;
}

/** A reason of the business why a review was not written or changed. */
export interface Refused {
  readonly refused: RefusalCode;
  readonly message: string;
  /** The path of the input field at fault, from the argument down. */
  readonly field?: readonly string[];
}

export type RefusalCode =
  | "ALREADY_REVIEWED"
  | "IDEMPOTENCY_KEY_REUSED"
  | "INVALID"
  | "NOT_A_BUYER"
  | "NOT_FOUND"
  | "REVIEW_HIDDEN";

/** What came of a change. */
export type Outcome<T> = { readonly done: T } | { readonly refusals: readonly Refused[] };

export function refuse(
  refused: RefusalCode,
  message: string,
  ...field: string[]
): { refusals: readonly Refused[] } {
  return { refusals: [{ refused, message, ...(field.length > 0 ? { field: ["input", ...field] } : {}) }] };
}

/** No such review, or one that is not the caller's to change. */
export const notFound = () => refuse("NOT_FOUND", "There is no such review of yours", "reviewId");
