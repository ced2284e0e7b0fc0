// One key per attempt to order: sent again after a lost answer, a double click or a reload, it is the same order.
import { newId } from "../lib/ids";
import { perTab } from "../lib/storage";

const KEY = "mercato.checkout";

export interface Attempt {
  cartId: string;
  cartVersion: number;
  total: string;
  paymentMethod: string;
}

/** The key of this attempt; another cart, total or card is another attempt. */
export function attemptKey(attempt: Attempt): string {
  const what = JSON.stringify([attempt.cartId, attempt.cartVersion, attempt.total, attempt.paymentMethod]);
  const [known, key] = perTab.read(KEY)?.split("\n") ?? [];
  if (known === what && key) return key;
  const fresh = newId();
  perTab.write(KEY, `${what}\n${fresh}`);
  return fresh;
}

/** The order stands, or was refused: the next attempt is a new one. */
export function endAttempt(): void {
  perTab.write(KEY, null);
}
