import { describe, expect, it } from "vitest";
import {
  byCount,
  dayBegins,
  funnelSteps,
  isQuiet,
  line,
  pointLabel,
  type Report,
  rangeOf,
  secondsWords,
  shareWords,
  type View,
} from "../src/ops/sales";

const NOW = Date.parse("2026-11-27T05:20:00Z");
const usd = (amount: string) => ({ amount, currencyCode: "USD" });
const figures = (orders: number) => ({
  orders,
  paid: orders,
  cancelled: 0,
  revenue: usd("0.00"),
  refunded: usd("0.00"),
  discounts: usd("0.00"),
});
const report = (orders: number, carts: number) =>
  ({ totals: figures(orders), funnel: { carts, orders, paid: orders } }) as Report;

describe("the time of a report", () => {
  it("is whole days of UTC, with today as the last", () => {
    expect(rangeOf("today", NOW)).toEqual({
      from: "2026-11-27T00:00:00.000Z",
      to: "2026-11-28T00:00:00.000Z",
      interval: "HOUR",
    });
    expect(rangeOf("week", NOW)).toEqual({
      from: "2026-11-21T00:00:00.000Z",
      to: "2026-11-28T00:00:00.000Z",
      interval: "DAY",
    });
    expect(rangeOf("month", NOW).from).toBe("2026-10-29T00:00:00.000Z");
  });

  it("stays the same until the day is over", () => {
    for (const view of ["today", "week", "month"] satisfies View[]) {
      const first = rangeOf(view, Date.parse("2026-11-27T00:00:00.000Z"));
      const last = rangeOf(view, Date.parse("2026-11-27T23:59:59.999Z"));
      expect(last).toEqual(first);
      expect(rangeOf(view, Date.parse("2026-11-28T00:00:00.000Z")).from > first.from).toBe(true);
    }
  });

  it("says where a day begins, if that is another time here", () => {
    const zone = process.env.TZ;
    process.env.TZ = "UTC";
    expect(dayBegins(NOW, "en-US")).toBeNull();
    process.env.TZ = "America/New_York";
    expect(dayBegins(NOW, "en-US")?.replace("\u202f", " ")).toBe("7:00 PM");
    process.env.TZ = "Asia/Kolkata";
    expect(dayBegins(NOW, "en-GB")).toBe("5:30");
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
});

describe("a report in words", () => {
  it("names days as UTC has them", () => {
    expect(pointLabel("2026-11-27T00:00:00Z", "DAY", "en-US")).toBe("Nov 27");
    expect(pointLabel("2026-11-27T00:00:00Z", "DAY", "de-DE")).toBe("27. Nov.");
  });

  it("knows a share of nothing from no share", () => {
    expect(shareWords(187, 217, "en-US")).toBe("86%");
    expect(shareWords(0, 10, "en-US")).toBe("0%");
    expect(shareWords(0, 0, "en-US")).toBe("–");
  });

  it("writes how long orders took", () => {
    expect(secondsWords(0.84, "en-US")).toBe("840 ms");
    expect(secondsWords(2.14, "en-US")).toBe("2.1 sec");
    expect(secondsWords(null)).toBe("–");
    expect(secondsWords(undefined)).toBe("–");
  });

  it("puts the most frequent refusal first", () => {
    const counts = byCount([
      { reason: "CUSTOMER", orders: 2 },
      { reason: "OPERATOR", orders: 0 },
      { reason: "OUT_OF_STOCK", orders: 9 },
    ]);
    expect(counts.map(({ reason }) => reason)).toEqual(["OUT_OF_STOCK", "CUSTOMER"]);
  });

  it("is quiet only if nothing happened at all", () => {
    expect(isQuiet(report(0, 0))).toBe(true);
    expect(isQuiet(report(0, 3))).toBe(false);
    expect(isQuiet(report(1, 0))).toBe(false);
  });
});

describe("what is drawn of a report", () => {
  it("ends where the time has come to", () => {
    const series = ["04:00", "05:00", "06:00"].map((hour, index) => ({
      at: `2026-11-27T${hour}:00Z`,
      figures: figures(index),
    }));
    expect(line(series, NOW, ({ orders }) => orders)).toEqual([0, 1, null]);
  });

  it("narrows from cart to money", () => {
    const steps = funnelSteps({ carts: 200, orders: 100, paid: 90 }, "en-US");
    expect(steps.map(({ share }) => share)).toEqual([1, 0.5, 0.45]);
    expect(steps.map(({ kept }) => kept)).toEqual([null, "50%", "90%"]);
  });

  it("says no share where a step is wider than the one before, or nothing", () => {
    const old = funnelSteps({ carts: 1, orders: 4, paid: 2 }, "en-US");
    expect(old.map(({ share }) => share)).toEqual([0.25, 1, 0.5]);
    expect(old.map(({ kept }) => kept)).toEqual([null, null, "50%"]);
    const none = funnelSteps({ carts: 0, orders: 0, paid: 0 }, "en-US");
    expect(none.map(({ share, kept }) => [share, kept])).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
  });
});
