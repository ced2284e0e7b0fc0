import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/kit/json.ts";

describe("JSON", () => {
  it("is read as it stands", () => {
    const text = '{"a":[1,{"a":"a\\":","b":{}}],"b":"\\ud83d\\ude00 {[","":null}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
    expect(parseJson(new TextEncoder().encode(text))).toEqual(JSON.parse(text));
  });

  it.each([
    ["a name twice", '{"a":1,"a":1}'],
    ["a name twice, once escaped", '{"a":1,"\\u0061" : 1}'],
    ["a name twice, deep inside", '[{"b":{"a":1,"b":{},"a":1}}]'],
    ["half a pair", '{"a":"\\ud800"}'],
    ["half a pair as a name", '{"\\ud800":1}'],
    ["nested too deeply", `${"[".repeat(129)}${"]".repeat(129)}`],
    ["no JSON", "{"],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
  ])("%s is refused", (_, text) => {
    expect(() => parseJson(text)).toThrow();
  });

  it("may be nested", () => {
    expect(() => parseJson(`${"[".repeat(128)}${"]".repeat(128)}`)).not.toThrow();
  });
});
