/** What a review may say. Pure. */

/** What a buyer thinks of a product. */
export interface Opinion {
  readonly rating: number;
  readonly title: string;
  readonly body: string;
}

/** Why an opinion can't stand as it is. */
export interface Fault {
  readonly field: "rating" | "title" | "body" | "reason";
  readonly message: string;
}

const MAX_TITLE = 120;
const MAX_BODY = 5_000;
const MAX_REASON = 500;

/** The opinion as it is kept, or what is wrong with it. */
export function opinionOf(given: Opinion): Opinion | readonly Fault[] {
  const title = given.title.trim();
  const body = given.body.trim();
  const faults: Fault[] = [];
  if (!Number.isInteger(given.rating) || given.rating < 1 || given.rating > 5) {
    faults.push({ field: "rating", message: "A rating is 1 to 5" });
  }
  if (!fits(title, MAX_TITLE)) {
    faults.push({ field: "title", message: `A title has 1 to ${MAX_TITLE} characters` });
  }
  if (!fits(body, MAX_BODY)) {
    faults.push({ field: "body", message: `A review has 1 to ${MAX_BODY} characters` });
  }
  return faults.length > 0 ? faults : { rating: given.rating, title, body };
}

/** Why a review is hidden, as staff give it; or what is wrong with it. */
export function reasonOf(given: string): string | Fault {
  const reason = given.trim();
  return fits(reason, MAX_REASON)
    ? reason
    : { field: "reason", message: `A reason has 1 to ${MAX_REASON} characters` };
}

/** Characters as PostgreSQL counts them. NUL it can't store, and half a surrogate pair is none. */
function fits(text: string, max: number): boolean {
  return text !== "" && [...text].length <= max && !text.includes("\0") && text.isWellFormed();
}

/** Whether an order that stands there lets its buyer review what was in it. */
export function countsAsBought(status: string): boolean {
  return (BOUGHT as readonly string[]).includes(status);
}

/**
 * Where an order stands once it is paid and not given back. Any other status, a new one too, gives no right: what is
 * refunded, cancelled or returned was not bought.
 */
export const BOUGHT = ["PAID", "SHIPPED", "DELIVERED"] as const;
