import { describe, expect, it } from "vitest";
import { newTraceparent } from "../src/lib/trace";

describe("the trace context of an operation", () => {
  it("has the form that W3C gives it, and is new each time", () => {
    const [one, other] = [newTraceparent(false), newTraceparent(false)];
    expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(one).not.toBe(other);
  });

  it("traces every change and few of the reads", () => {
    expect(newTraceparent(false, () => 0.99)).toMatch(/-01$/);
    expect(newTraceparent(true, () => 0.99)).toMatch(/-00$/);
    expect(newTraceparent(true, () => 0)).toMatch(/-01$/);
  });
});
