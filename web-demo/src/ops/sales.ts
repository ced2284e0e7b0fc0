// A report of sales: which time is asked for, and how its figures are written. Knows no React.
import { formatSpan } from "../lib/dates";
import type { SalesInterval, SalesReportQuery } from "./documents";

export type Report = NonNullable<SalesReportQuery["salesReport"]>;
type Point = Report["series"][number];

export type View = "today" | "week" | "month";

export const VIEWS: { value: View; label: string }[] = [
  { value: "today", label: "Today" },
  { value: "week", label: "7 days" },
  { value: "month", label: "30 days" },
];

/** What the shop is likely to sell in; a catalogue may have others. */
export const CURRENCIES = ["USD", "EUR", "GBP", "CHF", "JPY"];

const DAY_MS = 86_400_000;
const DAYS: Record<View, number> = { today: 1, week: 7, month: 30 };

export interface Range {
  from: string;
  to: string;
  interval: SalesInterval;
}

/**
 * What a view asks for: whole days of UTC, as the figures are kept. It ends where the day does, so that it stays the
 * same range all day long.
 */
export function rangeOf(view: View, now: number): Range {
  const end = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
  return {
    from: new Date(end - DAYS[view] * DAY_MS).toISOString(),
    to: new Date(end).toISOString(),
    interval: view === "today" ? "HOUR" : "DAY",
  };
}

/** When a day of UTC begins by the clock of the browser; null where both have the same day. */
export function dayBegins(now = Date.now(), locale?: string): string | null {
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  if (new Date(midnight).getTimezoneOffset() === 0) return null;
  return pointLabel(new Date(midnight).toISOString(), "HOUR", locale);
}

/** When a point of a series is: an hour of the browser's clock, or a day of UTC. */
export function pointLabel(at: string, interval: SalesInterval, locale?: string): string {
  const format: Intl.DateTimeFormatOptions =
    interval === "HOUR"
      ? { hour: "numeric", minute: "2-digit" }
      : { day: "numeric", month: "short", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale, format).format(new Date(at));
}

/** A count of each point, and nothing for those that have not begun. */
export function line(
  series: readonly Point[],
  now: number,
  pick: (figures: Point["figures"]) => number,
): (number | null)[] {
  return series.map(({ at, figures }) => (Date.parse(at) > now ? null : pick(figures)));
}

/** A part of a whole in per cent: "67%"; nothing of nothing is not known. */
export function shareWords(part: number, all: number, locale?: string): string {
  if (all <= 0) return "–";
  return new Intl.NumberFormat(locale, { style: "percent" }).format(part / all);
}

export interface FunnelStep {
  name: string;
  count: number;
  /** 0 to 1, of the widest step. */
  share: number;
  /** How many of the step before came so far; null for the first. */
  kept: string | null;
}

/** Carts may be older than the time that is looked at: a step can be wider than the one before. */
export function funnelSteps(funnel: Report["funnel"], locale?: string): FunnelStep[] {
  const counts: [string, number][] = [
    ["Carts begun", funnel.carts],
    ["Orders placed", funnel.orders],
    ["Orders paid", funnel.paid],
  ];
  const widest = Math.max(1, ...counts.map(([, count]) => count));
  return counts.map(([name, count], index) => {
    const before = counts[index - 1];
    const kept = before && count <= before[1] ? shareWords(count, before[1], locale) : null;
    return { name, count, share: count / widest, kept: kept === "–" ? null : kept };
  });
}

/** A time in seconds, in short; none is known where nothing was ordered. */
export function secondsWords(seconds: number | null | undefined, locale?: string): string {
  return seconds == null ? "–" : formatSpan(seconds * 1000, locale);
}

/** Refusals, the most frequent first; those that did not happen are left out. */
export function byCount(refusals: Report["refusals"]): Report["refusals"] {
  return refusals.filter(({ orders }) => orders > 0).sort((a, b) => b.orders - a.orders);
}

/** Whether anything happened in the time of a report. */
export function isQuiet({ totals, funnel }: Report): boolean {
  return totals.orders === 0 && totals.paid === 0 && totals.cancelled === 0 && funnel.carts === 0;
}
