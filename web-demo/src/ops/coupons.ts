// Coupons in words, and a coupon from what was typed in.
import { formatDateTime } from "../lib/dates";
import { compareAmounts, formatMoney } from "../lib/money";
import type { CouponPartsFragment, CreateCouponInput } from "./documents";

export type Coupon = CouponPartsFragment;

/** What it takes off: "10% off", "$5.00 off". */
export function givesWords(coupon: Coupon, locale?: string): string {
  if (coupon.amountOff) return `${formatMoney(coupon.amountOff, locale)} off`;
  const share = new Intl.NumberFormat(locale, { style: "percent" });
  return `${share.format((coupon.percentOff ?? 0) / 100)} off`;
}

/** What a cart and a buyer must be like for it; null if any will do. */
export function limitWords(coupon: Coupon, locale?: string): string | null {
  const limits = [];
  if (coupon.minimumSubtotal) limits.push(`from ${formatMoney(coupon.minimumSubtotal, locale)} on`);
  const each = coupon.maxRedemptionsPerUser;
  if (each) limits.push(each === 1 ? "once for each buyer" : `${each} times for each buyer`);
  return limits.length > 0 ? limits.join(", ") : null;
}

/** When it is good. */
export function validWords(coupon: Coupon): string {
  const from = `From ${formatDateTime(coupon.startsAt)}`;
  return coupon.endsAt ? `${from} until ${formatDateTime(coupon.endsAt)}` : `${from} on`;
}

export function usedWords(coupon: Coupon, locale?: string): string {
  const number = new Intl.NumberFormat(locale);
  const used = number.format(coupon.redemptions);
  return coupon.maxRedemptions ? `${used} of ${number.format(coupon.maxRedemptions)}` : used;
}

export interface CouponStanding {
  label: string;
  color: string;
  /** Whether there is anything to end. */
  open: boolean;
}

/** Where it is in its life, at the time `now`. */
export function standing(coupon: Coupon, now: number): CouponStanding {
  if (coupon.isActive) return { label: "Active", color: "teal", open: true };
  if (coupon.endsAt && Date.parse(coupon.endsAt) <= now)
    return { label: "Ended", color: "gray", open: false };
  if (Date.parse(coupon.startsAt) > now) return { label: "Not yet", color: "blue", open: true };
  // Given back by an order that is cancelled, it is good again.
  return { label: "Used up", color: "orange", open: true };
}

/** The form as it is filled in. */
export interface CouponForm {
  code: string;
  kind: "percent" | "amount";
  percent: string;
  amount: string;
  currencyCode: string;
  minimum: string;
  /** As `datetime-local` gives it, in the browser's time zone. */
  startsAt: string;
  endsAt: string;
  max: string;
  maxPerUser: string;
}

export const EMPTY_FORM: CouponForm = {
  code: "",
  kind: "percent",
  percent: "10",
  amount: "",
  currencyCode: "USD",
  minimum: "",
  startsAt: "",
  endsAt: "",
  max: "",
  maxPerUser: "1",
};

export type CouponMistakes = Partial<Record<keyof CouponForm, string>>;

function decimals(currencyCode: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currencyCode });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** An amount as people type it; null if it is none, nothing, or finer than the currency. */
export function parseAmount(text: string, currencyCode: string): string | null {
  const amount = text.trim().replace(",", ".");
  const fits = /^\d{1,9}(\.\d+)?$/.test(amount);
  if (!fits || (amount.split(".")[1]?.length ?? 0) > decimals(currencyCode)) return null;
  return compareAmounts(amount, "0") > 0 ? amount : null;
}

function parseCount(text: string, most: number): number | null {
  const digits = text.trim();
  if (!/^\d{1,10}$/.test(digits)) return null;
  const count = Number(digits);
  return count >= 1 && count <= most ? count : null;
}

const MOST = 2_000_000_000;

/** The coupon that the form asks for, or what is wrong with which field. */
export function readForm(
  form: CouponForm,
): { input: CreateCouponInput; mistakes: null } | { input: null; mistakes: CouponMistakes } {
  const mistakes: CouponMistakes = {};
  const input: CreateCouponInput = { code: form.code.trim().toUpperCase() };
  if (!/^[A-Z0-9-]{3,32}$/.test(input.code)) mistakes.code = "3 to 32 letters, digits and dashes.";

  const currencyCode = form.currencyCode.trim().toUpperCase();
  const inMoney = form.kind === "amount" || form.minimum.trim() !== "";
  const isCurrency = /^[A-Z]{3}$/.test(currencyCode);
  if (inMoney && !isCurrency) mistakes.currencyCode = "Three letters, such as USD.";
  const money = (field: "amount" | "minimum") => {
    if (!isCurrency) return undefined;
    const amount = parseAmount(form[field], currencyCode);
    if (amount === null) mistakes[field] = "An amount of more than nothing, such as 5.00.";
    return amount === null ? undefined : { amount, currencyCode };
  };
  if (form.kind === "percent") {
    const percent = parseCount(form.percent, 100);
    if (percent === null) mistakes.percent = "1 to 100.";
    else input.percentOff = percent;
  } else {
    input.amountOff = money("amount");
  }
  if (form.minimum.trim()) input.minimumSubtotal = money("minimum");

  const moment = (field: "startsAt" | "endsAt") => {
    if (!form[field]) return undefined;
    const time = new Date(form[field]);
    if (!Number.isNaN(time.getTime())) return time.toISOString();
    mistakes[field] = "A day and a time.";
    return undefined;
  };
  input.startsAt = moment("startsAt");
  input.endsAt = moment("endsAt");
  const start = input.startsAt ? Date.parse(input.startsAt) : Date.now();
  if (input.endsAt && Date.parse(input.endsAt) <= start)
    mistakes.endsAt = "After the start, and not yet over.";

  const count = (field: "max" | "maxPerUser") => {
    if (!form[field].trim()) return undefined;
    const value = parseCount(form[field], MOST);
    if (value === null) mistakes[field] = "1 or more, or nothing for any number.";
    return value ?? undefined;
  };
  input.maxRedemptions = count("max");
  input.maxRedemptionsPerUser = count("maxPerUser");

  return Object.keys(mistakes).length > 0 ? { input: null, mistakes } : { input, mistakes: null };
}
