// A return from what was filled in, and a search from what was typed in. Knows no React.
import { compareAmounts, type Money } from "../lib/money";
import { parseAmount } from "./coupons";
import type { OrderFilter, OrderStatus, ReturnLineInput } from "./documents";

export interface ReturnableLine {
  id: string;
  title: string;
  sku: string;
  quantity: number;
  returnedQuantity: number;
}

/** What is filled in for a line: how many come back, and whether they can be sold again. */
export interface LineForm {
  quantity: number;
  restock: boolean;
}

export type LineForms = Readonly<Record<string, LineForm>>;

/** How many of a line can still come back. */
export function left(line: ReturnableLine): number {
  return Math.max(0, line.quantity - line.returnedQuantity);
}

/** The lines to send, in the order's own order; nothing of what was filled in for more than is left. */
export function chosenLines(lines: readonly ReturnableLine[], forms: LineForms): ReturnLineInput[] {
  return lines.flatMap((line) => {
    const form = forms[line.id];
    const quantity = Math.min(Math.trunc(form?.quantity || 0), left(line));
    return form && quantity > 0 ? [{ lineId: line.id, quantity, restock: form.restock }] : [];
  });
}

/** The amount to send, or what is wrong with it. */
export function readRefund(
  text: string,
  most: Money,
): { amount: Money; mistake: null } | { amount: null; mistake: string } {
  const amount = parseAmount(text, most.currencyCode);
  if (amount === null) return { amount: null, mistake: "An amount of more than nothing, such as 5.00." };
  if (compareAmounts(amount, most.amount) > 0) return { amount: null, mistake: "More than is left." };
  return { amount: { amount, currencyCode: most.currencyCode }, mistake: null };
}

export interface SearchForm {
  text: string;
  status: OrderStatus | "";
  /** As `date` gives it, in the browser's time zone. */
  from: string;
  to: string;
}

export const EMPTY_SEARCH: SearchForm = { text: "", status: "", from: "", to: "" };

function startOf(day: string, later: number): string | undefined {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return undefined;
  const start = new Date(year, month - 1, date + later);
  return Number.isNaN(start.getTime()) ? undefined : start.toISOString();
}

/** The filter for a form; both days are meant whole. */
export function readSearch(form: SearchForm): OrderFilter {
  const filter: OrderFilter = {};
  const text = form.text.trim();
  if (/[\p{L}\p{N}]/u.test(text)) filter.text = text;
  if (form.status) filter.status = [form.status];
  const from = startOf(form.from, 0);
  if (from) filter.placedFrom = from;
  const before = startOf(form.to, 1);
  if (before) filter.placedBefore = before;
  return filter;
}
