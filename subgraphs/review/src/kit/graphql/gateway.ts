/** The key by which the gateway shows that a request went through it. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Env } from "../env.ts";
import { refused } from "../refusal.ts";
import { json, Refusal, type Request } from "../serve.ts";
import { addressOf, whoOf } from "./caller.ts";

/** The header that bears the key. */
export const GATEWAY_HEADER = "x-gateway-key";
const MIN_KEY_LEN = 16;

/** One key, or two while they are rotated; as digests, so that comparing takes the same time for any guess. */
export class GatewayKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** Reads `GATEWAY_KEY`, or the file that `GATEWAY_KEY_FILE` names. */
  static fromEnv(env: Env): GatewayKeys | undefined {
    const secret = env.secret("GATEWAY_KEY");
    if (secret === undefined) return undefined;
    const keys = secret
      .expose()
      .split(",")
      .map((key) => key.trim());
    if (keys.length > 2 || keys.some((key) => key.length < MIN_KEY_LEN)) {
      const expected = "expected one key, or two with a comma between, of at least 16 characters each";
      env.fault(`GATEWAY_KEY: ${expected}`);
      return undefined;
    }
    return new GatewayKeys(keys);
  }

  /** Whether `given` is one of the keys, in constant time. */
  accepts(given: string): boolean {
    const digested = digest(given);
    return this.#digests.reduce((found, key) => timingSafeEqual(key, digested) || found, false);
  }

  /** Lets through only what bears exactly one good key. */
  guard(request: Request): void {
    const given = request.all(GATEWAY_HEADER);
    const [key] = given;
    if (given.length === 1 && key !== undefined && this.accepts(key)) return;
    const why = given.length === 0 ? "no key" : given.length === 1 ? "a wrong key" : "several keys";
    const who = whoOf({ user: undefined, address: addressOf(request) });
    refused("gateway key", who, "/graphql", "FORBIDDEN", why);
    const error = { message: "Ask the gateway", extensions: { code: "FORBIDDEN" } };
    throw new Refusal(json(401, { errors: [error] }));
  }
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key, "latin1").digest();
}
