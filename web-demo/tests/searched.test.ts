import { describe, expect, it } from "vitest";
import { searchedFor } from "../src/catalogue/searched";

describe("a corrected search", () => {
  it("says what was searched for, and instead of what", () => {
    expect(searchedFor("cofee", "coffee")).toBe(
      "Showing results for “coffee”: nothing was found for “cofee”.",
    );
  });

  it("is silent where nothing was corrected, or nothing is asked any more", () => {
    expect(searchedFor("coffee", null)).toBeNull();
    expect(searchedFor("coffee", undefined)).toBeNull();
    expect(searchedFor("", "coffee")).toBeNull();
  });
});
