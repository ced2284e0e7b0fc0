import { describe, expect, it } from "vitest";
import { readableName } from "../src/catalogue/categories";
import { isFiltered, readWanted, toFilter, writeWanted } from "../src/catalogue/filters";

describe("a list in the address", () => {
  it("survives the way there and back", () => {
    const query = "q=green+tea&category=cat_1&brand=Kolibri&min=5&max=20.50&sort=PRICE_ASC";
    expect(writeWanted(readWanted(new URLSearchParams(query))).toString()).toBe(query);
  });

  it("forgets what is nonsense", () => {
    const wanted = readWanted(new URLSearchParams("q=+&min=abc&max=-1&sort=WRONG"));
    expect(isFiltered(wanted)).toBe(false);
    expect(toFilter(wanted)).toBeNull();
    expect(wanted.sort).toBe("RELEVANCE");
  });

  it("asks only for what is wanted", () => {
    expect(toFilter(readWanted(new URLSearchParams("brand=Kolibri&min=5")))).toEqual({
      brand: "Kolibri",
      minPrice: "5",
    });
  });
});

describe("a category's name", () => {
  it("is no shout", () => {
    expect(readableName("FRZN ICE")).toBe("Frzn Ice");
    expect(readableName("COUPONS/STORE & MFG")).toBe("Coupons/Store & Mfg");
    expect(readableName("Audio & Tech")).toBe("Audio & Tech");
  });
});
