// The control room's words.
import { newer, orderWords } from "../lib/errors";
import { open, spelled } from "../lib/words";
import type {
  CancelReason,
  InventoryErrorCode,
  NotificationErrorCode,
  OrderErrorCode,
  ReturnStatus,
  SagaStepState,
  StockMovementKind,
} from "./documents";

export const reasonWords: Record<CancelReason, string> = open(
  {
    OUT_OF_STOCK: "Sold out",
    PAYMENT_DECLINED: "Declined",
    PAYMENT_TIMEOUT: "No payment in time",
    CUSTOMER: "Cancelled by the buyer",
    OPERATOR: "Cancelled by staff",
  },
  spelled,
);

export const callWords: Record<SagaStepState, { label: string; color: string }> = open(
  {
    STARTED: { label: "Waiting for the answer", color: "yellow" },
    DONE: { label: "Done", color: "teal" },
    REFUSED: { label: "Refused", color: "red" },
  },
  (code) => ({ label: spelled(code), color: "gray" }),
);

export const movementWords: Record<StockMovementKind, string> = open(
  {
    RECEIVE: "Received",
    ADJUST: "Written off",
    HOLD: "Held for an order",
    CONFIRM: "Sold",
    RELEASE: "Given back",
    EXPIRE: "Given back, time was over",
    RESTOCK: "Back after a refund",
    RETURN: "Returned by the buyer",
  },
  spelled,
);

export const inventoryWords: Record<InventoryErrorCode, string> = open(
  {
    IDEMPOTENCY_KEY_REUSED: "This was sent before with other content. Close the dialog and try again.",
    INSUFFICIENT_STOCK: "There are not that many units available to write off.",
    UNKNOWN_SKU: "No unit of this SKU was ever received.",
  },
  newer,
);

/** Tries so far. */
export function attemptWords(attempts: number, locale?: string): string {
  if (attempts === 0) return "not tried yet";
  if (attempts === 1) return "1 try";
  return `${new Intl.NumberFormat(locale).format(attempts)} tries`;
}

/** Why a mail is not tried again. */
export const mailWords: Record<NotificationErrorCode, string> = open(
  {
    INVALID_STATE: "It is not given up any more: it waits, or was sent.",
    NOT_FOUND: "It is gone. Reload the page.",
  },
  newer,
);

/** Staff read of orders that are not their own. */
export function staffOrderWords(code: OrderErrorCode): string {
  switch (code) {
    case "NOT_CANCELLABLE":
      return "Too late to cancel: the money is in. Refund it instead.";
    case "RETURN_EXCEEDS_ORDER":
      return "That many are not left with the buyer. Somebody may have returned some meanwhile.";
    case "REFUND_EXCEEDS_PAYMENT":
      return "That much is not left of what was paid. Somebody may have sent some back meanwhile.";
    case "COUPON_EXISTS":
      return "There is a coupon of this code already, and what it gives can't be changed.";
    default:
      return orderWords[code];
  }
}

/** Coupons are refused with the codes of orders. */
export function staffCouponWords(code: OrderErrorCode): string {
  return code === "NOT_FOUND" ? "There is no such coupon." : staffOrderWords(code);
}

export const returnWords: Record<ReturnStatus, { label: string; color: string }> = open(
  {
    REQUESTED: { label: "Money on its way", color: "yellow" },
    REFUNDED: { label: "Money back, units to follow", color: "yellow" },
    RESTOCKED: { label: "Units back, money on its way", color: "yellow" },
    DONE: { label: "Done", color: "teal" },
  },
  (code) => ({ label: spelled(code), color: "gray" }),
);

/** `reserve_stock` and `ReserveStock` as people write it. */
export function callName(name: string): string {
  const words = name
    .replaceAll("_", " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
