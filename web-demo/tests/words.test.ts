import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explains, orderWords } from "../src/lib/errors";
import { open, spelled } from "../src/lib/words";
import { noticeKindWords } from "../src/notices/kinds";
import { callWords, mailWords, reasonWords } from "../src/ops/words";
import { cancelWords, declineWords, statusWords, stepWords } from "../src/orders/words";

describe("words for codes", () => {
  it("are there for codes that are newer than the page", () => {
    const newer = "SOMETHING_NEW" as never;
    expect(orderWords[newer]).toMatch(/reload/i);
    expect(statusWords[newer]).toEqual({ label: "Something new", color: "gray" });
    expect(stepWords[newer]).toEqual({ title: "Something new", tone: "neutral" });
    expect((cancelWords[newer] as { title: string }).title).toBe("Something new");
    expect(noticeKindWords[newer]).toBe("Something new");
    expect(mailWords[newer]).toMatch(/reload/i);
    expect(reasonWords[newer]).toBe("Something new");
    expect((callWords[newer] as { label: string }).label).toBe("Something new");
    expect(declineWords("lost_card")).toContain("lost card");
  });

  it("leave what is known, and what is no code, alone", () => {
    const words = open({ A: "a" }, spelled);
    expect(words.A).toBe("a");
    expect(Object.keys(words)).toEqual(["A"]);
    expect(String(Object.prototype.toString.call(words))).toBe("[object Object]");
  });

  it("are there for every fault that docs/errors.md names", () => {
    const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    const faults = text.slice(text.indexOf("## `extensions.code`"), text.indexOf("## `userErrors`"));
    const codes = [...faults.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code as string),
    );
    expect(codes.length).toBeGreaterThan(12);
    expect(codes.filter((code) => !explains(code))).toEqual([]);
  });
});
