// Dates and spans as people of the browser's locale write them.

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function formatDateTime(iso: string): string {
  return dateTime.format(new Date(iso));
}

export function formatTime(iso: string): string {
  return clockTime.format(new Date(iso));
}

/** A span in short: "48 ms", "1.2 s", "3 min". */
export function formatSpan(ms: number, locale?: string): string {
  const unit = (value: number, name: string, digits: number) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: "short",
      maximumFractionDigits: digits,
    }).format(value);
  if (ms < 1000) return unit(Math.max(0, Math.round(ms)), "millisecond", 0);
  if (ms < 60_000) return unit(ms / 1000, "second", 1);
  if (ms < 3_600_000) return unit(ms / 60_000, "minute", 0);
  return unit(ms / 3_600_000, "hour", 0);
}
