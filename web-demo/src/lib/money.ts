// Amounts arrive as exact decimal text; nothing here turns one into a float.

export interface Money {
  amount: string;
  currencyCode: string;
}

const formats = new Map<string, Intl.NumberFormat>();

function format(currencyCode: string, locale: string | undefined): Intl.NumberFormat {
  const key = `${locale ?? ""}|${currencyCode}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.NumberFormat(locale, { style: "currency", currency: currencyCode });
    formats.set(key, made);
  }
  return made;
}

/** The amount as people of the locale write it; digits are kept exactly. */
export function formatMoney(money: Money, locale?: string): string {
  return format(money.currencyCode, locale).format(money.amount as Intl.StringNumericLiteral);
}

/** A mark on a scale, without decimals: not for amounts that somebody pays. */
export function formatRoundMoney(value: number, currencyCode: string, locale?: string): string {
  const rough = { style: "currency", currency: currencyCode, maximumFractionDigits: 0 } as const;
  return new Intl.NumberFormat(locale, rough).format(value);
}

/** The amount as an integer of `scale` decimal places. */
function scaled(amount: string, scale: number): bigint {
  const negative = amount.startsWith("-");
  const [whole = "0", fraction = ""] = amount.replace(/^[+-]/, "").split(".");
  const digits = BigInt((whole || "0") + fraction.padEnd(scale, "0"));
  return negative ? -digits : digits;
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. Of one currency. */
export function compareAmounts(a: string, b: string): number {
  const scale = Math.max(decimals(a), decimals(b));
  const difference = scaled(a, scale) - scaled(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function decimals(amount: string): number {
  return amount.split(".")[1]?.length ?? 0;
}

/** What is left of `a` without `b`. Of one currency. */
export function subtract(a: Money, b: Money): Money {
  const scale = Math.max(decimals(a.amount), decimals(b.amount));
  const units = scaled(a.amount, scale) - scaled(b.amount, scale);
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const amount = `${units < 0n ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ""}`;
  return { amount, currencyCode: a.currencyCode };
}

export function isZero(money: Money): boolean {
  return compareAmounts(money.amount, "0") === 0;
}

/** How many whole per cent `now` is below `before`; null when it isn't, or in another currency. */
export function discountPercent(now: Money, before: Money | null | undefined): number | null {
  if (!before || before.currencyCode !== now.currencyCode || compareAmounts(now.amount, before.amount) >= 0) {
    return null;
  }
  const scale = 6;
  const was = scaled(before.amount, scale);
  if (was <= 0n) return null;
  const percent = Number(((was - scaled(now.amount, scale)) * 100n) / was);
  return percent > 0 ? percent : null;
}

/** The lowest of some prices, and whether there are different ones. */
export function priceRange(prices: readonly Money[]): { from: Money; varies: boolean } | null {
  const [first, ...others] = prices;
  if (!first) return null;
  let from = first;
  let varies = false;
  for (const price of others) {
    const order = compareAmounts(price.amount, from.amount);
    if (order !== 0) varies = true;
    if (order < 0) from = price;
  }
  return { from, varies };
}
