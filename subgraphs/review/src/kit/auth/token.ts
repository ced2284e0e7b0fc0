/**
 * One strict reading of a JWT, for both kinds of token. The algorithm is EdDSA by configuration, whatever the header
 * says; the header may hold `alg`, `typ` and `kid` and nothing else; every claim has one type.
 */

import { type CryptoKey, compactVerify } from "jose";
import { z } from "zod";
import { parseJson } from "../json.ts";

/** Ours are below 1 KiB. */
const MAX_LEN = 4096;
/** How far two clocks may be apart. */
const LEEWAY_S = 10;
const PLAIN_KID = /^[A-Za-z0-9._-]{1,64}$/;
/** Three members with plain values: a repeated one, or an escape, is not read at all. */
const HEADER = /^\s*\{(?:\s*"(?:alg|typ|kid)"\s*:\s*"[^"\\]*"\s*(?:,(?=\s*")|(?=\}))){3}\}\s*$/;

/** Type of a user's access token (RFC 9068). */
export const USER = "at+jwt";
/** Type of a token with which one service calls another. */
export const SERVICE = "svc+jwt";

/** Why a token isn't accepted: for logs and tests, never for the caller. */
export class AuthError extends Error {
  /** The keys to check it with were never reached. */
  readonly unavailable: boolean;

  constructor(why: string, unavailable = false) {
    super(unavailable ? why : `token refused: ${why}`);
    this.unavailable = unavailable;
  }
}

const Header = z.strictObject({
  alg: z.literal("EdDSA"),
  typ: z.string(),
  kid: z.string().regex(PLAIN_KID),
});

const seconds = z.number().int().nonnegative();

/** The claims that both kinds have. `aud` is a plain string: a list could be replayed between its members. */
export const Times = z.object({
  iss: z.string(),
  aud: z.string(),
  jti: z.string(),
  iat: seconds,
  nbf: seconds.optional(),
  exp: seconds,
});

/** A token whose form is right; nothing of it may be believed yet. */
export interface Unverified {
  readonly text: string;
  /** Which key is said to have signed it; safe to look up, nothing more. */
  readonly kid: string;
}

/** Reads the header. */
export function parse(text: string, typ: string): Unverified {
  if (text.length > MAX_LEN) throw new AuthError("too long");
  const parts = text.split(".");
  if (parts.length !== 3) throw new AuthError("not three segments");
  const [bytes] = parts.map((part) => {
    const read = Buffer.from(part, "base64url");
    // Node reads almost anything as base64url, and one token would have many texts.
    if (read.toString("base64url") !== part) throw new AuthError("encoding");
    return read;
  });
  const json = bytes?.toString("utf8") ?? "";
  const header = HEADER.test(json) ? Header.safeParse(JSON.parse(json)) : undefined;
  if (header?.success !== true) throw new AuthError("header");
  if (header.data.typ !== typ) throw new AuthError("type");
  return { text, kid: header.data.kid };
}

/** What a token must say. `maxAgeS` bounds the lifetime that a signer may grant. */
export interface Expected<C> {
  readonly claims: z.ZodType<C>;
  readonly issuer: string;
  readonly audience: string;
  readonly maxAgeS: number;
}

/** Checks signature, issuer, audience and times. */
export async function verify<C extends z.infer<typeof Times>>(
  token: Unverified,
  key: CryptoKey,
  expected: Expected<C>,
  nowMs: number,
): Promise<C> {
  const verified = await compactVerify(token.text, key, { algorithms: ["EdDSA"] }).catch(() => {
    throw new AuthError("signature");
  });
  const claims = read(verified.payload, expected.claims);
  if (claims.iss !== expected.issuer) throw new AuthError("issuer");
  if (claims.aud !== expected.audience) throw new AuthError("audience");
  const now = Math.floor(nowMs / 1_000);
  if (claims.exp < now - LEEWAY_S) throw new AuthError("expired");
  if (claims.exp - claims.iat > expected.maxAgeS || claims.iat > claims.exp) throw new AuthError("lifetime");
  if (claims.iat > now + LEEWAY_S) throw new AuthError("issued in the future");
  if (claims.nbf !== undefined && claims.nbf > now + LEEWAY_S) throw new AuthError("not yet valid");
  return claims;
}

function read<C>(payload: Uint8Array, claims: z.ZodType<C>): C {
  try {
    return claims.parse(parseJson(payload));
  } catch {
    throw new AuthError("claims");
  }
}
