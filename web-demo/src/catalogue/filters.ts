// What a list shows, as it stands in the address: a reload, the back button and a shared link all keep it.
import type { ProductFilter, ProductSort } from "../gql/documents";

export interface Wanted {
  text: string;
  categoryId: string | null;
  brand: string | null;
  minPrice: string | null;
  maxPrice: string | null;
  sort: ProductSort;
}

export const SORTS: { value: ProductSort; label: string }[] = [
  { value: "RELEVANCE", label: "Best match" },
  { value: "NEWEST", label: "Newest" },
  { value: "PRICE_ASC", label: "Price, low to high" },
  { value: "PRICE_DESC", label: "Price, high to low" },
  { value: "TITLE", label: "Name" },
];

const AMOUNT = /^\d{1,9}(\.\d{1,2})?$/;

function amount(text: string | null): string | null {
  return text && AMOUNT.test(text) ? text : null;
}

export function readWanted(params: URLSearchParams): Wanted {
  const sort = params.get("sort");
  return {
    text: (params.get("q") ?? "").trim(),
    categoryId: params.get("category"),
    brand: params.get("brand"),
    minPrice: amount(params.get("min")),
    maxPrice: amount(params.get("max")),
    sort: SORTS.find((known) => known.value === sort)?.value ?? "RELEVANCE",
  };
}

export function writeWanted(wanted: Wanted): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string | null) => {
    if (value) params.set(name, value);
  };
  put("q", wanted.text);
  put("category", wanted.categoryId);
  put("brand", wanted.brand);
  put("min", wanted.minPrice);
  put("max", wanted.maxPrice);
  put("sort", wanted.sort === "RELEVANCE" ? null : wanted.sort);
  return params;
}

export function isFiltered(wanted: Wanted): boolean {
  return Boolean(wanted.text || wanted.categoryId || wanted.brand || wanted.minPrice || wanted.maxPrice);
}

/** Only what is asked for: lists that ask the same share a place in the cache. */
export function toFilter(wanted: Wanted): ProductFilter | null {
  if (!isFiltered(wanted)) return null;
  return {
    ...(wanted.text ? { text: wanted.text } : {}),
    ...(wanted.categoryId ? { categoryId: wanted.categoryId } : {}),
    ...(wanted.brand ? { brand: wanted.brand } : {}),
    ...(wanted.minPrice ? { minPrice: wanted.minPrice } : {}),
    ...(wanted.maxPrice ? { maxPrice: wanted.maxPrice } : {}),
  };
}
