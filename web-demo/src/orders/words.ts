// Orders, their steps and their payments in plain words.
import type { CancelReason, OrderStatus, OrderStep, PaymentStatus, RefundStatus } from "../gql/documents";
import { open, spelled } from "../lib/words";

export type Tone = "neutral" | "good" | "bad" | "back";

export const statusWords: Record<OrderStatus, { label: string; color: string }> = open(
  {
    PENDING: { label: "In progress", color: "blue" },
    AWAITING_PAYMENT: { label: "Waiting for payment", color: "yellow" },
    PAID: { label: "Paid", color: "teal" },
    SHIPPED: { label: "Shipped", color: "teal" },
    DELIVERED: { label: "Delivered", color: "teal" },
    CANCELLED: { label: "Cancelled", color: "gray" },
    REFUNDED: { label: "Refunded", color: "grape" },
  },
  (code) => ({ label: spelled(code), color: "gray" }),
);

export const cancelWords: Record<CancelReason, { title: string; text: string }> = open(
  {
    OUT_OF_STOCK: {
      title: "Sold out",
      text: "Somebody else was quicker: there was not enough left. Nothing was charged.",
    },
    PAYMENT_DECLINED: {
      title: "Payment declined",
      text: "The bank said no to this card. What was reserved for you is back on the shelf, and nothing was charged.",
    },
    PAYMENT_TIMEOUT: {
      title: "No payment in time",
      text: "The bank did not decide in time, so the order was given up. Money that still arrives is returned.",
    },
    CUSTOMER: { title: "Cancelled by you", text: "You cancelled this order. Nothing is kept." },
    OPERATOR: { title: "Cancelled by the shop", text: "The shop had to cancel this order. Nothing is kept." },
  },
  (code) => ({ title: spelled(code), text: "This order was given up. Nothing is kept." }),
);

export const stepWords: Record<OrderStep, { title: string; tone: Tone }> = open(
  {
    CREATED: { title: "Order placed", tone: "good" },
    RESERVING_STOCK: { title: "Reserving stock", tone: "neutral" },
    STOCK_RESERVED: { title: "Stock reserved", tone: "good" },
    STOCK_REFUSED: { title: "Not enough stock", tone: "bad" },
    STARTING_PAYMENT: { title: "Starting payment", tone: "neutral" },
    PAYMENT_STARTED: { title: "Waiting for the bank", tone: "neutral" },
    PAYMENT_CAPTURED: { title: "Payment captured", tone: "good" },
    PAYMENT_FAILED: { title: "Payment declined", tone: "bad" },
    STOCK_CONFIRMED: { title: "Stock confirmed", tone: "good" },
    PAID: { title: "Paid", tone: "good" },
    CANCELLING: { title: "Turning back", tone: "back" },
    PAYMENT_VOIDED: { title: "Payment voided", tone: "back" },
    STOCK_RELEASED: { title: "Stock released", tone: "back" },
    CANCELLED: { title: "Cancelled", tone: "back" },
    REFUNDING: { title: "Returning the money", tone: "back" },
    REFUNDED: { title: "Money returned", tone: "back" },
    SHIPPED: { title: "Shipped", tone: "good" },
    DELIVERED: { title: "Delivered", tone: "good" },
  },
  (code) => ({ title: spelled(code), tone: "neutral" }),
);

export const paymentWords: Record<PaymentStatus, string> = open(
  {
    INITIATED: "The bank is deciding",
    CAPTURED: "Paid",
    FAILED: "Declined",
    VOIDED: "Given up before any money was taken",
    REFUND_PENDING: "A refund is on its way",
    REFUNDED: "All of it was returned",
    PARTIALLY_REFUNDED: "A part of it was returned",
  },
  spelled,
);

export const refundWords: Record<RefundStatus, string> = open(
  {
    PENDING: "on its way",
    SUCCEEDED: "returned",
    FAILED: "needs a person; we see to it",
  },
  spelled,
);

/** What a return is about: "2 × Mug, 1 × Tea", or money alone. */
export function returnedWords(lines: readonly { title: string; quantity: number }[]): string {
  if (lines.length === 0) return "A part of the price";
  return lines.map((line) => `${line.quantity} × ${line.title}`).join(", ");
}

const declines: Record<string, string> = {
  insufficient_funds: "there is not enough money on the card",
  generic_decline: "the bank gave no reason",
  card_declined: "the bank gave no reason",
  expired_card: "the card has expired",
};

export function declineWords(code: string): string {
  return declines[code] ?? `the bank's reason: ${code.replaceAll("_", " ")}`;
}
