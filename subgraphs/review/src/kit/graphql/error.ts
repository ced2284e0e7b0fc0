/** Faults of transport, identity and input as top-level errors with a stable `extensions.code`. */

import { logOf, reasonOf } from "../log.ts";

const STATUS = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_USER_INPUT: 400,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
} as const;

/** The stable codes of `extensions.code`; business outcomes stand in `userErrors` instead. */
export type Code = keyof typeof STATUS;

const log = logOf("graphql");

/** A fault as the client may see it. */
export class ApiError extends Error {
  readonly code: Code;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.extensions = { code, http: { status: STATUS[code] }, ...more };
  }

  /** The input is wrong in itself; `field` is the path from the argument down. */
  static badInput(message: string, ...field: string[]): ApiError {
    return new ApiError("BAD_USER_INPUT", message, field.length > 0 ? { field } : {});
  }

  static unauthenticated(): ApiError {
    return new ApiError("UNAUTHENTICATED", "Sign in to do this");
  }

  static forbidden(): ApiError {
    return new ApiError("FORBIDDEN", "Not allowed");
  }

  static rateLimited(retryAfterSeconds: number): ApiError {
    return new ApiError("RATE_LIMITED", "Too many requests", { retryAfterSeconds });
  }

  /** `what` (a noun such as "Sign-in") does not answer at present. */
  static unavailable(what: string): ApiError {
    return new ApiError("UNAVAILABLE", `${what} is not available at present, try again`);
  }

  /** Logs the source, here and once, and shows none of it. */
  static internal(source: unknown): ApiError {
    log.error({ error: reasonOf(source) }, "internal error in a resolver");
    return new ApiError("INTERNAL", "Internal error");
  }
}

/** The status that says the same as a code; 400 for codes that have none. */
export function statusOf(code: unknown): number {
  return code !== "NOT_FOUND" && typeof code === "string" && code in STATUS ? STATUS[code as Code] : 400;
}
