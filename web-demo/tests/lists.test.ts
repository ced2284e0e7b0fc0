import { describe, expect, it } from "vitest";
import { makeCache } from "../src/app/cache";
import { ProductsDocument } from "../src/gql/documents";

const variables = { first: 2, sort: "TITLE" as const };

function page(titles: string[], endCursor: string) {
  const nodes = titles.map((title) => ({
    __typename: "Product" as const,
    id: title,
    slug: title,
    title,
    brand: null,
    imageUrl: null,
    category: { __typename: "Category" as const, id: "c", name: "C" },
    variants: [],
  }));
  return {
    products: {
      __typename: "ProductConnection" as const,
      correctedText: null,
      nodes,
      pageInfo: { __typename: "PageInfo" as const, hasNextPage: true, endCursor },
    },
  };
}

/** What a list shows after its pages came in this order: each the cursor it was asked with, its titles, its end. */
function shown(...pages: [string | null, string[], string][]) {
  const cache = makeCache();
  for (const [after, titles, endCursor] of pages) {
    cache.writeQuery({
      query: ProductsDocument,
      variables: { ...variables, after },
      data: page(titles, endCursor),
    });
  }
  const { products } = cache.readQuery({ query: ProductsDocument, variables }) ?? {};
  return [products?.nodes.map((one) => one.title).join(""), products?.pageInfo.endCursor];
}

describe("pages of a list", () => {
  const first: [null, string[], string] = [null, ["a", "b"], "2"];
  const second: [string, string[], string] = ["2", ["c", "d"], "4"];
  const third: [string, string[], string] = ["4", ["e", "f"], "6"];

  it("follow one another", () => {
    expect(shown(first, second, third)).toEqual(["abcdef", "6"]);
  });
  it("stand there once, though they came twice", () => {
    expect(shown(first, second, second)).toEqual(["abcd", "4"]);
  });
  it("leave no gap when the list has begun anew meanwhile", () => {
    expect(shown(first, second, first, third)).toEqual(["ab", "2"]);
    expect(shown(first, second, first, third, second)).toEqual(["abcd", "4"]);
  });
});
