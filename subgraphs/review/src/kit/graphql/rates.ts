/**
 * How often one may ask: token buckets in Redis, by user or address and class of operation; the same script, keys and
 * settings as crates/rate-limit. Without Redis everybody is let through.
 */

import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { Redis } from "ioredis";
import { Breaker } from "../breaker.ts";
import type { Secret } from "../env.ts";
import { showId } from "../id.ts";
import { logOf, reasonOf } from "../log.ts";
import { rateDecisions } from "../metrics.ts";
import type { Caller } from "./caller.ts";

const RESPONSE_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 250;
const MINUTE_MS = 60_000;
const CLASSES = ["query", "mutation", "subscription"] as const;

export type Class = (typeof CLASSES)[number];

/** So many in the long run, and so many at once. */
export interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

/** The rates by class; none for a class is no limit. */
export type Rates = Readonly<Partial<Record<Class, Rate>>>;

/** What a shopper never reaches, and a script soon does. */
export const PRODUCTION: Rates = {
  query: { perMinute: 1_200, burst: 300 },
  mutation: { perMinute: 300, burst: 100 },
  subscription: { perMinute: 120, burst: 60 },
};

const ROOMY: Rate = { perMinute: 600_000, burst: 100_000 };

/** What no tool of the house reaches on one machine, so that the way to Redis is used all the same. */
export const DEVELOPMENT: Rates = { query: ROOMY, mutation: ROOMY, subscription: ROOMY };

const log = logOf("rate_limit");

/** Reads `off`, or classes with their rates, such as `query=1200/300,mutation=300/100`. */
export function parseRates(text: string): Rates | undefined {
  const rates: Partial<Record<Class, Rate>> = {};
  if (text.trim() === "off") return rates;
  for (const entry of text.split(",")) {
    const found = /^\s*([a-z]+)\s*=\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*$/.exec(entry);
    const name = CLASSES.find((known) => known === found?.[1]);
    const rate = { perMinute: Number(found?.[2]), burst: Number(found?.[3]) };
    if (name === undefined || rates[name] !== undefined || !(rate.perMinute > 0) || !(rate.burst > 0)) {
      return undefined;
    }
    rates[name] = rate;
  }
  return rates;
}

/** Kept as the instant at which a bucket is full again; answers the wait in ms, or 0 and takes. */
const TAKE = `
local now, each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + each * cost
local wait = full - now - each * burst
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now) + 1)
return 0
`;

/** The limits of one service. */
export class RateLimits {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #rates: Rates;
  readonly #breaker = new Breaker();

  constructor(url: Secret, prefix: string, rates: Rates) {
    this.#prefix = prefix;
    this.#rates = rates;
    this.#redis = new Redis(url.expose(), {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: RESPONSE_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 100, 2_000),
    });
    // Told by the breaker, once, instead of at every attempt.
    this.#redis.on("error", () => undefined);
  }

  /** Takes `cost` out of the caller's bucket; answers nothing, or how many seconds to wait. */
  async admit(caller: Caller, kind: Class, cost: number): Promise<number | undefined> {
    const rate = this.#rates[kind];
    const subject = subjectOf(caller);
    if (rate === undefined || subject === undefined) return undefined;
    const wait = await this.#ask(subject, kind, rate, cost);
    const outcome = wait === undefined ? "unchecked" : wait === 0 ? "admitted" : "limited";
    rateDecisions.inc({ class: kind, outcome });
    return wait === undefined || wait === 0 ? undefined : Math.ceil(wait / 1_000);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #ask(subject: Subject, kind: Class, rate: Rate, cost: number): Promise<number | undefined> {
    if (!this.#breaker.mayAsk(performance.now())) return undefined;
    const burst = rate.burst * subject.share;
    const each = MINUTE_MS / rate.perMinute / subject.share;
    const key = `${this.#prefix}rate:${kind}:${subject.key}`;
    // What is dearer than a full bucket would wait for ever.
    const asked = Math.min(Math.max(cost, 1), burst);
    try {
      const wait = await this.#redis.eval(TAKE, 1, key, Date.now(), each, burst, asked);
      if (this.#breaker.succeeded()) log.info({}, "API limits count again");
      return Number(wait);
    } catch (error) {
      if (this.#breaker.failed(performance.now())) {
        const message = "API limits can't be counted: everybody is let through";
        log.warn({ error: reasonOf(error) }, message);
      }
      return undefined;
    }
  }
}

interface Subject {
  readonly key: string;
  /** An office shares an address: it may ask so many times as often as a user. */
  readonly share: number;
}

function subjectOf(caller: Caller): Subject | undefined {
  if (caller.user !== undefined) return { key: `user:${showId("usr", caller.user.id)}`, share: 1 };
  if (caller.address === undefined) return undefined;
  // Network addresses don't stand readably in Redis.
  const digest = createHash("sha256").update(network(caller.address)).digest("hex");
  return { key: `address:${digest.slice(0, 32)}`, share: 4 };
}

/** An IPv6 client has 2^64 addresses: the network counts. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = "", tail = ""] = address.split("%")[0]?.split("::", 2) ?? [];
  const groups = (part: string) => part.split(":").filter((group) => group !== "");
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  const first = [...front, ...zeros, ...back].slice(0, 4);
  return `${first.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
