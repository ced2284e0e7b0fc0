/** The guard of internal routes: only named services, by a short token that each signs with its own key. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type CryptoKey, importSPKI } from "jose";
import { type Env, text } from "../env.ts";
import { logOf } from "../log.ts";
import { refused } from "../refusal.ts";
import { type Answer, json, type Request } from "../serve.ts";
import { AuthError, parse, SERVICE, Times, verify } from "./token.ts";

const LIFETIME_S = 60;

/** Media type of a refusal (RFC 9457). */
export const PROBLEM = "application/problem+json";

const log = logOf("service_auth");

/** Where a service's keys are. */
export interface IdentityConfig {
  readonly keyFile: string;
  readonly keysDir: string;
}

/** Reads `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`. */
export function identityConfig(env: Env): IdentityConfig | undefined {
  const keyFile = env.required("SERVICE_KEY_FILE", "PathBuf", text);
  const keysDir = env.required("SERVICE_KEYS_DIR", "PathBuf", text);
  return keyFile === undefined || keysDir === undefined ? undefined : { keyFile, keysDir };
}

/** A refusal of the internal interface. */
export function problem(status: number, code: string, detail: string): Answer {
  return json(status, { status, code, detail }, PROBLEM);
}

/** Verifies the tokens of calling services. */
export class ServiceVerifier {
  readonly #ownName: string;
  readonly #callers: ReadonlyMap<string, CryptoKey>;

  constructor(ownName: string, callers: ReadonlyMap<string, CryptoKey>) {
    this.#ownName = ownName;
    this.#callers = callers;
  }

  /** Reads the callers' public keys, `NAME.pem`. */
  static async fromDir(ownName: string, dir: string): Promise<ServiceVerifier> {
    const files = readdirSync(dir).filter((file) => file.endsWith(".pem"));
    if (files.length === 0) throw new Error(`no *.pem in ${dir}`);
    const callers = new Map<string, CryptoKey>();
    for (const file of files) {
      const name = basename(file, ".pem");
      const key = await importSPKI(readFileSync(join(dir, file), "utf8"), "EdDSA").catch(() => {
        throw new Error(`${name} is not an Ed25519 key in PEM`);
      });
      callers.set(name, key);
    }
    log.debug({ callers: callers.size }, "keys of callers are read");
    return new ServiceVerifier(ownName, callers);
  }

  /** The service that signed `token` (without `Bearer`). */
  async verify(token: string): Promise<string> {
    const unverified = parse(token, SERVICE);
    const key = this.#callers.get(unverified.kid);
    if (key === undefined) throw new AuthError("unknown caller");
    // The issuer must be the very service whose key verified it.
    const expected = {
      claims: Times,
      issuer: unverified.kid,
      audience: this.#ownName,
      maxAgeS: LIFETIME_S,
    };
    return (await verify(unverified, key, expected, Date.now())).iss;
  }
}

/** Lets only `callers` through to `handle`. */
export function only(
  verifier: ServiceVerifier,
  callers: readonly string[],
  handle: (request: Request) => Promise<Answer>,
): (request: Request) => Promise<Answer> {
  return async (request) => {
    const what = `${request.method} ${request.path}`;
    const given = request.all("authorization");
    const token = given.length === 1 && given[0]?.startsWith("Bearer ") ? given[0].slice(7) : undefined;
    if (token === undefined) {
      refused("service token", "unknown", what, "UNAUTHENTICATED", "no service token, or several");
      return problem(401, "UNAUTHENTICATED", "no service token");
    }
    let caller: string;
    try {
      caller = await verifier.verify(token);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      refused("service token", "unknown", what, "UNAUTHENTICATED", error.message);
      return problem(401, "UNAUTHENTICATED", "service token refused");
    }
    if (!callers.includes(caller)) {
      refused("service token", caller, what, "FORBIDDEN", "not on this route's list");
      return problem(403, "FORBIDDEN", "not for this caller");
    }
    return handle(request);
  };
}
