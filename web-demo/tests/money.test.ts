import { describe, expect, it } from "vitest";
import { compareAmounts, discountPercent, formatMoney, isZero, priceRange, subtract } from "../src/lib/money";

const usd = (amount: string) => ({ amount, currencyCode: "USD" });

describe("money", () => {
  it("is written as the locale does, digit for digit", () => {
    expect(formatMoney(usd("1234.50"), "en-US")).toBe("$1,234.50");
    expect(formatMoney({ amount: "1234.5", currencyCode: "EUR" }, "de-DE").replace(/\s/g, " ")).toBe(
      "1.234,50 €",
    );
    expect(formatMoney({ amount: "1200", currencyCode: "JPY" }, "en-US")).toBe("¥1,200");
    // Beyond what a float holds.
    expect(formatMoney(usd("90071992547409931.23"), "en-US")).toBe("$90,071,992,547,409,931.23");
  });

  it("is taken away exactly", () => {
    const left = (a: string, b: string) => subtract(usd(a), usd(b)).amount;
    expect(left("6984.45", "209.53")).toBe("6774.92");
    expect(left("10", "0.05")).toBe("9.95");
    expect(left("0.10", "0.10")).toBe("0.00");
    expect(left("1.00", "1.05")).toBe("-0.05");
    expect(left("1200", "200")).toBe("1000");
    // Beyond what a float holds.
    expect(left("90071992547409931.23", "0.01")).toBe("90071992547409931.22");
  });

  it("is compared exactly", () => {
    expect(compareAmounts("10.10", "10.1")).toBe(0);
    expect(compareAmounts("9.99", "10")).toBe(-1);
    expect(compareAmounts("-1", "-2")).toBe(1);
    expect(compareAmounts("90071992547409931.24", "90071992547409931.23")).toBe(1);
    expect(isZero(usd("0.00"))).toBe(true);
  });

  it("knows a discount only where there is one", () => {
    expect(discountPercent(usd("15"), usd("20"))).toBe(25);
    expect(discountPercent(usd("20"), usd("20"))).toBeNull();
    expect(discountPercent(usd("15"), null)).toBeNull();
    expect(discountPercent(usd("15"), { amount: "20", currencyCode: "EUR" })).toBeNull();
    expect(discountPercent(usd("19.99"), usd("20"))).toBeNull();
  });

  it("finds the lowest of some prices", () => {
    expect(priceRange([])).toBeNull();
    expect(priceRange([usd("10.0"), usd("10.00")])?.varies).toBe(false);
    expect(priceRange([usd("17.50"), usd("9.90"), usd("100")])).toEqual({ from: usd("9.90"), varies: true });
  });
});
