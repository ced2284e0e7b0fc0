import { describe, expect, it } from "vitest";
import { bothLines, type Companion, companions } from "../src/catalogue/together";
import type { BoughtWithQuery } from "../src/gql/documents";

const variant = (id: string, currencyCode = "USD", most: number | null = 9) => ({
  id,
  title: "Standard",
  price: { amount: "9.50", currencyCode },
  compareAtPrice: null,
  availability: most === null ? null : { status: "IN_STOCK" as const, maxOrderQuantity: most },
});
const companion = (parts: Partial<Companion> = {}): Companion => ({
  id: "prod_2",
  slug: "french-press",
  title: "French Press",
  brand: null,
  imageUrl: null,
  status: "ACTIVE",
  category: { id: "cat_1", name: "kitchen" },
  variants: [variant("var_2")],
  ...parts,
});
const told = (...products: Companion[]): BoughtWithQuery => ({
  product: { id: "prod_1", boughtWith: products.map((product) => ({ together: 3, product })) },
});
const chosen = { id: "var_1", price: { currencyCode: "USD" } };

describe("what is often bought together", () => {
  it("is nothing where nobody answers, or nobody bought", () => {
    expect(companions(undefined)).toEqual([]);
    expect(companions({ product: null })).toEqual([]);
    expect(companions({ product: { id: "prod_1", boughtWith: null } })).toEqual([]);
    expect(companions(told())).toEqual([]);
  });

  it("leaves out what is not for sale any more", () => {
    const shown = companions(told(companion({ id: "prod_3", status: "ARCHIVED" }), companion()));
    expect(shown.map(({ id }) => id)).toEqual(["prod_2"]);
  });
});

describe("both into the cart", () => {
  it("is one piece of each", () => {
    expect(bothLines(chosen, companion())).toEqual([
      { variantId: "var_1", quantity: 1 },
      { variantId: "var_2", quantity: 1 },
    ]);
  });

  it("is not offered where one has to choose first", () => {
    expect(bothLines(null, companion())).toBeNull();
    expect(bothLines(chosen, companion({ variants: [variant("a"), variant("b")] }))).toBeNull();
    expect(bothLines(chosen, companion({ variants: [] }))).toBeNull();
  });

  it("is not offered of two currencies, nor of what is sold out; what is not known may be there", () => {
    expect(bothLines(chosen, companion({ variants: [variant("a", "EUR")] }))).toBeNull();
    expect(bothLines(chosen, companion({ variants: [variant("a", "USD", 0)] }))).toBeNull();
    expect(bothLines(chosen, companion({ variants: [variant("a", "USD", null)] }))).not.toBeNull();
  });
});
