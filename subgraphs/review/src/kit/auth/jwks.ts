/** The user keys, cached: one fetch at a time, unknown key ids refetch rarely, the last good set outlives auth. */

import { type CryptoKey, importJWK } from "jose";
import { z } from "zod";
import { readId } from "../id.ts";
import { logOf, reasonOf } from "../log.ts";

/** A flood of tokens with made-up key ids costs one fetch in this time. */
const UNKNOWN_KID_EVERY_MS = 30_000;
/** Before the first success, tries may come faster: nobody can log in until then. */
const FIRST_LOAD_EVERY_MS = 1_000;
/** After this a withdrawn key, or an ended session, is noticed. */
const STALE_AFTER_MS = 60_000;
const FETCH_TIMEOUT_MS = 2_000;
/** Ten thousand ended sessions take some 330 KiB. */
const MAX_BODY = 1024 * 1024;
const MAX_KEYS = 16;

const log = logOf("jwks");

const Entry = z.object({
  kid: z.string(),
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  alg: z.literal("EdDSA").optional(),
  use: z.literal("sig").optional(),
  x: z.string(),
});

const KeySet = z.object({
  keys: z.array(z.unknown()),
  // Absent: the publisher does not know at present, so what was known stays.
  ended_sessions: z.array(z.string()).optional(),
});

/** Keys by their id, and the sessions that were ended while a token of theirs may live. */
export interface Keys {
  readonly byId: ReadonlyMap<string, CryptoKey>;
  readonly ended: ReadonlySet<string> | undefined;
}

/** The Ed25519 keys of a key set; other keys are skipped, a set without one is an error. */
export async function parseKeys(body: unknown): Promise<Keys> {
  const set = KeySet.parse(body);
  const byId = new Map<string, CryptoKey>();
  for (const entry of set.keys.slice(0, MAX_KEYS)) {
    const read = Entry.safeParse(entry);
    if (!read.success) continue;
    const { kid, kty, crv, x } = read.data;
    byId.set(kid, (await importJWK({ kty, crv, x }, "EdDSA")) as CryptoKey);
  }
  if (byId.size === 0) throw new Error("no Ed25519 key");
  const ended = set.ended_sessions?.map((id) => readId("ses", id)).filter((id) => id !== undefined);
  return { byId, ended: ended === undefined ? undefined : new Set(ended) };
}

/** The cache. */
export class Jwks {
  readonly #url: URL;
  readonly #now: () => number;
  #keys: Keys | undefined;
  #attemptedAt: number | undefined;
  #flight: Promise<void> | undefined;

  constructor(url: URL, now: () => number = Date.now) {
    this.#url = url;
    this.#now = now;
  }

  /** The keys, with `kid` among them if auth has it. Nothing: never reached auth. */
  async with(kid: string): Promise<Keys | undefined> {
    if (this.#keys?.byId.has(kid) === true) {
      void this.#refresh(STALE_AFTER_MS);
      return this.#keys;
    }
    await this.#refresh(this.#keys === undefined ? FIRST_LOAD_EVERY_MS : UNKNOWN_KID_EVERY_MS);
    return this.#keys;
  }

  #refresh(every: number): Promise<void> {
    if (this.#flight !== undefined) return this.#flight;
    const [now, last] = [this.#now(), this.#attemptedAt];
    // A clock that was set back must not stop fetching for ever.
    if (last !== undefined && now < last + every && now >= last) return Promise.resolve();
    this.#flight = this.#load().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #load(): Promise<void> {
    try {
      const keys = await parseKeys(await this.#fetch());
      this.#keys = { byId: keys.byId, ended: keys.ended ?? this.#keys?.ended };
    } catch (error) {
      log.warn({ error: reasonOf(error), kept: this.#keys !== undefined }, "signing keys can't be fetched");
    }
    this.#attemptedAt = this.#now();
  }

  async #fetch(): Promise<unknown> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const response = await fetch(this.#url, { signal, redirect: "error" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAX_BODY) throw new Error("too large");
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  }
}
