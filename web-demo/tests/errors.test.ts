import { CombinedGraphQLErrors, ServerError } from "@apollo/client/errors";
import { describe, expect, it } from "vitest";
import { explain, isUnauthenticated } from "../src/lib/errors";

const graphQL = (extensions: Record<string, unknown>) =>
  new CombinedGraphQLErrors({ errors: [{ message: "raw text", extensions }] });

describe("errors in plain words", () => {
  it("never shows the text of a server", () => {
    for (const code of [
      "UNAUTHENTICATED",
      "FORBIDDEN",
      "BAD_USER_INPUT",
      "NOT_FOUND",
      "UNAVAILABLE",
      "NEW_ONE",
    ]) {
      const { title, text } = explain(graphQL({ code }));
      expect(title + text).not.toContain("raw text");
    }
  });

  it("tells the correlation id of a fault of ours, and of nothing else", () => {
    expect(explain(graphQL({ code: "INTERNAL", correlationId: "c-1" })).correlationId).toBe("c-1");
    expect(explain(graphQL({ code: "NOT_FOUND", correlationId: "c-1" })).correlationId).toBeUndefined();
  });

  it("says how long to wait", () => {
    expect(explain(graphQL({ code: "RATE_LIMITED", retryAfterSeconds: 7 })).text).toContain("7 s");
  });

  it("takes an unknown code for a fault of ours", () => {
    expect(explain(graphQL({ code: "NEW_ONE" })).retryable).toBe(true);
    expect(explain(graphQL({})).code).toBe("INTERNAL");
  });

  it("knows a broken answer from a broken connection", () => {
    const response = new Response("", { status: 500, headers: { "x-correlation-id": "c-2" } });
    const broken = new ServerError("500", { response, bodyText: "" });
    expect(explain(broken)).toMatchObject({ code: "INTERNAL", correlationId: "c-2" });
    const away = new ServerError("503", { response: new Response("", { status: 503 }), bodyText: "" });
    expect(explain(away).code).toBe("UNAVAILABLE");
    expect(explain(new TypeError("Failed to fetch")).code).toBe("OFFLINE");
  });

  it("sees that nobody is signed in any more", () => {
    expect(isUnauthenticated(graphQL({ code: "UNAUTHENTICATED" }))).toBe(true);
    expect(isUnauthenticated(graphQL({ code: "FORBIDDEN" }))).toBe(false);
    expect(isUnauthenticated(new TypeError("x"))).toBe(false);
  });
});
