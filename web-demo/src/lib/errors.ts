// Every coded error in plain words. The codes are those of docs/errors.md and of the schema's enums.
import { CombinedGraphQLErrors, ServerError, ServerParseError } from "@apollo/client/errors";
import type {
  AuthErrorCode,
  CartErrorCode,
  CouponProblem,
  NotificationErrorCode,
  OrderErrorCode,
  ReviewErrorCode,
} from "../gql/documents";
import { open } from "./words";

export interface Explained {
  title: string;
  text: string;
  code: string;
  /** Whether the same again may well work. */
  retryable: boolean;
  /** What to tell us, where it is a fault of ours. */
  correlationId?: string;
}

type Words = Pick<Explained, "title" | "text" | "retryable">;

const INTERNAL: Words = {
  title: "Something broke on our side",
  text: "It is not your fault, and nothing was charged that your orders don't show. Please try again in a moment.",
  retryable: true,
};
const UNAVAILABLE: Words = {
  title: "A part of the shop is not answering",
  text: "It will be back shortly. Trying again is safe: nothing happens twice.",
  retryable: true,
};
const PAGE_OUTDATED: Words = {
  title: "This page is out of date",
  text: "The shop has changed since you opened it. Reload the page and try again.",
  retryable: false,
};

const FAULTS: Record<string, Words> = {
  UNAUTHENTICATED: {
    title: "Please sign in",
    text: "Your session has ended, or this needs an account.",
    retryable: false,
  },
  FORBIDDEN: { title: "Not allowed", text: "Your account does not allow this.", retryable: false },
  BAD_USER_INPUT: {
    title: "That can't be right",
    text: "Something in the request is not valid. Check what you entered or the address of the page.",
    retryable: false,
  },
  NOT_FOUND: {
    title: "Not found",
    text: "There is no such thing, or it is not yours to see.",
    retryable: false,
  },
  RATE_LIMITED: {
    title: "Slow down a little",
    text: "Those were too many requests in a short time. Wait a moment and try again.",
    retryable: true,
  },
  UNAVAILABLE,
  GATEWAY_TIMEOUT: UNAVAILABLE,
  SUBREQUEST_HTTP_ERROR: UNAVAILABLE,
  INTERNAL,
  PARSING_ERROR: PAGE_OUTDATED,
  GRAPHQL_PARSING_FAILED: PAGE_OUTDATED,
  GRAPHQL_VALIDATION_FAILED: PAGE_OUTDATED,
  GRAPHQL_UNKNOWN_OPERATION_NAME: PAGE_OUTDATED,
  MISSING_QUERY_STRING: PAGE_OUTDATED,
  VALIDATION_INVALID_TYPE_VARIABLE: PAGE_OUTDATED,
  INTROSPECTION_DISABLED: PAGE_OUTDATED,
};

/** Whether there are words for this code of a fault. */
export function explains(code: string): boolean {
  return Object.hasOwn(FAULTS, code);
}

const OFFLINE: Words = {
  title: "No connection to the shop",
  text: "Check your network. What you did last may or may not have arrived; trying again is safe.",
  retryable: true,
};

function worded(code: string, words: Words, correlationId: string | undefined): Explained {
  return { code, ...words, ...(correlationId && words === INTERNAL ? { correlationId } : {}) };
}

/** Any error of a request, for people. */
export function explain(error: unknown): Explained {
  if (CombinedGraphQLErrors.is(error)) return explainGraphQL(error);
  if (ServerError.is(error)) {
    const id = error.response.headers.get("x-correlation-id") ?? undefined;
    const code =
      error.statusCode === 429 ? "RATE_LIMITED" : error.statusCode >= 502 ? "UNAVAILABLE" : "INTERNAL";
    return worded(code, FAULTS[code] ?? INTERNAL, id);
  }
  if (ServerParseError.is(error)) return worded("UNAVAILABLE", UNAVAILABLE, undefined);
  return worded("OFFLINE", OFFLINE, undefined);
}

function explainGraphQL(error: CombinedGraphQLErrors): Explained {
  const first = error.errors[0];
  const extensions: Record<string, unknown> = first?.extensions ?? {};
  const code = typeof extensions.code === "string" ? extensions.code : "INTERNAL";
  const id = typeof extensions.correlationId === "string" ? extensions.correlationId : undefined;
  const explained = worded(code, FAULTS[code] ?? INTERNAL, id);
  const wait = extensions.retryAfterSeconds;
  if (code === "RATE_LIMITED" && typeof wait === "number") {
    explained.text = `Those were too many requests in a short time. Try again in ${wait} s.`;
  }
  return explained;
}

/** Whether the request failed because nobody is signed in any more. */
export function isUnauthenticated(error: unknown): boolean {
  return (
    CombinedGraphQLErrors.is(error) && error.errors.some((one) => one.extensions?.code === "UNAUTHENTICATED")
  );
}

const SAME_KEY = "This was sent before with other content. Reload the page and try again.";

/** For a refusal that the shop learnt after this page was loaded. */
export const newer = () =>
  "This is not possible, for a reason that this page does not know yet. Reload it and try again.";

export const authWords: Record<AuthErrorCode, string> = open(
  {
    ACCOUNT_DISABLED: "This account has been closed by the shop.",
    DISPLAY_NAME_INVALID: "Please choose a name of 1 to 80 visible characters.",
    EMAIL_INVALID: "This does not look like an e-mail address.",
    EMAIL_TAKEN: "There is an account with this e-mail address already. Sign in instead?",
    INVALID_CREDENTIALS: "E-mail address or password is wrong.",
    LAST_ADMIN: "The only administrator must stay one.",
    PASSWORD_TOO_WEAK:
      "This password is too short or too well known. Use 8 characters or more, such as a few words.",
    SESSION_NOT_FOUND: "That session has ended already.",
    TOKEN_EXPIRED: "Your session has ended. Please sign in again.",
    TOKEN_REUSED: "For your safety the session was ended. Please sign in again.",
    TOO_MANY_ATTEMPTS: "Too many failed attempts. Wait a little before the next one.",
    USER_NOT_FOUND: "There is no such account.",
  },
  newer,
);

export const cartWords: Record<CartErrorCode, string> = open(
  {
    CART_NOT_FOUND: "This cart has expired. A new one is started with the next thing you add.",
    COUPON_INVALID: "A coupon's code has 3 to 32 letters, digits and dashes.",
    CURRENCY_MISMATCH: "This is sold in another currency than the rest of your cart.",
    IDEMPOTENCY_KEY_REUSED: SAME_KEY,
    LINE_NOT_FOUND: "This is not in your cart any more.",
    QUANTITY_INVALID: "A quantity is between 1 and 999.",
    TOO_MANY_LINES: "A cart holds at most 200 different things.",
    VARIANT_UNAVAILABLE: "This can't be bought at the moment.",
    VERSION_CONFLICT: "Your cart was changed in another tab. It is up to date now; please look again.",
  },
  newer,
);

export const orderWords: Record<OrderErrorCode, string> = open(
  {
    CART_NOT_FOUND: "This cart has expired, so there is nothing to order.",
    CART_EMPTY: "There is nothing in your cart.",
    CART_CHANGED: "Your cart has changed since you opened this page. Please look it over and order again.",
    PRICE_CHANGED: "A price has changed. Please look at the new total and order again.",
    COUPON_NOT_APPLICABLE: "Your coupon can't be used for this order any more. Remove it and order again.",
    NOT_FOUND: "There is no such order.",
    NOT_CANCELLABLE: "Too late to cancel: the payment has gone through. You can ask for a refund instead.",
    INVALID_STATE: "The order is not in a state that allows this any more.",
    IDEMPOTENCY_KEY_REUSED: SAME_KEY,
    IN_PROGRESS: "This is being worked on at this very moment. Try again in a few seconds.",
  },
  newer,
);

export const reviewWords: Record<ReviewErrorCode, string> = open(
  {
    ALREADY_REVIEWED: "You have reviewed this already. Reload the page to see your review.",
    IDEMPOTENCY_KEY_REUSED: SAME_KEY,
    INVALID: "A review has one to five stars, a title of up to 120 characters and a text of up to 5,000.",
    NOT_A_BUYER: "Only who has bought this, and kept it, can review it.",
    NOT_FOUND: "This review is gone already.",
    REVIEW_HIDDEN: "The shop took this review down: it can only be deleted.",
  },
  newer,
);

export const noticeWords: Record<NotificationErrorCode, string> = open(
  { NOT_FOUND: "This notification is gone. Reload the page." },
  newer,
);

/** Why a coupon takes nothing off. */
export const couponWords: Record<CouponProblem, string> = open(
  {
    BELOW_MINIMUM: "Your cart is worth less than this coupon asks for.",
    ENDED: "This coupon is not valid any more.",
    NOT_STARTED: "This coupon is not valid yet.",
    OTHER_CURRENCY: "This coupon is for another currency.",
    UNKNOWN: "There is no coupon with this code. Is it spelled right?",
    USED_BY_YOU: "You have used this coupon already.",
    USED_UP: "This coupon has been used up.",
  },
  () => "This coupon can't be used at the moment.",
);
