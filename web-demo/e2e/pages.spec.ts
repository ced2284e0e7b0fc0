// Every page: nothing axe calls serious, nothing wider than a phone, no error in the console.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page, type Request, test } from "@playwright/test";
import { Graph, type Person, signIn } from "./graph";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Visit {
  name: string;
  path: string;
  as: "guest" | "ada" | "admin";
  ready(page: Page): Promise<void>;
}

const heading = (name: string | RegExp) => async (page: Page) => {
  await expect(page.getByRole("heading", { name }).first()).toBeVisible();
};

const coupon = (page: Page) => page.getByRole("textbox", { name: "Coupon" });

/** The cart or checkout without a coupon. */
async function bare(page: Page) {
  const remove = page.getByRole("button", { name: /^Remove the coupon/ });
  await expect(coupon(page).or(remove)).toBeVisible();
  if (await remove.isVisible()) await remove.click();
  await expect(coupon(page)).toBeVisible();
}

const applied = (code: () => string) => async (page: Page) => {
  await bare(page);
  await coupon(page).fill(code());
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByRole("alert").or(page.getByText(/^−\$/))).toBeVisible();
};

let ada: Person;
let admin: Person;
let paid: { id: string; number: string };
let declined: { id: string; number: string };
let code: string;

test.beforeAll(async ({ request }) => {
  const graph = new Graph(request);
  ada = await graph.register();
  paid = await graph.order("teddy-bear", ada);
  declined = await graph.order("teddy-bear", ada, "pm_card_chargeDeclined");
  await graph.settled(paid.id, ada, "PAID");
  await graph.settled(declined.id, ada, "CANCELLED");
  await graph.fill("teddy-bear", ada, 2);
  code = await graph.coupon();
});

const visits = (): Visit[] => [
  {
    name: "home",
    path: "/",
    as: "guest",
    ready: (page) => expect(page.getByRole("article").first()).toBeVisible(),
  },
  {
    name: "nothing found",
    path: "/?q=zzzzzz",
    as: "guest",
    ready: (page) => expect(page.getByText("Nothing fits")).toBeVisible(),
  },
  { name: "product", path: "/p/stoneware-mug", as: "guest", ready: heading("Stoneware Mug") },
  { name: "empty cart", path: "/cart", as: "guest", ready: heading("Your cart is empty") },
  { name: "sign in", path: "/login", as: "guest", ready: heading("Sign in") },
  { name: "register", path: "/register", as: "guest", ready: heading("Create an account") },
  { name: "not found", path: "/nowhere", as: "guest", ready: heading(/nothing at this address/) },
  { name: "notifications", path: "/notifications", as: "ada", ready: heading("Notifications") },
  { name: "cart", path: "/cart", as: "ada", ready: bare },
  { name: "checkout", path: "/checkout", as: "ada", ready: bare },
  {
    name: "cart with what is no code",
    path: "/cart",
    as: "ada",
    ready: async (page) => {
      await bare(page);
      await coupon(page).fill("A B");
      await page.getByRole("button", { name: "Apply" }).click();
      await expect(coupon(page)).toHaveAttribute("aria-invalid", "true");
    },
  },
  { name: "cart with a coupon", path: "/cart", as: "ada", ready: applied(() => code) },
  {
    name: "checkout with a coupon",
    path: "/checkout",
    as: "ada",
    ready: (page) => expect(page.getByText(/^−\$/)).toBeVisible(),
  },
  { name: "cart with no such coupon", path: "/cart", as: "ada", ready: applied(() => "NO-SUCH-ONE") },
  {
    name: "checkout with no such coupon",
    path: "/checkout",
    as: "ada",
    ready: (page) => expect(page.getByRole("alert")).toBeVisible(),
  },
  {
    name: "orders",
    path: "/orders",
    as: "ada",
    ready: (page) => expect(page.getByRole("link", { name: /M-\d+/ }).first()).toBeVisible(),
  },
  {
    name: "paid order",
    path: `/orders/${paid.id}`,
    as: "ada",
    ready: (page) => expect(page.getByText("Paid. It is yours.")).toBeVisible(),
  },
  {
    name: "declined order",
    path: `/orders/${declined.id}`,
    as: "ada",
    ready: (page) => expect(page.getByRole("list", { name: "The way back" })).toBeVisible(),
  },
  { name: "account", path: "/account", as: "ada", ready: heading("Your account") },
  {
    name: "control room",
    path: "/ops",
    as: "admin",
    ready: (page) => expect(page.locator("[data-order]").first()).toBeVisible(),
  },
  { name: "saga", path: `/ops/orders/${paid.id}`, as: "admin", ready: heading("Calls to other services") },
  {
    name: "trace",
    path: `/ops/orders/${paid.id}/trace`,
    as: "admin",
    ready: heading("What each service wrote"),
  },
  { name: "stuck", path: "/ops/stuck", as: "admin", ready: heading(/Nothing is stuck|Waiting for a person/) },
  {
    name: "refunds",
    path: "/ops/refunds",
    as: "admin",
    ready: (page) => expect(page.locator("[data-order]").first()).toBeVisible(),
  },
  {
    name: "stock",
    path: "/ops/stock",
    as: "admin",
    ready: (page) => expect(page.locator("[data-sku]").first()).toBeVisible(),
  },
  {
    name: "coupons",
    path: "/ops/coupons",
    as: "admin",
    ready: (page) => expect(page.locator(`[data-coupon='${code}']`)).toBeVisible(),
  },
  {
    name: "making a coupon",
    path: "/ops/coupons",
    as: "admin",
    ready: async (page) => {
      await page.getByRole("button", { name: "Make a coupon" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Make it" }).click();
      await expect(page.getByText("3 to 32 letters, digits and dashes.").last()).toBeVisible();
    },
  },
  {
    name: "sales",
    path: "/ops/sales",
    as: "admin",
    ready: async (page) => {
      await expect(page.locator("[data-revenue]")).toBeVisible();
      await heading("Products that sold best")(page);
    },
  },
  {
    name: "mails given up",
    path: "/ops/mails",
    as: "admin",
    // Another test's mail may be among them.
    ready: (page) => expect(page.getByText(/No mail was given up|These were not told/)).toBeVisible(),
  },
  {
    name: "webhooks",
    path: "/ops/webhooks",
    as: "admin",
    ready: (page) => expect(page.getByRole("button", { name: "Add an endpoint" })).toBeVisible(),
  },
  {
    name: "adding an endpoint",
    path: "/ops/webhooks",
    as: "admin",
    ready: async (page) => {
      await page.getByRole("button", { name: "Add an endpoint" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Add it" }).click();
      await expect(page.getByText("A whole address, such as").last()).toBeVisible();
    },
  },
  {
    name: "plugs",
    path: "/ops/plugs",
    as: "admin",
    ready: (page) => expect(page.locator("[data-plug='order']")).toBeVisible(),
  },
];

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}
type Axe = { run(root: Document, options: object): Promise<{ violations: Violation[] }> };

async function violations(page: Page): Promise<string[]> {
  // What fades is judged when it has faded.
  await expect(page.locator("[aria-busy='true'], [data-stale]")).toHaveCount(0);
  await page.evaluate(() =>
    Promise.race([
      Promise.allSettled(document.getAnimations().map((animation) => animation.finished)),
      new Promise((done) => setTimeout(done, 1_000)),
    ]),
  );
  // Evaluated, not injected as a script: the page's policy would refuse it, as it should.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: Axe }).axe;
    const { violations } = await run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 300)}`),
      );
  });
}

for (const look of [
  { name: "light", colorScheme: "light" as const, width: 1280 },
  { name: "dark", colorScheme: "dark" as const, width: 1280 },
  { name: "phone", colorScheme: "light" as const, width: 390 },
]) {
  test(`every page is sound: ${look.name}`, async ({ browser, request }) => {
    test.setTimeout(240_000);
    for (const as of ["guest", "ada", "admin"] as const) {
      admin = await new Graph(request).admin();
      const context = await browser.newContext({
        colorScheme: look.colorScheme,
        viewport: { width: look.width, height: 900 },
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      const asked = new Map<string, Request>();
      page.on("request", (request) => {
        const question = request.postData() ?? "";
        if (!question || !new URL(request.url()).pathname.startsWith("/graphql")) return;
        if (asked.has(question)) complaints.push(`asked twice at once: ${question}`);
        asked.set(question, request);
      });
      for (const end of ["requestfinished", "requestfailed"] as const) {
        page.on(end as "requestfinished", (request) => {
          const question = request.postData() ?? "";
          if (asked.get(question) === request) asked.delete(question);
        });
      }
      if (as !== "guest") await signIn(page, as === "ada" ? ada : admin);
      for (const { name, path, ready } of visits().filter((visit) => visit.as === as)) {
        await test.step(`${name}, ${look.name}`, async () => {
          await page.goto(path);
          await ready(page);
          expect.soft(await violations(page), name).toEqual([]);
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect.soft(overflow, `${name} is wider than the window`).toBeLessThanOrEqual(0);
          expect.soft(complaints, name).toEqual([]);
          complaints.length = 0;
        });
      }
      await context.close();
    }
  });
}

test("with the keyboard alone: from the start page into the cart", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("article").first()).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.goto("/p/stoneware-mug");
  const add = page.getByRole("button", { name: "Put in the cart" });
  await expect(add).toBeEnabled();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    if (await add.evaluate((button) => button === document.activeElement)) break;
  }
  await expect(add).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "Cart, 1 piece" })).toBeVisible();
});

test("the page is served with caching, compression and a strict policy", async ({ request }) => {
  const index = await request.get("/orders", { headers: { accept: "text/html" } });
  expect(index.status()).toBe(200);
  expect(index.headers()["cache-control"]).toBe("no-cache");
  expect(index.headers()["content-security-policy"]).toContain("script-src 'self'");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await index.text())?.[1] ?? "";
  const asset = await request.get(script, { headers: { "accept-encoding": "br" } });
  expect(asset.headers()["cache-control"]).toContain("immutable");
  expect(asset.headers()["content-encoding"]).toBe("br");
  expect((await request.get("/assets/gone-1234.js")).status()).toBe(404);
  const keys = await request.get("/.well-known/jwks.json");
  expect((await keys.json()).keys.length).toBeGreaterThan(0);
});
