import { describe, expect, it } from "vitest";
import {
  type Delivery,
  deliveryWords,
  EMPTY_FORM,
  type Endpoint,
  type EndpointForm,
  eventTypeWords,
  hasEnded,
  kindWords,
  lastWords,
  readForm,
  standing,
  webhookWords,
} from "../src/ops/webhooks";
import { attemptWords } from "../src/ops/words";

const endpoint = (parts: Partial<Endpoint> = {}): Endpoint => ({
  id: "whe_1",
  url: "https://example.com/hooks",
  description: "",
  eventTypes: ["ORDER_CREATED"],
  enabled: true,
  disabledReason: null,
  createdAt: "2026-01-01T00:00:00Z",
  ...parts,
});
const delivery = (parts: Partial<Delivery> = {}): Delivery => ({
  id: "whd_1",
  eventId: "evt_1",
  eventType: "order.created.v1",
  state: "PENDING",
  attempts: 0,
  nextTryAt: null,
  lastStatus: null,
  lastError: null,
  createdAt: "2026-01-01T00:00:00Z",
  endedAt: null,
  ...parts,
});
const filled = (parts: Partial<EndpointForm>) =>
  readForm({ ...EMPTY_FORM, url: "https://example.com/hooks", ...parts });

describe("an endpoint as it is typed in", () => {
  it("is read, without what stands around it", () => {
    expect(filled({ url: " https://example.com/hooks ", description: " ERP " }).input).toEqual({
      url: "https://example.com/hooks",
      description: "ERP",
      eventTypes: ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"],
    });
  });

  it("keeps the order of the offered events, and drops what is none", () => {
    const { input } = filled({ eventTypes: ["REFUND_COMPLETED", "NEW_ONE", "ORDER_CREATED"] });
    expect(input?.eventTypes).toEqual(["ORDER_CREATED", "REFUND_COMPLETED"]);
  });

  it("says which field is wrong", () => {
    for (const url of ["", "example.com", "ftp://example.com/", "javascript:alert(1)", "https://"]) {
      expect(filled({ url }).mistakes, url).toHaveProperty("url");
    }
    expect(filled({ url: `https://example.com/${"a".repeat(2048)}` }).mistakes).toHaveProperty("url");
    expect(filled({ eventTypes: [] }).mistakes).toEqual({ eventTypes: "Choose one at least." });
    expect(filled({ description: "x".repeat(501) }).mistakes).toHaveProperty("description");
    expect(filled({ description: "🛒".repeat(500) }).mistakes).toBeNull();
  });

  it("leaves where an address may lead to the server", () => {
    expect(filled({ url: "http://127.0.0.1:9000/" }).mistakes).toBeNull();
  });
});

describe("webhooks in words", () => {
  it("says where an endpoint stands, and why when nobody of ours did it", () => {
    expect(standing(endpoint())).toMatchObject({ label: "On", why: null });
    expect(standing(endpoint({ enabled: false }))).toMatchObject({ label: "Off", why: null });
    const failed = standing(endpoint({ enabled: false, disabledReason: "answered 410" }));
    expect(failed).toMatchObject({ label: "Switched off", why: "answered 410" });
  });

  it("knows an event in any version, and shows one that it does not know", () => {
    expect(kindWords("order.created.v1")).toBe("An order was placed");
    expect(kindWords("order.created.v12")).toBe("An order was placed");
    expect(kindWords("webhook.test.v1")).toBe("A test");
    expect(kindWords("stock.low.v1")).toBe("stock.low.v1");
    expect(kindWords("constructor")).toBe("constructor");
  });

  it("says how the last try ended", () => {
    expect(lastWords(delivery())).toBeNull();
    expect(lastWords(delivery({ lastStatus: 204 }))).toBe("answered 204");
    expect(lastWords(delivery({ lastStatus: 503, lastError: "answered 503: busy" }))).toBe(
      "answered 503: busy",
    );
    expect([0, 1, 2].map((tries) => attemptWords(tries, "en-US"))).toEqual([
      "not tried yet",
      "1 try",
      "2 tries",
    ]);
  });

  it("offers to send again what has ended, and nothing else", () => {
    expect(hasEnded(delivery())).toBe(false);
    expect(hasEnded(delivery({ state: "DELIVERED" }))).toBe(true);
    expect(hasEnded(delivery({ state: "DEAD" }))).toBe(true);
  });

  it("has words for what was added since", () => {
    expect(eventTypeWords["STOCK_LOW" as keyof typeof eventTypeWords]).toBe("Stock low");
    expect(deliveryWords["HELD" as keyof typeof deliveryWords].label).toBe("Held");
    expect(webhookWords["TOO_MANY" as keyof typeof webhookWords]).toContain("does not know yet");
  });
});
