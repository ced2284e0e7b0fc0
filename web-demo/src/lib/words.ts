// Words for the codes of the graph. Enums only grow, and the shop may be newer than the page that is open: a code that
// was added since gets words too.

/** `PARTIALLY_REFUNDED` as people write it. */
export function spelled(code: string): string {
  const words = code.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `words`, and for every code that is not among them what `other` says. */
export function open<K extends string, V>(words: Record<K, V>, other: (code: string) => V): Record<K, V> {
  return new Proxy(words, {
    get: (known, code) =>
      typeof code === "symbol" || Object.hasOwn(known, code) ? Reflect.get(known, code) : other(code),
  });
}
