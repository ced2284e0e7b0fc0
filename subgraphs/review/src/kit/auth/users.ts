/** The user behind a request, as the token tells it. */

import { z } from "zod";
import { type Env, text, url } from "../env.ts";
import { readId } from "../id.ts";
import { Jwks } from "./jwks.ts";
import { AuthError, parse, Times, USER, verify } from "./token.ts";

/** Longer than any access token lives. */
const MAX_AGE_S = 24 * 60 * 60;

export type Role = "CUSTOMER" | "SUPPORT" | "ADMIN";

/** A user whose token was verified. */
export interface CurrentUser {
  /** The bare UUID. */
  readonly id: string;
  readonly roles: ReadonlySet<Role>;
}

/** Whether the user is SUPPORT or ADMIN. */
export function isStaff(user: CurrentUser | undefined): boolean {
  return user !== undefined && (user.roles.has("SUPPORT") || user.roles.has("ADMIN"));
}

/** Where the keys are and what a token must say. */
export interface UserConfig {
  readonly jwksUrl: URL;
  readonly issuer: string;
  readonly audience: string;
}

/** Reads `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`. */
export function userConfig(env: Env): UserConfig | undefined {
  const jwksUrl = env.required("JWKS_URL", "Url", url);
  const issuer = env.optional("JWT_ISSUER", "String", text, "mercato");
  const audience = env.optional("JWT_AUDIENCE", "String", text, "mercato");
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return undefined;
  return { jwksUrl, issuer, audience };
}

function idOf(prefix: "usr" | "ses") {
  return z.string().transform((value, context) => {
    const id = readId(prefix, value);
    if (id === undefined) context.addIssue(`not a ${prefix}_ id`);
    return id ?? z.NEVER;
  });
}

const Claims = Times.extend({
  sub: idOf("usr"),
  sid: idOf("ses"),
  roles: z.array(z.enum(["CUSTOMER", "SUPPORT", "ADMIN"])),
});

/** Verifies access tokens against auth's keys. */
export class UserVerifier {
  readonly #jwks: Jwks;
  readonly #config: UserConfig;

  constructor(config: UserConfig) {
    this.#config = config;
    this.#jwks = new Jwks(config.jwksUrl);
  }

  /** The user that `token` (without `Bearer`) speaks for. */
  async verify(token: string): Promise<CurrentUser> {
    const unverified = parse(token, USER);
    const keys = await this.#jwks.with(unverified.kid);
    if (keys === undefined) throw new AuthError("signing keys unavailable", true);
    const key = keys.byId.get(unverified.kid);
    if (key === undefined) throw new AuthError("unknown key id");
    const { issuer, audience } = this.#config;
    const expected = { claims: Claims, issuer, audience, maxAgeS: MAX_AGE_S };
    const claims = await verify(unverified, key, expected, Date.now());
    if (keys.ended?.has(claims.sid) === true) throw new AuthError("session ended");
    return { id: claims.sub, roles: new Set(claims.roles) };
  }
}
