import { expect, test } from "@playwright/test";
import { fresh, Graph, type Person, signIn } from "./graph";

let admin: Person;

test.beforeAll(async ({ request }) => {
  admin = await new Graph(request).admin();
});

test.beforeEach(async ({ page, request }) => {
  admin = await new Graph(request).admin();
  await signIn(page, admin);
});

test("the feed shows each order as it moves, and the figures move with it", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await page.goto("/ops");
  await expect(page.locator("[data-feed='live']")).toBeVisible();
  const facts = page.locator("[data-steps]");
  await expect(facts).toBeVisible();
  const placed = Number(await facts.getAttribute("data-placed"));
  const good = await graph.order("hand-grinder", ada);
  const bad = await graph.order("hand-grinder", ada, "pm_card_insufficientFunds");
  const row = (number: string) => page.locator(`[data-order='${number}']`);
  await expect(row(good.number)).toContainText("Paid");
  await expect(row(bad.number)).toContainText("Cancelled");
  await expect.poll(async () => Number(await facts.getAttribute("data-placed"))).toBe(placed + 2);
  await expect(page.getByText("Declined", { exact: true })).toBeVisible();
  await expect(facts).toHaveAttribute("data-healed", "0");
});

test("orders placed while the socket was cut are caught up on", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  let open = true;
  let cut: (() => Promise<void>) | null = null;
  await page.routeWebSocket("/graphql/ws", (socket) => {
    if (!open) {
      void socket.close({ code: 1012, reason: "cut" });
      return;
    }
    socket.connectToServer();
    cut = () => socket.close({ code: 1012, reason: "cut" });
  });
  await page.goto("/ops");
  await expect(page.locator("[data-feed='live']")).toBeVisible();
  open = false;
  await (cut as (() => Promise<void>) | null)?.();
  await expect(page.getByText(/Connection lost, attempt/)).toBeVisible();
  const missed = await graph.order("brew-scale", ada);
  await graph.settled(missed.id, ada, "PAID");
  open = true;
  await expect(page.locator("[data-feed='live']")).toBeVisible({ timeout: 20_000 });
  await expect(page.locator(`[data-order='${missed.number}']`)).toContainText("Paid");
});

test("one order from inside: its calls, and a refund", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const order = await graph.order("picnic-blanket", ada);
  await graph.settled(order.id, ada, "PAID");
  await page.goto(`/ops/orders/${order.id}`);
  const calls = page.getByRole("region", { name: "Calls to other services" });
  await expect(calls.getByText("Done").first()).toBeVisible();
  await expect(calls.getByRole("row")).not.toHaveCount(1);
  await expect(page.getByText(ada.user.email)).toBeVisible();
  await page.getByRole("button", { name: "Refund" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason, for the record").fill("arrived broken");
  await dialog.getByRole("button", { name: "Refund" }).click();
  await expect(page.getByText("Money returned").first()).toBeVisible({ timeout: 20_000 });
  await graph.settled(order.id, ada, "REFUNDED");
  await page.goto("/ops/refunds");
  await page.getByText("Refunded", { exact: true }).first().click();
  await expect(page.locator(`[data-order='${order.number}']`)).toContainText("All of it was returned");
});

test("an order is found, a line of it comes back, and its buyer sees that", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const order = await graph.order("picnic-blanket", ada);
  await graph.settled(order.id, ada, "PAID");
  await page.goto("/ops/orders");
  await page.getByLabel("Find", { exact: true }).fill(order.number);
  await page.locator(`[data-order='${order.number}']`).getByRole("link").click();
  await page.getByRole("button", { name: "Return a part" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: /blanket/i }).fill("1");
  await expect(dialog.getByText(/goes back to the buyer/)).toBeVisible();
  await dialog.getByLabel("Reason, for the record").fill("wrong colour");
  await dialog.getByRole("button", { name: "Send it back" }).click();
  const returns = page.getByRole("region", { name: "Returns" });
  await expect(returns.getByText(/wrong colour/)).toBeVisible({ timeout: 20_000 });

  await signIn(page, ada);
  await page.goto(`/orders/${order.id}`);
  const mine = page.getByRole("region", { name: "Returns" });
  await expect(mine.getByText("your money went back")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText(/1 returned/)).toBeVisible();
});

test("one order's trace: what each service wrote, and the viewer where there is one", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const order = await graph.order("picnic-blanket", ada);
  await graph.settled(order.id, ada, "PAID");
  await page.route("/config.json", (route) =>
    route.fulfill({ json: { traceViewer: "http://traces.example/trace/{traceId}" } }),
  );
  await page.goto(`/ops/orders/${order.id}`);
  const trace = page.getByRole("region", { name: "Trace" });
  await expect(trace.getByRole("link", { name: /trace viewer/ })).toHaveAttribute(
    "href",
    /^http:\/\/traces\.example\/trace\/[0-9a-f]{32}$/,
  );
  await trace.getByRole("link", { name: /each service wrote/ }).click();
  // An order that goes straight makes nobody write but who tells the buyer, in its own time.
  const lines = page.getByRole("region", { name: "Log lines" });
  await expect(async () => {
    await page.reload();
    await expect(lines).toContainText("sent a mail", { timeout: 3_000 });
  }).toPass();
  await expect(lines).toContainText("notification");
});

test("an order that waits is retried, and cancelled, from the list of stuck ones", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const order = await graph.order("picnic-blanket", ada, "pm_mercato_never");
  await graph.settled(order.id, ada, "AWAITING_PAYMENT");
  // Nothing is stuck in a healthy shop: all orders that wait stand in for the stuck ones.
  await page.route("/graphql/staff", async (route) => {
    const body = route.request().postDataJSON();
    if (body?.operationName !== "StuckOrders") return route.continue();
    const query = body.query.replace("needsAttention: true", "status: [AWAITING_PAYMENT]");
    expect(query).not.toBe(body.query);
    return route.continue({ postData: { ...body, query } });
  });
  await page.goto("/ops/stuck");
  const row = page.getByRole("row").filter({ hasText: order.number });
  await row.getByRole("button", { name: "Retry now" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(`Retry order ${order.number}?`);
  await dialog.getByRole("button", { name: "Retry now" }).click();
  await expect(dialog.getByRole("alert").or(dialog)).not.toHaveText("");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await row.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await graph.settled(order.id, ada, "CANCELLED");
  await expect(row).toHaveCount(0);
});

test("stock is adjusted, and the ledger says why", async ({ page }) => {
  await page.goto("/ops/stock");
  await page.getByRole("searchbox", { name: "Search the stock" }).fill("wall clock");
  const row = page.locator("[data-sku='CLOCK-30']");
  await expect(row).toBeVisible();
  const available = async () =>
    Number((await row.getByRole("cell").nth(2).textContent())?.replace(/\D/g, ""));
  const before = await available();
  await row.getByRole("button", { name: "Adjust CLOCK-30" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Units").fill("7");
  await dialog.getByLabel("Reason, for the ledger").fill("found behind the shelf");
  await dialog.getByRole("button", { name: "Change the stock" }).click();
  await expect(dialog).toBeHidden();
  await expect.poll(available).toBe(before + 7);
  await row.getByRole("button", { name: "Adjust CLOCK-30" }).click();
  await dialog.getByLabel("Units").fill("-100000");
  await dialog.getByLabel("Reason, for the ledger").fill("too many");
  await dialog.getByRole("button", { name: "Change the stock" }).click();
  await expect(dialog.getByRole("alert")).toContainText("not that many units");
  await dialog.getByRole("button", { name: "Leave it" }).click();
  await row.getByRole("button", { name: "Movements of CLOCK-30" }).click();
  await expect(page.getByText("found behind the shelf").first()).toBeVisible();
});

test("a coupon is made, used, and ended", async ({ page, request }) => {
  const graph = new Graph(request);
  const code = fresh("room").toUpperCase();
  await page.goto("/ops/coupons");
  await page.getByRole("button", { name: "Make a coupon" }).click();
  const dialog = page.getByRole("dialog");
  const make = async (typed: string) => {
    await dialog.getByLabel("Code").fill(typed);
    await dialog.getByRole("button", { name: "Make it" }).click();
  };
  await make("A B");
  await expect(dialog.getByLabel("Code")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByText("An amount", { exact: true }).click();
  await dialog.getByLabel("Amount off").fill("2.50");
  await dialog.getByLabel("For carts from").fill("5");
  await dialog.getByLabel("Orders, at most").fill("7");
  await make(code.toLowerCase());
  await expect(dialog).toBeHidden();
  const row = page.locator(`[data-coupon='${code}']`);
  await expect(row).toContainText("$2.50 off");
  await expect(row).toContainText("from $5.00 on, once for each buyer");
  await expect(row).toContainText("0 of 7");
  await expect(row).toContainText("Active");

  await page.getByRole("button", { name: "Make a coupon" }).click();
  await make(code);
  await expect(dialog.getByRole("alert")).toContainText("a coupon of this code already");
  await dialog.getByRole("button", { name: "Leave it" }).click();

  const ada = await graph.register();
  const order = await graph.order("picnic-blanket", ada, "pm_card_visa", code);
  await graph.settled(order.id, ada, "PAID");
  await page.reload();
  await expect(row).toContainText("1 of 7");
  await row.getByRole("button", { name: "End now" }).click();
  await expect(dialog).toContainText(`End the coupon ${code}?`);
  await dialog.getByRole("button", { name: "End now" }).click();
  await expect(row).toContainText("Ended");
  await expect(row.getByRole("button")).toHaveCount(0);
  // The order keeps its discount.
  await page.goto(`/ops/orders/${order.id}`);
  await expect(page.getByText(`Coupon ${code}`)).toBeVisible();
  await expect(page.getByText("−$2.50")).toBeVisible();
});

test("support sees the coupons, and makes and ends none", async ({ browser, request }) => {
  const graph = new Graph(request);
  const code = await graph.coupon();
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, await graph.support());
  await page.goto("/ops/coupons");
  await expect(page.locator(`[data-coupon='${code}']`)).toContainText("10% off");
  await expect(page.getByRole("button", { name: "Make a coupon" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "End now" })).toHaveCount(0);
  await context.close();
});

test("a plug is pulled: orders wait, the books stay right, and all goes on", async ({ page, request }) => {
  test.setTimeout(150_000);
  const graph = new Graph(request);
  const ada = await graph.register();
  await page.goto("/ops/plugs");
  const payment = page.locator("[data-plug='payment']");
  await expect(payment).toHaveAttribute("data-condition", "running");
  await expect(page.locator("[data-broken='0']")).toBeVisible({ timeout: 20_000 });

  await page.getByRole("button", { name: "Unplug: payment", exact: true }).click();
  await expect(payment).toHaveAttribute("data-condition", "unplugged");
  const order = await graph.order("cedar-birdhouse", ada);
  await expect
    .poll(async () => Number(await page.locator("[data-open]").getAttribute("data-open")))
    .toBeGreaterThan(0);
  // It is not given up: it waits.
  await page.waitForTimeout(2_500);
  expect(["PENDING", "AWAITING_PAYMENT"]).toContain(await graph.status(order.id, ada));

  await page.getByRole("button", { name: "Plug in again: payment", exact: true }).click();
  await expect(payment).toHaveAttribute("data-condition", "running", { timeout: 20_000 });
  await graph.settled(order.id, ada, "PAID");
  await expect(page.locator("[data-open='0']")).toBeVisible();

  // Whatever hangs can be frozen and slowed too.
  await page.getByRole("button", { name: "Freeze: RabbitMQ, the broker" }).click();
  await expect(page.locator("[data-plug='rabbitmq']")).toHaveAttribute("data-condition", "frozen");
  await page.getByRole("button", { name: "Plug in again: RabbitMQ, the broker" }).click();
  await page.getByRole("button", { name: "Slow: Payment provider" }).click();
  const provider = page.locator("[data-plug='psp-sandbox']");
  await expect(provider).toHaveAttribute("data-condition", "slow");
  const slow = await graph.order("cedar-birdhouse", ada);
  await graph.settled(slow.id, ada, "PAID");
  await page.getByRole("button", { name: "Plug in again: Payment provider" }).click();
  await expect(provider).toHaveAttribute("data-condition", "running");
  await expect(page.locator("[data-broken='0']")).toBeVisible();
  // What went wrong meanwhile stands in the order's trace.
  await page.goto(`/ops/orders/${order.id}/trace`);
  const lines = page.getByRole("region", { name: "Log lines" }).getByRole("listitem");
  await expect(lines.filter({ hasText: "no answer" }).first()).toBeVisible();
});

test("plugs are for administrators, from this very page", async ({ request, baseURL }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const origin = baseURL ?? "";
  const ask = (headers: Record<string, string>) => request.get("/_dev/plugs", { headers });
  const bearer = (person: Person) => ({ authorization: `Bearer ${person.accessToken}` });
  expect((await ask({})).status()).toBe(401);
  expect((await ask(bearer(ada))).status()).toBe(403);
  expect((await ask({ ...bearer(admin), origin: "http://evil.example" })).status()).toBe(403);
  expect((await ask({ ...bearer(admin), host: "evil.example" })).status()).toBe(403);
  expect((await ask({ ...bearer(admin), origin })).status()).toBe(200);
  const pull = await request.post("/_dev/plugs/payment", {
    data: { action: "unplug" },
    headers: { ...bearer(admin), origin: "http://evil.example" },
  });
  expect(pull.status()).toBe(403);
});

test("a shopper has no business in the control room", async ({ browser, request }) => {
  const ada = await new Graph(request).register();
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, ada);
  await page.goto("/ops");
  await expect(page.getByText("For staff only")).toBeVisible();
  await context.close();
});
