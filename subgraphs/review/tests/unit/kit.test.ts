/** The house's conventions, where they are pure. */

import { trace } from "@opentelemetry/api";
import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { configFrom } from "../../src/config.ts";
import { opinionOf } from "../../src/domain/review.ts";
import { parse as parseToken } from "../../src/kit/auth/token.ts";
import { ConfigError, Env } from "../../src/kit/env.ts";
import { check, scan } from "../../src/kit/graphql/document.ts";
import { ApiError } from "../../src/kit/graphql/error.ts";
import { cursor, parsePage } from "../../src/kit/graphql/page.ts";
import { parseRates } from "../../src/kit/graphql/rates.ts";
import { readId, showId, uuidv7 } from "../../src/kit/id.ts";
import { accepted } from "../../src/kit/scope.ts";
import { remote } from "../../src/kit/telemetry.ts";

function faultsOf(variables: Record<string, string>): string {
  try {
    configFrom(new Env(variables));
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join("\n");
    throw error;
  }
  return "";
}

const NAMES = [
  "GRAPHQL_ADDR",
  "INTERNAL_ADDR",
  "DATABASE_URL",
  "AMQP_URL",
  "REDIS_URL",
  "GATEWAY_KEY",
].concat(["JWKS_URL", "SERVICE_KEY_FILE", "SERVICE_KEYS_DIR"]);

describe("environment", () => {
  it("a bare one is refused with every name", () => {
    const faults = faultsOf({});
    for (const name of NAMES) expect(faults).toContain(name);
  });

  it("a wrong value is named and not shown", () => {
    const faults = faultsOf({ GRAPHQL_ADDR: "s3cret", GATEWAY_KEY: "sh0rt", API_RATES: "query=0/1" });
    expect(faults).toContain("GRAPHQL_ADDR is not a valid SocketAddr");
    expect(faults).toContain("GATEWAY_KEY: expected one key");
    expect(faults).toContain("API_RATES is not a valid Rates");
    expect(faults).not.toMatch(/s3cret|sh0rt/);
  });

  it("a secret comes from a variable or a file, never from both", () => {
    expect(faultsOf({ AMQP_URL: "a", AMQP_URL_FILE: "b" })).toContain(
      "AMQP_URL and AMQP_URL_FILE are both set",
    );
    expect(faultsOf({ AMQP_URL_FILE: "/nowhere" })).toContain("AMQP_URL_FILE can't be read: ENOENT");
  });
});

describe("ids", () => {
  it("follow the vectors of the specification", () => {
    for (const [uuid, suffix] of [
      ["00000000-0000-0000-0000-000000000000", "00000000000000000000000000"],
      ["ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"],
      ["01890a5d-ac96-774b-bcce-b302099a8057", "01h455vb4pex5vsknk084sn02q"],
    ] as const) {
      expect(showId("ord", uuid)).toBe(`ord_${suffix}`);
      expect(readId("ord", `ord_${suffix}`)).toBe(uuid);
    }
  });

  it.each([
    "",
    "ord_",
    "usr_01h455vb4pex5vsknk084sn02q",
    "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz",
    "ord_01H455VB4PEX5VSKNK084SN02Q",
    "ord_01h455vb4pex5vsknk084sn0iq",
    "ord_01h455vb4pex5vsknk084sn02q\n",
  ])("%j is none", (text) => expect(readId("ord", text)).toBeUndefined());

  it("new ones are ordered by time", () => {
    expect(uuidv7(1_000) < uuidv7(1_001)).toBe(true);
    expect(uuidv7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("pages", () => {
  const key = z.uuid();
  const id = uuidv7();

  it("a cursor goes on where it was made", () => {
    expect(parsePage("list", key, { first: 3, after: cursor("list", id) })).toEqual({ first: 3, after: id });
  });

  it.each([
    ["of another list", cursor("other", id)],
    ["tampered with", `${cursor("list", id).slice(0, -1)}!`],
    ["of another key", cursor("list", 7)],
    ["empty", ""],
    ["too long", "A".repeat(2_000)],
    ["without a key", Buffer.alloc(8).toString("base64url")],
  ])("a cursor %s is refused", (_, after) => {
    expect(() => parsePage("list", key, { first: 3, after })).toThrow(ApiError);
  });

  it.each([0, -1, 101])("a page of %i is refused", (first) => {
    expect(() => parsePage("list", key, { first })).toThrow("between 1 and 100");
  });
});

describe("documents", () => {
  const checked = (query: string, variables = {}) => check(parse(query), undefined, variables, true);
  const nested = (depth: number) => `{ ${"a { ".repeat(depth - 1)}a${" }".repeat(depth - 1)} }`;

  it("tokens and brackets are bounded before parsing", () => {
    expect(() => scan("{ a }".repeat(1_300))).not.toThrow();
    expect(() => scan("{ a }".repeat(1_400))).toThrow("too many tokens");
    expect(() => scan("{".repeat(65))).toThrow("nested too deeply");
    expect(() =>
      scan(`{ a(b: """${"{".repeat(100)}""", c: "${"(".repeat(100)}") # ${"[".repeat(100)}\n}`),
    ).not.toThrow();
  });

  it("depth, fields, aliases, directives, mutations and representations are bounded", () => {
    expect(() => checked(nested(15))).not.toThrow();
    expect(() => checked(nested(16))).toThrow("nested too deeply");
    expect(() => checked(`{ ${"a ".repeat(2_001)} }`)).toThrow("too many fields");
    expect(() => checked(`{ ${Array.from({ length: 101 }, (_, n) => `b${n}: a`).join(" ")} }`)).toThrow(
      "aliases",
    );
    expect(() => checked("{ a @x @x @x @x @x }")).toThrow("directives");
    expect(() => checked(`mutation { ${"a ".repeat(11)} }`)).toThrow("Too many mutations");
    const entities = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }";
    expect(() => checked(entities, { r: Array(200).fill({}) })).not.toThrow();
    expect(() => checked(entities, { r: Array(201).fill({}) })).toThrow("Too many representations");
  });

  it("fragments that double each other are counted and not followed", () => {
    const doubling = Array.from(
      { length: 30 },
      (_, n) => `fragment f${n} on Q { ...f${n + 1} ...f${n + 1} }`,
    );
    expect(() => checked(`{ ...f0 } ${doubling.join(" ")} fragment f30 on Q { a }`)).toThrow(
      "too many fields",
    );
    expect(() => checked("{ ...f } fragment f on Q { ...f }")).toThrow("form a cycle");
  });

  it("introspection is off where it is off", () => {
    expect(() => check(parse("{ __schema { types { name } } }"), undefined, {}, false)).toThrow(
      "Introspection is off",
    );
  });
});

describe("headers", () => {
  it("a well-formed correlation id is kept, any other replaced", () => {
    expect(accepted("a-1_b.c")).toBe("a-1_b.c");
    for (const bad of [undefined, "", "a b", "x".repeat(65), "a\n"])
      expect(accepted(bad)).toMatch(/^[0-9a-f]{32}$/);
  });

  it("a trace is joined when it is one", () => {
    const of = (text: string) => trace.getSpanContext(remote(text))?.traceId;
    const [traceId, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
    expect(of(`00-${traceId}-${span}-01`)).toBe(traceId);
    for (const bad of [
      `ff-${traceId}-${span}-01`,
      `00-${"0".repeat(32)}-${span}-01`,
      `00-${traceId}-${span}-01-x`,
      "x",
    ]) {
      expect(of(bad)).toBeUndefined();
    }
  });

  it("rates are read as the other services read them", () => {
    expect(parseRates("off")).toEqual({});
    expect(parseRates("query=1200/300, mutation=3/1")).toEqual({
      query: { perMinute: 1_200, burst: 300 },
      mutation: { perMinute: 3, burst: 1 },
    });
    for (const bad of ["", "query", "query=0/1", "query=1/1,query=1/1", "other=1/1"])
      expect(parseRates(bad)).toBeUndefined();
  });
});

describe("tokens", () => {
  const token = (header: string) => `${Buffer.from(header).toString("base64url")}.e30.c2ln`;
  const good = '{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}';

  it("a header of the three members is read", () => {
    expect(parseToken(token(good), "at+jwt").kid).toBe("k1");
    expect(parseToken(token('{ "kid": "k1", "typ": "at+jwt", "alg": "EdDSA" }'), "at+jwt").kid).toBe("k1");
  });

  it.each([
    ["another algorithm", '{"alg":"none","typ":"at+jwt","kid":"k1"}'],
    ["another type", '{"alg":"EdDSA","typ":"svc+jwt","kid":"k1"}'],
    ["no key id", '{"alg":"EdDSA","typ":"at+jwt"}'],
    ["a path for a key id", '{"alg":"EdDSA","typ":"at+jwt","kid":"../k1"}'],
    ["a key of its own", '{"alg":"EdDSA","typ":"at+jwt","kid":"k1","jwk":{}}'],
    ["an algorithm twice", '{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"k1"}'],
    ["an escape", '{"alg":"EdDSA","typ":"at\\u002bjwt","kid":"k1"}'],
    ["a comma too many", '{"alg":"EdDSA","typ":"at+jwt","kid":"k1",}'],
    ["a list", '["EdDSA"]'],
  ])("%s is refused", (_, header) => {
    expect(() => parseToken(token(header), "at+jwt")).toThrow("token refused");
  });

  it.each(["", "a.b", `${token(good)}.d`, `=${token(good)}`, "x".repeat(5_000)])("%j is no token", (text) => {
    expect(() => parseToken(text, "at+jwt")).toThrow("token refused");
  });
});

describe("opinions", () => {
  it("are trimmed", () => {
    expect(opinionOf({ rating: 5, title: " Good ", body: "\nYes.\n" })).toEqual({
      rating: 5,
      title: "Good",
      body: "Yes.",
    });
  });

  it("name every fault", () => {
    const faults = opinionOf({ rating: 6, title: " ", body: "x".repeat(5_001) });
    expect(Array.isArray(faults) && faults.map((fault) => fault.field)).toEqual(["rating", "title", "body"]);
  });

  it.each([
    ["120 characters of two units each", "😀".repeat(120), true],
    ["121 characters", "😀".repeat(121), false],
    ["a NUL", "a\0", false],
    ["half a character", "\ud800", false],
  ])("a title of %s", (_, title, fits) => {
    expect(Array.isArray(opinionOf({ rating: 1, title, body: "x" }))).toBe(!fits);
  });
});
