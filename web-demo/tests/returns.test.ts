import { describe, expect, it } from "vitest";
import { chosenLines, EMPTY_SEARCH, left, readRefund, readSearch } from "../src/ops/returns";
import { movementWords, returnWords, staffOrderWords } from "../src/ops/words";
import { returnedWords } from "../src/orders/words";

const line = (id: string, quantity: number, returnedQuantity = 0) => ({
  id,
  title: `Mug ${id}`,
  sku: `SKU-${id}`,
  quantity,
  returnedQuantity,
});

describe("what comes back", () => {
  const lines = [line("a", 3), line("b", 2, 1), line("c", 1, 1)];

  it("is what is left of what was bought", () => {
    expect(lines.map(left)).toEqual([3, 1, 0]);
  });

  it("is sent for lines that were filled in, never for more than is left", () => {
    expect(chosenLines(lines, {})).toEqual([]);
    expect(
      chosenLines(lines, {
        c: { quantity: 1, restock: true },
        b: { quantity: 5, restock: false },
        a: { quantity: 2.7, restock: true },
        unknown: { quantity: 1, restock: true },
      }),
    ).toEqual([
      { lineId: "a", quantity: 2, restock: true },
      { lineId: "b", quantity: 1, restock: false },
    ]);
    expect(chosenLines(lines, { a: { quantity: Number.NaN, restock: true } })).toEqual([]);
    expect(chosenLines(lines, { a: { quantity: -1, restock: true } })).toEqual([]);
  });

  it("is an amount up to what is left, to the cent", () => {
    const most = { amount: "10.50", currencyCode: "USD" };
    expect(readRefund("10,50", most).amount).toEqual({ amount: "10.50", currencyCode: "USD" });
    expect(readRefund("10.51", most).mistake).toMatch(/more than is left/i);
    for (const text of ["", "0", "-1", "1.005", "five"]) {
      expect(readRefund(text, most).mistake).toMatch(/more than nothing/);
    }
    expect(readRefund("1.5", { amount: "100", currencyCode: "JPY" }).amount).toBeNull();
  });

  it("has words", () => {
    expect(returnedWords([])).toBe("A part of the price");
    expect(
      returnedWords([
        { title: "Mug", quantity: 2 },
        { title: "Tea", quantity: 1 },
      ]),
    ).toBe("2 × Mug, 1 × Tea");
    expect(returnWords.DONE.label).toBe("Done");
    expect(movementWords.RETURN).toBe("Returned by the buyer");
    expect(staffOrderWords("RETURN_EXCEEDS_ORDER")).toMatch(/not left with the buyer/);
    expect(staffOrderWords("REFUND_EXCEEDS_PAYMENT")).toMatch(/not left of what was paid/);
  });
});

describe("the search of operators", () => {
  it("asks for nothing when nothing is filled in", () => {
    expect(readSearch(EMPTY_SEARCH)).toEqual({});
    expect(readSearch({ ...EMPTY_SEARCH, text: " -- " })).toEqual({});
  });

  it("takes both days whole", () => {
    const filter = readSearch({ text: " M-100012 ", status: "PAID", from: "2026-06-01", to: "2026-06-01" });
    expect(filter.text).toBe("M-100012");
    expect(filter.status).toEqual(["PAID"]);
    const span = Date.parse(filter.placedBefore as string) - Date.parse(filter.placedFrom as string);
    expect(span).toBe(24 * 3600 * 1000);
    expect(readSearch({ ...EMPTY_SEARCH, from: "soon" })).toEqual({});
  });
});
