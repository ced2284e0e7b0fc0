// The saga as a picture: stations on the way there, and on the way back if it has to turn round.
import type { OrderEventPartsFragment as OrderEvent, OrderStep } from "../gql/documents";

export type StationState = "todo" | "active" | "done" | "refused" | "undone" | "skipped";

export interface Station {
  key: string;
  label: string;
  detail: string;
  state: StationState;
  /** When it was reached. */
  at: string | null;
}

export interface Journey {
  forward: Station[];
  /** Empty unless the order turned round. From the last station back to the first. */
  back: Station[];
}

type Times = ReadonlyMap<OrderStep, string>;

function times(events: readonly OrderEvent[]): Times {
  const first = new Map<OrderStep, string>();
  for (const event of events) if (!first.has(event.step)) first.set(event.step, event.at);
  return first;
}

function first(seen: Times, ...steps: OrderStep[]): string | null {
  for (const step of steps) {
    const at = seen.get(step);
    if (at) return at;
  }
  return null;
}

function stockStation(seen: Times, turned: boolean): Station {
  const base = { key: "stock", label: "Stock" };
  const at = first(seen, "STOCK_RESERVED");
  if (seen.has("STOCK_REFUSED")) {
    return { ...base, state: "refused", detail: "not enough left", at: first(seen, "STOCK_REFUSED") };
  }
  if (seen.has("STOCK_RELEASED")) return { ...base, state: "undone", detail: "was reserved", at };
  if (at) return { ...base, state: "done", detail: "reserved", at };
  if (turned) return { ...base, state: "skipped", detail: "not needed", at: null };
  if (seen.has("RESERVING_STOCK")) return { ...base, state: "active", detail: "reserving", at: null };
  return { ...base, state: "todo", detail: "to be reserved", at: null };
}

function paymentStation(seen: Times, turned: boolean): Station {
  const base = { key: "payment", label: "Payment" };
  const captured = first(seen, "PAYMENT_CAPTURED");
  if (seen.has("PAYMENT_FAILED")) {
    return { ...base, state: "refused", detail: "declined", at: first(seen, "PAYMENT_FAILED") };
  }
  if (seen.has("REFUNDED")) return { ...base, state: "undone", detail: "was captured", at: captured };
  if (seen.has("PAYMENT_VOIDED")) return { ...base, state: "undone", detail: "was not taken", at: null };
  if (captured) return { ...base, state: "done", detail: "captured", at: captured };
  if (turned) return { ...base, state: "skipped", detail: "not taken", at: null };
  if (seen.has("PAYMENT_STARTED")) return { ...base, state: "active", detail: "the bank decides", at: null };
  if (seen.has("STARTING_PAYMENT")) return { ...base, state: "active", detail: "starting", at: null };
  return { ...base, state: "todo", detail: "to be captured", at: null };
}

function paidStation(seen: Times, turned: boolean): Station {
  const base = { key: "paid", label: "Paid" };
  const at = first(seen, "PAID");
  if (at && seen.has("REFUNDED")) return { ...base, state: "undone", detail: "was yours", at };
  if (at) return { ...base, state: "done", detail: "it is yours", at };
  if (turned) return { ...base, state: "skipped", detail: "not reached", at: null };
  if (seen.has("PAYMENT_CAPTURED")) return { ...base, state: "active", detail: "confirming stock", at: null };
  return { ...base, state: "todo", detail: "then it is yours", at: null };
}

function deliveryStation(seen: Times): Station[] {
  const delivered = first(seen, "DELIVERED");
  if (delivered)
    return [{ key: "delivery", label: "Delivered", detail: "with you", state: "done", at: delivered }];
  const shipped = first(seen, "SHIPPED");
  return shipped
    ? [{ key: "delivery", label: "Shipped", detail: "on its way", state: "active", at: shipped }]
    : [];
}

/** Money first, then stock, then the order: the way back runs against the way there. */
function wayBack(seen: Times): Station[] {
  const refunding = seen.has("REFUNDING");
  const over = refunding ? first(seen, "REFUNDED") : first(seen, "CANCELLED");
  const moneyAt = refunding ? over : first(seen, "PAYMENT_VOIDED");
  const nothingTaken = seen.has("PAYMENT_FAILED") || !first(seen, "STARTING_PAYMENT", "PAYMENT_STARTED");
  const money: Station = refunding
    ? station(
        "money",
        "Refund",
        moneyAt ? "money returned" : "returning money",
        moneyAt ? "done" : "active",
        moneyAt,
      )
    : moneyAt
      ? station("money", "Payment void", "nothing taken", "done", moneyAt)
      : station(
          "money",
          "Payment void",
          "nothing to undo",
          nothingTaken || over ? "skipped" : "active",
          null,
        );
  const stockAt = first(seen, "STOCK_RELEASED");
  const held = seen.has("STOCK_RESERVED") && !seen.has("STOCK_REFUSED");
  const stock: Station = stockAt
    ? station("stock-back", "Stock released", "back on the shelf", "done", stockAt)
    : held && !over
      ? station(
          "stock-back",
          "Stock released",
          "to be released",
          money.state === "active" ? "todo" : "active",
          null,
        )
      : station("stock-back", "Stock", "nothing to release", "skipped", null);
  const label = refunding ? "Refunded" : "Cancelled";
  const end = station(
    "ended",
    label,
    over ? "all undone" : "when all is undone",
    over ? "done" : "todo",
    over,
  );
  return [money, stock, end];
}

function station(
  key: string,
  label: string,
  detail: string,
  state: StationState,
  at: string | null,
): Station {
  return { key, label, detail, state, at };
}

/** What the steps so far look like. */
export function journey(events: readonly OrderEvent[]): Journey {
  const seen = times(events);
  const turned = seen.has("CANCELLING") || seen.has("REFUNDING") || seen.has("CANCELLED");
  const placed = first(seen, "CREATED");
  return {
    forward: [
      station(
        "placed",
        "Placed",
        placed ? "safely stored" : "on its way",
        placed ? "done" : "active",
        placed,
      ),
      stockStation(seen, turned),
      paymentStation(seen, turned),
      paidStation(seen, turned),
      ...deliveryStation(seen),
    ],
    back: turned ? wayBack(seen) : [],
  };
}
