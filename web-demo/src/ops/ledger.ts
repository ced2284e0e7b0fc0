// What the control room has heard of orders: the latest of them, and figures over a window of time. Knows no React and
// no clock but the one it is given. Of bounded size, however long it listens.
//
// Steps may come twice, late, or not at all (a feed cannot be resumed): each is counted once, by its order's sequence,
// and whoever finds a hole asks for the order's whole timeline and hands that in.
import type { Money } from "../lib/money";
import type { CancelReason, OrderStatus, OrderStep } from "./documents";

export interface HeardOrder {
  id: string;
  number: string;
  status: OrderStatus;
  version: number;
  isFinal: boolean;
  cancelReason?: CancelReason | null;
  placedAt: string;
  total: Money;
}

export interface HeardEvent {
  sequence: number;
  step: OrderStep;
  status: OrderStatus;
  message: string;
  at: string;
}

/** An order as the feed shows it. */
export interface Row {
  id: string;
  number: string;
  status: OrderStatus;
  step: OrderStep;
  message: string;
  total: Money;
  placedAt: number;
  changedAt: number;
  sequence: number;
  isFinal: boolean;
}

/** What happened in a span of time. */
export interface Bucket {
  start: number;
  placed: number;
  paid: number;
  refused: number;
  refunded: number;
  reasons: Map<CancelReason, number>;
  /** Of orders paid in this span, by currency, in `UNITS`. */
  revenue: Map<string, bigint>;
  /** Milliseconds from placed to paid, of orders paid in this span. */
  latencies: number[];
}

export interface Figures {
  now: number;
  buckets: readonly Bucket[];
  placed: number;
  placedLastMinute: number;
  paid: number;
  refunded: number;
  refused: ReadonlyMap<CancelReason, number>;
  revenue: readonly Money[];
  p50: number | null;
  p99: number | null;
  /** Orders heard of that are not settled yet. */
  open: number;
  rows: readonly Row[];
  /** Steps heard since the page was opened. */
  steps: number;
  /** Orders first heard of since the page was opened, by the feed or by asking. */
  orders: number;
  /** Orders of which the feed did not tell all, and asking did. */
  healed: number;
}

export const BUCKET_MS = 10_000;
export const BUCKETS = 60;
const WINDOW_MS = BUCKET_MS * BUCKETS;
const MOST_ORDERS = 1_500;
const MOST_LATENCIES_PER_BUCKET = 500;
const SCALE = 4;
/** What an amount of one is in `Bucket.revenue`. */
export const UNITS = 10 ** SCALE;

function empty(start: number): Bucket {
  const counts = { placed: 0, paid: 0, refused: 0, refunded: 0 };
  return { start, ...counts, reasons: new Map(), revenue: new Map(), latencies: [] };
}

/** Adds up what the maps say under each key. */
function summed<K, V extends number | bigint>(maps: readonly ReadonlyMap<K, V>[]): Map<K, V> {
  const all = new Map<K, V>();
  for (const map of maps) for (const [key, value] of map) all.set(key, plus(all.get(key), value));
  return all;
}

function plus<V extends number | bigint>(a: V | undefined, b: V): V {
  return a === undefined ? b : (((a as number) + (b as number)) as V);
}

/** An amount as a whole number of ten-thousandths. */
function units(amount: string): bigint {
  const [whole = "0", fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.slice(0, SCALE).padEnd(SCALE, "0"));
}

function amount(scaled: bigint): string {
  const digits = scaled.toString().padStart(SCALE + 1, "0");
  return `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`;
}

/** The value below which `share` of all values lie. */
export function percentile(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null;
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1));
  return sorted[index] ?? null;
}

export class Ledger {
  private readonly orders = new Map<string, Row>();
  private buckets: Bucket[] = [];
  private steps = 0;
  private seen = 0;
  /** Steps that the feed told of before those that go before them: not counted yet. */
  private readonly early = new Map<string, Set<number>>();
  /** Steps of orders that asking told of, and the feed has not: it may only be late. */
  private readonly healed = new Map<string, Set<number>>();

  /** A step that the feed told. Returns whether steps before it are missing. */
  hear(event: HeardEvent, order: HeardOrder): boolean {
    const known = this.orders.get(order.id);
    if (known && event.sequence <= known.sequence) {
      const left = this.healed.get(order.id);
      if (left?.delete(event.sequence) && left.size === 0) this.healed.delete(order.id);
      return false;
    }
    const missing = event.sequence > (known?.sequence ?? 0) + 1;
    // The hole is filled first, by asking: counting in order keeps each step counted once.
    if (missing) {
      const told = this.early.get(order.id) ?? new Set();
      this.early.set(order.id, told.add(event.sequence));
      return true;
    }
    this.count(event, order);
    return false;
  }

  /** An order with all its steps so far, from asking. `expected`: the feed should have told of it before. */
  learn(order: HeardOrder, timeline: readonly HeardEvent[], expected: boolean): void {
    const from = this.orders.get(order.id)?.sequence ?? 0;
    const news = timeline.filter((event) => event.sequence > from);
    if (news.length === 0) return;
    for (const event of [...news].sort((a, b) => a.sequence - b.sequence)) this.count(event, order);
    const told = this.early.get(order.id);
    this.early.delete(order.id);
    if (!expected) return;
    const left = new Set(news.map((event) => event.sequence).filter((sequence) => !told?.has(sequence)));
    if (left.size > 0) this.healed.set(order.id, left);
  }

  knows(id: string, version: number): boolean {
    return (this.orders.get(id)?.sequence ?? 0) >= version;
  }

  private count(event: HeardEvent, order: HeardOrder): void {
    const at = Date.parse(event.at);
    const known = this.orders.get(order.id);
    this.steps += 1;
    if (event.step === "CREATED") this.seen += 1;
    // Put at the end: the map is in the order of the last change.
    this.orders.delete(order.id);
    this.orders.set(order.id, {
      id: order.id,
      number: order.number,
      status: event.status,
      step: event.step,
      message: event.message,
      total: order.total,
      placedAt: known?.placedAt ?? Date.parse(order.placedAt),
      changedAt: at,
      sequence: event.sequence,
      isFinal: event.sequence >= order.version && order.isFinal,
    });
    this.tally(event, order, at);
    if (this.orders.size > MOST_ORDERS) this.forget();
  }

  private tally(event: HeardEvent, order: HeardOrder, at: number): void {
    const bucket = this.bucket(at);
    if (!bucket) return;
    if (event.step === "CREATED") {
      bucket.placed += 1;
    } else if (event.step === "PAID") {
      bucket.paid += 1;
      if (bucket.latencies.length < MOST_LATENCIES_PER_BUCKET) {
        bucket.latencies.push(Math.max(0, at - Date.parse(order.placedAt)));
      }
      const { currencyCode } = order.total;
      bucket.revenue.set(currencyCode, plus(bucket.revenue.get(currencyCode), units(order.total.amount)));
    } else if (event.step === "CANCELLED") {
      const reason = order.cancelReason ?? "OPERATOR";
      bucket.refused += 1;
      bucket.reasons.set(reason, plus(bucket.reasons.get(reason), 1));
    } else if (event.step === "REFUNDED") {
      bucket.refunded += 1;
    }
  }

  /** The bucket of a moment, made if need be; none for what is older than the window. */
  private bucket(at: number): Bucket | null {
    const start = Math.floor(at / BUCKET_MS) * BUCKET_MS;
    const newest = this.buckets.at(-1)?.start ?? start;
    if (start <= newest - WINDOW_MS) return null;
    let found = this.buckets.find((one) => one.start === start);
    if (!found) {
      found = empty(start);
      this.buckets.push(found);
      this.buckets.sort((a, b) => a.start - b.start);
    }
    return found;
  }

  /** Settled orders go first, the longest unchanged before the others. */
  private forget(): void {
    for (const [id, row] of this.orders) {
      if (row.isFinal) {
        this.orders.delete(id);
        this.healed.delete(id);
        this.early.delete(id);
        return;
      }
    }
    const oldest = this.orders.keys().next().value;
    if (oldest !== undefined) this.orders.delete(oldest);
  }

  /** Lets go of what is older than the window; also for a page that nobody looks at. */
  prune(now: number): number {
    const oldest = Math.floor(now / BUCKET_MS) * BUCKET_MS - WINDOW_MS + BUCKET_MS;
    this.buckets = this.buckets.filter((bucket) => bucket.start >= oldest);
    return oldest;
  }

  figures(now: number, rows: number): Figures {
    const oldest = this.prune(now);
    const byStart = new Map(this.buckets.map((bucket) => [bucket.start, bucket]));
    const buckets = Array.from({ length: BUCKETS }, (_, index) => {
      const start = oldest + index * BUCKET_MS;
      const known = byStart.get(start);
      return known ?? empty(start);
    });
    const sum = (pick: (bucket: Bucket) => number) =>
      buckets.reduce((total, bucket) => total + pick(bucket), 0);
    const latencies = buckets.flatMap((bucket) => bucket.latencies).sort((a, b) => a - b);
    const revenue = summed(buckets.map((bucket) => bucket.revenue));
    const all = [...this.orders.values()];
    return {
      now,
      buckets,
      placed: sum((bucket) => bucket.placed),
      // The span that is not over yet would make the figure dip every ten seconds.
      placedLastMinute: buckets.slice(-7, -1).reduce((total, bucket) => total + bucket.placed, 0),
      paid: sum((bucket) => bucket.paid),
      refunded: sum((bucket) => bucket.refunded),
      refused: summed(buckets.map((bucket) => bucket.reasons)),
      revenue: [...revenue].map(([currencyCode, scaled]) => ({ amount: amount(scaled), currencyCode })),
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      open: all.reduce((count, row) => count + (row.isFinal ? 0 : 1), 0),
      rows: all.sort((a, b) => b.changedAt - a.changedAt).slice(0, rows),
      steps: this.steps,
      orders: this.seen,
      healed: this.healed.size,
    };
  }
}
