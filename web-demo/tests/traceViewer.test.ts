import { describe, expect, it } from "vitest";
import { traceLink, viewerOf } from "../src/ops/traceViewer";

describe("the viewer of traces", () => {
  it("is an address with a place for the id, or none", () => {
    const viewer = "http://127.0.0.1:16686/trace/{traceId}";
    expect(viewerOf({ traceViewer: viewer })).toBe(viewer);
    expect(traceLink(viewer, "ab/c")).toBe("http://127.0.0.1:16686/trace/ab%2Fc");
    for (const other of [null, {}, { traceViewer: "" }, { traceViewer: "javascript:alert('{traceId}')" }]) {
      expect(viewerOf(other)).toBeNull();
    }
  });
});
