/**
 * TypeIDs: a prefix that names the noun and a UUID in Crockford base32. The same text stands in the graph, in events
 * and in logs; stores hold the bare UUID.
 */

import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The nouns this service speaks of. */
export type Prefix = "usr" | "ses" | "prod" | "ord" | "rev" | "evt";

/** A new time-ordered UUID (version 7). */
export function uuidv7(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The text of an id. */
export function showId(prefix: Prefix, uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let suffix = "";
  for (let place = 0; place < 26; place += 1) {
    suffix = ALPHABET.charAt(Number(rest & 31n)) + suffix;
    rest >>= 5n;
  }
  return `${prefix}_${suffix}`;
}

/** The UUID of an id of this kind; nothing for any other text. */
export function readId(prefix: Prefix, text: string): string | undefined {
  const suffix = text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : "";
  if (!SUFFIX.test(suffix)) return undefined;
  let value = 0n;
  for (const digit of suffix) value = (value << 5n) | BigInt(ALPHABET.indexOf(digit));
  const hex = value.toString(16).padStart(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
