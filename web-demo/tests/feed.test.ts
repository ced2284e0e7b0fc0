import type { ApolloClient } from "@apollo/client";
import { Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OrderFeedDocument, RecentOrdersDocument, TimelineOfOrderDocument } from "../src/ops/documents";
import { Feed } from "../src/ops/feed";

vi.mock("../src/app/live", () => ({ live: { isConnected: () => true, subscribe: () => () => undefined } }));

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

function order(placedAt: string, version: number) {
  return {
    id: "ord_1",
    number: "M-1",
    status: "REFUNDED",
    version,
    isFinal: true,
    cancelReason: null,
    placedAt,
    total: { amount: "5.00", currencyCode: "USD" },
  };
}

const step = (sequence: number, name: string, at: string) => ({
  sequence,
  step: name,
  status: "REFUNDED",
  message: "",
  at,
});

/** A graph whose answers are given here, and what it was asked. */
function graph(answers: Map<unknown, unknown>) {
  const asked: { query: unknown; fetchPolicy?: string }[] = [];
  let tell: (data: unknown) => void = () => undefined;
  const client = {
    subscribe: (what: { query: unknown; fetchPolicy?: string }) => {
      asked.push(what);
      return new Observable((observer) => {
        tell = (data) => observer.next({ data });
      });
    },
    query: async (what: { query: unknown }) => {
      asked.push(what);
      return { data: answers.get(what.query) };
    },
  };
  return { client: client as unknown as ApolloClient, asked, tell: (data: unknown) => tell(data) };
}

describe("the feed of all orders", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    vi.stubGlobal("document", { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const none = { orders: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } };

  it("asks for an old order by its id when it moves again, and counts what is in the window", async () => {
    const old = order(ago(60), 3);
    const timeline = [
      step(1, "CREATED", ago(60)),
      step(2, "PAID", ago(59)),
      step(3, "REFUNDED", new Date(NOW).toISOString()),
    ];
    const answers = new Map<unknown, unknown>([
      [RecentOrdersDocument, none],
      [TimelineOfOrderDocument, { order: { ...old, timeline } }],
    ]);
    const { client, asked, tell } = graph(answers);
    const feed = new Feed(client);
    const stop = feed.use();
    await vi.advanceTimersByTimeAsync(300);
    tell({ orderFeed: { event: timeline[2], order: old } });
    tell({ orderFeed: { event: timeline[2], order: old } });
    await vi.advanceTimersByTimeAsync(1_500);
    expect(asked.filter(({ query }) => query === TimelineOfOrderDocument)).toHaveLength(1);
    expect(feed.snapshot().figures).toMatchObject({ refunded: 1, paid: 0, placed: 0 });
    expect(feed.snapshot().figures.rows[0]?.number).toBe("M-1");
    stop();
  });

  it("keeps nothing of what passes by in the client's cache", async () => {
    const { client, asked } = graph(new Map([[RecentOrdersDocument, none]]));
    const stop = new Feed(client).use();
    await vi.advanceTimersByTimeAsync(300);
    expect(asked.map(({ query }) => query)).toEqual([OrderFeedDocument, RecentOrdersDocument]);
    expect(asked.every(({ fetchPolicy }) => fetchPolicy === "no-cache")).toBe(true);
    stop();
  });
});
