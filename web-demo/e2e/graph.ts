// The graph as a test uses it beside the page: buyers and orders that are not what the test is about.
import { readFileSync } from "node:fs";
import { type APIRequestContext, expect, type Page } from "@playwright/test";

export interface Person {
  accessToken: string;
  refreshToken: string;
  expiresAt: string;
  user: { id: string; email: string; displayName: string; roles: string[] };
}

export const PASSWORD = "correct horse battery staple";

const ADMIN = {
  email: process.env.MERCATO_ADMIN_EMAIL ?? "admin@mercato.example",
  password: process.env.MERCATO_ADMIN_PASSWORD ?? "mercato-admin-demo",
};

/**
 * Where people sign up who are not what a test is about. The page's own server tells the shop from which address
 * somebody comes, and the shop lets one address try some thirty times a day; behind it, nobody's is known.
 */
const SIGN_UP = process.env.MERCATO_GRAPHQL_URL ?? "/graphql";

/** Recorded, so that `cargo xtask schema-check` holds them against the graph. */
const read = (name: string) => readFileSync(new URL(`operations/${name}.graphql`, import.meta.url), "utf8");
const SHOP = read("shop");
const STAFF = read("staff/staff");

/** Signing in again and again is what the shop takes for guessing: once must do, for all tests of a run. */
let admin: Promise<Person> | null = null;

let count = 0;
export function fresh(prefix: string): string {
  count += 1;
  return `${prefix}-${Date.now().toString(36)}-${process.pid}-${count}`;
}

export class Graph {
  constructor(private readonly request: APIRequestContext) {}

  /** One of the recorded operations, by its name. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's
  async ask(operationName: string, variables: object = {}, as?: Person): Promise<any> {
    return this.send("/graphql", { query: SHOP, operationName, variables }, as);
  }

  /** What only the whole graph has, as an administrator. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's
  async askStaff(operationName: string, variables: object = {}): Promise<any> {
    return this.send("/graphql/staff", { query: STAFF, operationName, variables }, await this.admin());
  }

  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's
  private async send(path: string, data: object, as?: Person): Promise<any> {
    const response = await this.request.post(path, {
      data,
      headers: as ? { authorization: `Bearer ${as.accessToken}` } : {},
    });
    const body = await response.json();
    expect(body.errors, JSON.stringify(body.errors)).toBeUndefined();
    return body.data;
  }

  async register(name = "Ada"): Promise<Person> {
    const input = { email: `${fresh("e2e")}@example.com`, password: PASSWORD, displayName: name };
    const data = { query: SHOP, operationName: "Register", variables: { input } };
    return this.enter(async () => (await this.send(SIGN_UP, data)).register);
  }

  /** All tests come from one address, and are told to come more slowly now and then, as anybody is. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the query's
  private async enter(ask: () => Promise<any>): Promise<Person> {
    for (let attempt = 0; ; attempt += 1) {
      const { session, userErrors } = await ask();
      if (session) return session;
      const isEarly = userErrors.length === 1 && userErrors[0].code === "TOO_MANY_ATTEMPTS";
      expect(isEarly && attempt < 40, JSON.stringify(userErrors)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    }
  }

  async admin(): Promise<Person> {
    const known = await admin;
    // A run is longer than a token lives.
    if (known && Date.parse(known.expiresAt) - Date.now() > 60_000) return known;
    admin = this.signInAdmin();
    return admin;
  }

  private async signInAdmin(): Promise<Person> {
    return this.enter(async () => (await this.ask("Login", { input: ADMIN })).login);
  }

  /** One who may look into the control room, and change little there. */
  async support(): Promise<Person> {
    const { refreshToken, user } = await this.register("Sam");
    const made = await this.askStaff("SetUserRoles", {
      input: { userId: user.id, roles: ["CUSTOMER", "SUPPORT"] },
    });
    expect(made.setUserRoles.userErrors).toEqual([]);
    const data = await this.ask("RefreshSession", { input: { refreshToken } });
    expect(data.refreshSession.session.user.roles).toContain("SUPPORT");
    return data.refreshSession.session;
  }

  async variant(slug: string): Promise<{ id: string; sku: string }> {
    const data = await this.ask("FirstVariant", {
      slug,
    });
    return data.product.variants[0];
  }

  /** A cart with one product, or with each of several. */
  async fill(slugs: string | string[], as: Person, quantity = 1): Promise<string> {
    const variants = await Promise.all([slugs].flat().map((slug) => this.variant(slug)));
    const data = await this.ask(
      "CreateCart",
      {
        input: {
          currencyCode: "USD",
          idempotencyKey: fresh("cart"),
          lines: variants.map(({ id }) => ({ variantId: id, quantity })),
        },
      },
      as,
    );
    expect(data.createCart.userErrors).toEqual([]);
    return data.createCart.cart.id;
  }

  async order(
    slugs: string | string[],
    as: Person,
    paymentMethod = "pm_card_visa",
    coupon?: string,
  ): Promise<{ id: string; number: string }> {
    const cartId = await this.fill(slugs, as);
    if (coupon) await this.apply(cartId, coupon, as);
    const data = await this.ask(
      "CreateOrder",
      { input: { cartId, paymentMethod, idempotencyKey: fresh("order") } },
      as,
    );
    expect(data.createOrder.userErrors).toEqual([]);
    return data.createOrder.order;
  }

  async apply(cartId: string, code: string, as: Person): Promise<void> {
    const data = await this.ask("ApplyCoupon", { input: { cartId, code } }, as);
    expect(data.applyCoupon.userErrors).toEqual([]);
  }

  /** A coupon of ten percent; its code. */
  async coupon(limits: object = {}): Promise<string> {
    const code = fresh("WEB").toUpperCase();
    const data = await this.askStaff("CreateCoupon", { input: { code, percentOff: 10, ...limits } });
    expect(data.createCoupon.userErrors).toEqual([]);
    return code;
  }

  async cancel(orderId: string, as: Person): Promise<void> {
    const data = await this.ask("CancelOrder", { input: { orderId, idempotencyKey: fresh("cancel") } }, as);
    expect(data.cancelOrder.userErrors).toEqual([]);
  }

  async status(id: string, as: Person): Promise<string> {
    return (await this.ask("StatusOfOrder", { id }, as)).order.status;
  }

  async settled(id: string, as: Person, status: string): Promise<void> {
    await expect.poll(() => this.status(id, as), { timeout: 20_000 }).toBe(status);
  }
}

/** The page opens with this person signed in. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.addInitScript((session) => {
    if (!localStorage.getItem("mercato.session")) localStorage.setItem("mercato.session", session);
  }, JSON.stringify(person));
}
