// Listens to all orders, and asks for what a feed that cannot be resumed may have left out: after every connection, and
// now and then besides.
import type { ApolloClient } from "@apollo/client";
import { live } from "../app/live";
import { pauseBefore } from "../lib/pause";
import { OrderFeedDocument, RecentOrdersDocument, TimelineOfOrderDocument } from "./documents";
import { type Figures, Ledger } from "./ledger";

export type FeedLink = { kind: "connecting" } | { kind: "live" } | { kind: "cut"; attempt: number };

export interface FeedState {
  link: FeedLink;
  figures: Figures;
  /** Whether what was before the page was opened is known. */
  loaded: boolean;
  error: unknown;
}

const ROWS = 60;
const PAGE = 100;
/** Enough to know ten busy minutes. */
const FIRST_PAGES = 10;
/** Drawn at most this often, however much arrives. */
const DRAW_EVERY_MS = 250;
const TICK_MS = 1_000;
const ASK_EVERY_MS = 10_000;
/** Orders placed longer ago are not among the newest: asked for by their ids. */
const RECENT_MS = 600_000;
/** A step this young may still be on its way through the feed. */
const GRACE_MS = 4_000;
const PAUSES = { least: 200, first: 800, longest: 8_000 };

/** Thousands of orders that are looked at once have no place in the cache: it would never let go of them. */
const UNCACHED = { fetchPolicy: "no-cache" } as const;
const FEED = { query: OrderFeedDocument, ...UNCACHED };

export class Feed {
  private readonly ledger = new Ledger();
  private readonly listeners = new Set<() => void>();
  private link: FeedLink = { kind: "connecting" };
  private loaded = false;
  private error: unknown = null;
  private state: FeedState = this.draw();
  private dirty = false;
  private attempt = 0;
  private asking = false;
  private askAgain = false;
  private readonly askedFor = new Set<string>();
  private timers: ReturnType<typeof setTimeout>[] = [];
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private subscription: { unsubscribe(): void } | undefined;
  private unlisten: (() => void) | undefined;
  private users = 0;

  constructor(private readonly client: ApolloClient) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): FeedState => this.state;

  /** Listens until every user has let go. */
  use(): () => void {
    this.users += 1;
    if (this.users === 1) this.start();
    return () => {
      this.users -= 1;
      if (this.users === 0) this.stop();
    };
  }

  private start(): void {
    this.timers = [
      setInterval(() => this.publish(), DRAW_EVERY_MS),
      setInterval(() => {
        this.dirty = true;
      }, TICK_MS),
      setInterval(() => void this.ask(), ASK_EVERY_MS),
    ];
    this.open();
  }

  private stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.retryTimer);
    this.unlisten?.();
    this.subscription?.unsubscribe();
    this.link = { kind: "connecting" };
  }

  private open(): void {
    clearTimeout(this.retryTimer);
    const connected = () => {
      if (!live.isConnected() || this.link.kind === "live") return;
      this.attempt = 0;
      this.show({ kind: "live" });
      void this.ask();
    };
    this.unlisten = live.subscribe(connected);
    this.subscription = this.client.subscribe(FEED).subscribe({
      next: ({ data, error }) => {
        if (error) {
          this.retry(error);
          return;
        }
        if (!data) return;
        this.error = null;
        const { event, order } = data.orderFeed;
        if (this.ledger.hear(event, order)) {
          if (Date.now() - Date.parse(order.placedAt) < RECENT_MS) void this.ask();
          else void this.askFor(order.id);
        }
        this.dirty = true;
      },
      error: (error: unknown) => this.retry(error),
      complete: () => this.retry(null),
    });
    connected();
  }

  private retry(error: unknown): void {
    this.unlisten?.();
    this.subscription?.unsubscribe();
    if (this.users === 0) return;
    this.error = error;
    this.attempt += 1;
    this.show({ kind: "cut", attempt: this.attempt });
    this.retryTimer = setTimeout(() => this.open(), pauseBefore(this.attempt, PAUSES));
  }

  private show(link: FeedLink): void {
    this.link = link;
    this.dirty = true;
  }

  /** Reads the newest orders, page after page, until one is full of what is known. One reading at a time. */
  private async ask(): Promise<void> {
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    this.asking = true;
    this.ledger.prune(Date.now());
    try {
      let after: string | null = null;
      for (let page = 0; page < FIRST_PAGES; page += 1) {
        const { data, error }: Awaited<ReturnType<typeof this.page>> = await this.page(after);
        if (!data?.orders) throw error ?? new Error("no orders");
        let news = 0;
        for (const order of data.orders.nodes) {
          if (this.ledger.knows(order.id, order.version)) continue;
          news += 1;
          const last = order.timeline.at(-1);
          const settled = last !== undefined && Date.now() - Date.parse(last.at) > GRACE_MS;
          this.ledger.learn(order, order.timeline, this.loaded && settled);
        }
        after = data.orders.pageInfo.endCursor ?? null;
        const oldest = data.orders.nodes.at(-1);
        const beyond = !oldest || Date.now() - Date.parse(oldest.placedAt) > RECENT_MS;
        if (news === 0 || beyond || !data.orders.pageInfo.hasNextPage) break;
      }
      this.loaded = true;
      this.error = null;
    } catch (error) {
      this.error = error;
    } finally {
      this.asking = false;
      this.dirty = true;
    }
    if (this.askAgain && this.users > 0) {
      this.askAgain = false;
      setTimeout(() => void this.ask(), 300);
    }
  }

  /** An old order moved again, by a refund for instance. */
  private async askFor(id: string): Promise<void> {
    if (this.askedFor.has(id)) return;
    this.askedFor.add(id);
    try {
      const { data } = await this.client.query({
        query: TimelineOfOrderDocument,
        variables: { id },
        ...UNCACHED,
      });
      if (data?.order) this.ledger.learn(data.order, data.order.timeline, false);
    } catch {
      // Its next step is a hole again.
    } finally {
      this.askedFor.delete(id);
      this.dirty = true;
    }
  }

  private page(after: string | null) {
    return this.client.query({
      query: RecentOrdersDocument,
      variables: { first: PAGE, after },
      ...UNCACHED,
    });
  }

  private draw(): FeedState {
    return {
      link: this.link,
      figures: this.ledger.figures(Date.now(), ROWS),
      loaded: this.loaded,
      error: this.error,
    };
  }

  private publish(): void {
    if (!this.dirty || document.hidden) return;
    this.dirty = false;
    this.state = this.draw();
    for (const listener of this.listeners) listener();
  }
}
