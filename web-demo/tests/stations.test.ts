import { describe, expect, it } from "vitest";
import type { OrderEventPartsFragment, OrderStep } from "../src/gql/documents";
import { journey } from "../src/orders/stations";

const events = (...steps: OrderStep[]): OrderEventPartsFragment[] =>
  steps.map((step, index) => ({
    sequence: index + 1,
    step,
    status: "PENDING",
    message: "",
    at: `2026-01-01T00:00:${String(index).padStart(2, "0")}Z`,
  }));

const drawn = (...steps: OrderStep[]) => {
  const { forward, back } = journey(events(...steps));
  const show = (stations: typeof forward) => stations.map((one) => `${one.key}:${one.state}`);
  return { forward: show(forward), back: show(back) };
};

const RESERVED = ["CREATED", "RESERVING_STOCK", "STOCK_RESERVED"] as const;
const STARTED = [...RESERVED, "STARTING_PAYMENT", "PAYMENT_STARTED"] as const;

describe("the saga as a picture", () => {
  it("moves from left to right", () => {
    expect(drawn().forward).toEqual(["placed:active", "stock:todo", "payment:todo", "paid:todo"]);
    expect(drawn("CREATED", "RESERVING_STOCK").forward).toEqual([
      "placed:done",
      "stock:active",
      "payment:todo",
      "paid:todo",
    ]);
    expect(drawn(...STARTED).forward).toEqual(["placed:done", "stock:done", "payment:active", "paid:todo"]);
    expect(drawn(...STARTED, "PAYMENT_CAPTURED").forward.at(-1)).toBe("paid:active");
  });

  it("is all done when paid, and grows when shipped", () => {
    const paid = [...STARTED, "PAYMENT_CAPTURED", "STOCK_CONFIRMED", "PAID"] as const;
    expect(drawn(...paid)).toEqual({
      forward: ["placed:done", "stock:done", "payment:done", "paid:done"],
      back: [],
    });
    expect(drawn(...paid, "SHIPPED").forward.at(-1)).toBe("delivery:active");
    expect(drawn(...paid, "SHIPPED", "DELIVERED").forward.at(-1)).toBe("delivery:done");
  });

  it("turns round when the card is declined: nothing to void, the stock goes back", () => {
    const declined = [...RESERVED, "STARTING_PAYMENT", "PAYMENT_FAILED", "CANCELLING"] as const;
    expect(drawn(...declined)).toEqual({
      forward: ["placed:done", "stock:done", "payment:refused", "paid:skipped"],
      back: ["money:skipped", "stock-back:active", "ended:todo"],
    });
    expect(drawn(...declined, "STOCK_RELEASED", "CANCELLED")).toEqual({
      forward: ["placed:done", "stock:undone", "payment:refused", "paid:skipped"],
      back: ["money:skipped", "stock-back:done", "ended:done"],
    });
  });

  it("has no payment to undo when it is sold out", () => {
    expect(drawn("CREATED", "RESERVING_STOCK", "STOCK_REFUSED", "CANCELLING", "CANCELLED")).toEqual({
      forward: ["placed:done", "stock:refused", "payment:skipped", "paid:skipped"],
      back: ["money:skipped", "stock-back:skipped", "ended:done"],
    });
  });

  it("voids the payment before it releases the stock", () => {
    expect(drawn(...STARTED, "CANCELLING").back).toEqual(["money:active", "stock-back:todo", "ended:todo"]);
    expect(drawn(...STARTED, "CANCELLING", "PAYMENT_VOIDED").back).toEqual([
      "money:done",
      "stock-back:active",
      "ended:todo",
    ]);
  });

  it("returns money that came too late", () => {
    const cancelled = [...STARTED, "CANCELLING", "PAYMENT_VOIDED", "STOCK_RELEASED", "CANCELLED"] as const;
    expect(drawn(...cancelled, "REFUNDING").back).toEqual(["money:active", "stock-back:done", "ended:todo"]);
    expect(drawn(...cancelled, "REFUNDING", "REFUNDED").back).toEqual([
      "money:done",
      "stock-back:done",
      "ended:done",
    ]);
  });
});
