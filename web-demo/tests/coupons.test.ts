import { describe, expect, it } from "vitest";
import { couponWords } from "../src/lib/errors";
import {
  type Coupon,
  type CouponForm,
  EMPTY_FORM,
  givesWords,
  limitWords,
  parseAmount,
  readForm,
  standing,
  usedWords,
  validWords,
} from "../src/ops/coupons";
import { staffCouponWords, staffOrderWords } from "../src/ops/words";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const coupon = (parts: Partial<Coupon> = {}): Coupon => ({
  code: "WELCOME10",
  percentOff: 10,
  amountOff: null,
  minimumSubtotal: null,
  startsAt: "2026-01-01T00:00:00Z",
  endsAt: null,
  maxRedemptions: null,
  maxRedemptionsPerUser: null,
  redemptions: 0,
  isActive: true,
  ...parts,
});
const filled = (parts: Partial<CouponForm>) => readForm({ ...EMPTY_FORM, code: "spring-15", ...parts });
const usd = (amount: string) => ({ amount, currencyCode: "USD" });

describe("a coupon in words", () => {
  it("says what it gives", () => {
    expect(givesWords(coupon(), "en-US")).toBe("10% off");
    expect(givesWords(coupon({ percentOff: null, amountOff: usd("5") }), "en-US")).toBe("$5.00 off");
  });

  it("says for whom, and nothing when for anybody", () => {
    expect(limitWords(coupon())).toBeNull();
    const limited = coupon({ minimumSubtotal: usd("30.00"), maxRedemptionsPerUser: 1 });
    expect(limitWords(limited, "en-US")).toBe("from $30.00 on, once for each buyer");
    expect(limitWords(coupon({ maxRedemptionsPerUser: 3 }))).toBe("3 times for each buyer");
  });

  it("says when, and how often it was used", () => {
    expect(validWords(coupon())).toMatch(/^From .* on$/);
    expect(validWords(coupon({ endsAt: "2026-02-01T00:00:00Z" }))).toMatch(/^From .* until /);
    expect(usedWords(coupon({ redemptions: 1200 }), "en-US")).toBe("1,200");
    expect(usedWords(coupon({ redemptions: 3, maxRedemptions: 10 }), "en-US")).toBe("3 of 10");
  });

  it("knows where it is in its life", () => {
    const label = (parts: Partial<Coupon>) => standing(coupon(parts), NOW).label;
    expect(label({})).toBe("Active");
    expect(label({ isActive: false, endsAt: "2026-06-01T12:00:00Z" })).toBe("Ended");
    expect(label({ isActive: false, startsAt: "2026-07-01T00:00:00Z" })).toBe("Not yet");
    expect(label({ isActive: false, redemptions: 5, maxRedemptions: 5 })).toBe("Used up");
    expect(standing(coupon({ isActive: false, endsAt: "2026-01-02T00:00:00Z" }), NOW).open).toBe(false);
  });
});

describe("a coupon from a form", () => {
  it("asks for what was filled in and for nothing else", () => {
    const { input } = filled({ maxPerUser: "" });
    expect(JSON.parse(JSON.stringify(input))).toEqual({ code: "SPRING-15", percentOff: 10 });
  });

  it("reads amounts, times and limits", () => {
    const { input } = filled({
      kind: "amount",
      amount: "5,50",
      minimum: "30",
      currencyCode: "usd",
      startsAt: "2090-01-01T08:00",
      endsAt: "2090-02-01T08:00",
      max: "100",
    });
    expect(input).toMatchObject({
      amountOff: usd("5.50"),
      minimumSubtotal: usd("30"),
      startsAt: new Date("2090-01-01T08:00").toISOString(),
      maxRedemptions: 100,
      maxRedemptionsPerUser: 1,
    });
    expect(input).not.toHaveProperty("percentOff");
  });

  it.each([
    ["code", { code: "A B" }],
    ["code", { code: "ab" }],
    ["percent", { percent: "101" }],
    ["percent", { percent: "0" }],
    ["percent", { percent: "12.5" }],
    ["amount", { kind: "amount", amount: "0.00" }],
    ["amount", { kind: "amount", amount: "" }],
    ["minimum", { minimum: "-3" }],
    ["currencyCode", { minimum: "3", currencyCode: "$" }],
    ["endsAt", { startsAt: "2090-02-01T08:00", endsAt: "2090-01-01T08:00" }],
    ["endsAt", { endsAt: "2001-01-01T08:00" }],
    ["max", { max: "0" }],
    ["maxPerUser", { maxPerUser: "99999999999" }],
  ] as [keyof CouponForm, Partial<CouponForm>][])("names the field at fault: %s of %j", (field, parts) => {
    const { input, mistakes } = filled(parts);
    expect(input).toBeNull();
    expect(Object.keys(mistakes ?? {})).toEqual([field]);
  });

  it("takes no amount that is finer than its currency", () => {
    expect(parseAmount("1.999", "USD")).toBeNull();
    expect(parseAmount("100.5", "JPY")).toBeNull();
    expect(parseAmount("100", "JPY")).toBe("100");
    expect(parseAmount("1e3", "USD")).toBeNull();
  });
});

describe("refusals of coupons", () => {
  it("have words, those that are newer than the page too", () => {
    expect(couponWords.USED_BY_YOU).toContain("already");
    expect(couponWords["SOMETHING_NEW" as never]).toContain("can't be used");
    expect(staffCouponWords("NOT_FOUND")).toContain("coupon");
    expect(staffOrderWords("NOT_FOUND")).toContain("order");
    expect(staffCouponWords("COUPON_EXISTS")).toContain("already");
  });
});
