import { describe, expect, it } from "vitest";
import { roundUp } from "../src/ops/Chart";
import type { OrderStatus, OrderStep } from "../src/ops/documents";
import { BUCKETS, type HeardEvent, type HeardOrder, Ledger, percentile, UNITS } from "../src/ops/ledger";

const START = Date.parse("2026-01-01T12:00:00Z");
const at = (ms: number) => new Date(START + ms).toISOString();

const order = (id: string, more: Partial<HeardOrder> = {}): HeardOrder => ({
  id,
  number: `M-${id}`,
  status: "PENDING",
  version: 3,
  isFinal: true,
  cancelReason: null,
  placedAt: at(0),
  total: { amount: "10.50", currencyCode: "USD" },
  ...more,
});

const event = (
  sequence: number,
  step: OrderStep,
  ms: number,
  status: OrderStatus = "PENDING",
): HeardEvent => ({
  sequence,
  step,
  status,
  message: "",
  at: at(ms),
});

const paid = (): HeardEvent[] => [
  event(1, "CREATED", 0),
  event(2, "STOCK_RESERVED", 40),
  event(3, "PAID", 200, "PAID"),
];

describe("the ledger of all orders", () => {
  it("counts each step once, however often it is told", () => {
    const ledger = new Ledger();
    for (const one of [...paid(), ...paid()]) ledger.hear(one, order("1"));
    ledger.learn(order("1"), paid(), true);
    const figures = ledger.figures(START + 1_000, 10);
    expect(figures).toMatchObject({ placed: 1, paid: 1, steps: 3, open: 0, healed: 0, p50: 200 });
    expect(figures.revenue).toEqual([{ amount: "10.5000", currencyCode: "USD" }]);
  });

  it("asks for what is missing, and then counts it in its own time", () => {
    const ledger = new Ledger();
    expect(ledger.hear(event(1, "CREATED", 0), order("1"))).toBe(false);
    expect(ledger.hear(event(3, "PAID", 200, "PAID"), order("1"))).toBe(true);
    expect(ledger.figures(START + 1_000, 10).paid).toBe(0);
    expect(ledger.knows("1", 3)).toBe(false);
    ledger.learn(order("1"), paid(), false);
    expect(ledger.knows("1", 3)).toBe(true);
    expect(ledger.figures(START + 1_000, 10)).toMatchObject({ placed: 1, paid: 1, steps: 3 });
  });

  it("says how many orders the feed left out", () => {
    const ledger = new Ledger();
    ledger.learn(order("1"), paid(), true);
    ledger.learn(order("2"), paid(), false);
    expect(ledger.figures(START, 10).healed).toBe(1);
    // It was only late.
    for (const one of paid()) ledger.hear(one, order("1"));
    expect(ledger.figures(START, 10)).toMatchObject({ healed: 0, steps: 6 });
    // Told in another order, and found by asking meanwhile: nothing was left out.
    const [first, second, third] = paid() as [HeardEvent, HeardEvent, HeardEvent];
    for (const one of [third, second]) expect(ledger.hear(one, order("3"))).toBe(true);
    ledger.learn(order("3"), paid(), true);
    expect(ledger.figures(START, 10).healed).toBe(1);
    ledger.hear(first, order("3"));
    expect(ledger.figures(START, 10).healed).toBe(0);
  });

  it("tells refusals by reason, and revenue exactly and by currency", () => {
    const ledger = new Ledger();
    for (let index = 0; index < 1_000; index += 1) {
      ledger.learn(order(`p${index}`, { total: { amount: "0.10", currencyCode: "EUR" } }), paid(), false);
    }
    const refused = order("r", { cancelReason: "PAYMENT_DECLINED" });
    ledger.learn(refused, [event(1, "CREATED", 0), event(2, "CANCELLED", 90, "CANCELLED")], false);
    const figures = ledger.figures(START + 5_000, 10);
    expect([...figures.refused]).toEqual([["PAYMENT_DECLINED", 1]]);
    expect(figures.revenue).toEqual([{ amount: "100.0000", currencyCode: "EUR" }]);
    expect(figures.buckets.at(-1)?.revenue.get("EUR")).toBe(100n * BigInt(UNITS));
    expect(figures.orders).toBe(1_001);
  });

  it("forgets what is older than its window, and never grows without end", () => {
    const ledger = new Ledger();
    for (let index = 0; index < 5_000; index += 1) {
      const placedAt = at(index * 1_000);
      const all = paid().map((one) => ({
        ...one,
        at: new Date(Date.parse(one.at) + index * 1_000).toISOString(),
      }));
      ledger.learn(order(String(index), { placedAt }), all, false);
    }
    const figures = ledger.figures(START + 5_000_000, 5_000);
    expect(figures.buckets).toHaveLength(BUCKETS);
    expect(figures.placed).toBeLessThanOrEqual(600);
    expect(figures.rows.length).toBeLessThanOrEqual(1_500);
    expect(figures.rows[0]?.id).toBe("4999");
  });

  it("keeps orders that are on their way when it has to forget some", () => {
    const ledger = new Ledger();
    ledger.learn(order("open", { isFinal: false, version: 1 }), [event(1, "CREATED", 0)], false);
    for (let index = 0; index < 2_000; index += 1) ledger.learn(order(String(index)), paid(), false);
    expect(ledger.figures(START, 10).open).toBe(1);
    expect(ledger.knows("open", 1)).toBe(true);
  });
});

describe("the charts' figures", () => {
  it("are percentiles by nearest rank", () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 0.99)).toBe(99);
  });

  it("end their scale at a round number", () => {
    expect([0, 1, 3, 7, 12, 180, 640].map(roundUp)).toEqual([1, 1, 5, 10, 20, 200, 1000]);
  });
});
