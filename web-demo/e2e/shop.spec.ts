import { expect, type Page, test } from "@playwright/test";
import { Graph, PASSWORD, signIn } from "./graph";

test("browse: categories, facets, a product with its variants, stock and shipping", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("article")).not.toHaveCount(0);
  const all = await page.getByRole("article").count();
  const categories = page.getByRole("navigation", { name: "Categories" });
  await categories.getByRole("link").nth(1).click();
  await expect(page).toHaveURL(/category=/);
  await expect.poll(() => page.getByRole("article").count()).toBeLessThan(all);

  await page.goto("/p/stoneware-mug");
  await expect(page.getByRole("heading", { level: 1, name: "Stoneware Mug" })).toBeVisible();
  await expect(page.getByText("In stock").first()).toBeVisible();
  await expect(page.getByText(/^about \$/)).toBeVisible();
  await page.getByLabel("Country to ship to").selectOption("JP");
  await expect(page.getByText(/^about \$/)).toBeVisible();
});

test("search as you type", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("article")).not.toHaveCount(0);
  await page.getByRole("searchbox", { name: "Search products" }).pressSequentially("lant", { delay: 40 });
  await expect(page).toHaveURL(/q=lant/);
  await expect(page.getByRole("article")).toHaveCount(1);
  await expect(page.getByRole("link", { name: "Camp Lantern" })).toBeVisible();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await expect.poll(() => page.getByRole("article").count()).toBeGreaterThan(5);
  await page.getByRole("searchbox", { name: "Search products" }).fill("no such thing at all");
  await expect(page.getByText("Nothing fits")).toBeVisible();
  await page.getByRole("searchbox", { name: "Search products" }).fill("lantren");
  await expect(page.getByText("Showing results for “lantern”")).toBeVisible();
  await expect(page.getByRole("link", { name: "Camp Lantern" })).toBeVisible();
});

test("a guest's cart survives a reload and merges at sign-in", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await graph.fill("camp-lantern", ada);

  await putInCart(page, "stoneware-mug");
  await page.reload();
  await expect(page.getByRole("link", { name: "Cart, 1 piece" })).toBeVisible();
  await page.goto("/cart");
  await expect(page.getByRole("link", { name: "Stoneware Mug" })).toBeVisible();
  await expect(page.getByText("You are shopping as a guest")).toBeVisible();

  await page.getByRole("link", { name: "Sign in" }).first().click();
  await page.getByLabel("E-mail").fill(ada.user.email);
  await page.getByRole("textbox", { name: "Password" }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("wrong");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();

  await expect(page).toHaveURL(/\/cart$/);
  await expect(page.getByRole("link", { name: "Camp Lantern" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Stoneware Mug" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Cart, 2 pieces" })).toBeVisible();
});

test("a newcomer registers, buys, and watches the order become paid", async ({ page }) => {
  await putInCart(page, "soy-candle");
  await page.goto("/cart");
  await page.getByRole("link", { name: "Check out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("What should we call you?").fill("Grace");
  await page.getByLabel("E-mail").fill(`grace-${Date.now()}@example.com`);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page).toHaveURL(/\/checkout/);
  await page.getByRole("button", { name: /^Order and pay/ }).click();

  await expect(page).toHaveURL(/\/orders\/ord_/);
  await expect(page.getByText("Paid. It is yours.")).toBeVisible();
  const way = page.getByRole("list", { name: "The way there" });
  for (const station of ["Stock", "Payment", "Paid"]) {
    await expect(way.getByRole("listitem").filter({ hasText: station }).first()).toHaveAttribute(
      "data-state",
      "done",
    );
  }
  await expect(page.getByRole("list", { name: "The way back" })).toHaveCount(0);
  await expect(page.locator("[data-link='complete']")).toBeVisible();

  await page.goto("/orders");
  await expect(page.getByRole("link", { name: /M-\d+/ })).toHaveCount(1);
  // What was bought is not in the cart any more.
  await expect(page.getByRole("link", { name: "Cart, empty" })).toBeVisible();
});

test("a coupon: applied, refused in plain words, removed, and taken off the order", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const code = await graph.coupon();
  await putInCart(page, "soy-candle");
  await page.goto("/cart");
  const field = page.getByRole("textbox", { name: "Coupon" });
  await field.fill("A B");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("3 to 32 letters, digits and dashes")).toBeVisible();
  await field.fill("nobody-knows-it");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("There is no coupon with this code")).toBeVisible();
  await page.getByRole("button", { name: "Remove the coupon NOBODY-KNOWS-IT" }).click();
  await field.fill(code.toLowerCase());
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(/^−\$/)).toBeVisible();
  await page.reload();
  await expect(page.getByText(code)).toBeVisible();
  const off = await page.getByText(/^−\$/).innerText();

  const ada = await graph.register();
  await page.getByRole("link", { name: "Check out" }).click();
  await page.getByLabel("E-mail").fill(ada.user.email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/checkout/);
  await expect(page.getByText(off)).toBeVisible();
  await page.getByRole("button", { name: /^Order and pay/ }).click();
  await expect(page.getByText("Paid. It is yours.")).toBeVisible();
  await expect(page.getByText(`Coupon ${code}`)).toBeVisible();
  await expect(page.getByText(off)).toBeVisible();
  await page.goto("/orders");
  await expect(page.getByRole("listitem").filter({ hasText: /M-\d+/ })).toContainText(`with ${code}`);
});

test("a coupon that is used up at checkout is told, and removing it lets one order", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const code = await graph.coupon({ maxRedemptions: 1 });
  const [ada, bob] = [await graph.register(), await graph.register("Bob")];
  await graph.fill("bud-vase", ada);
  await signIn(page, ada);
  await page.goto("/checkout");
  await page.getByRole("textbox", { name: "Coupon" }).fill(code);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(/^−\$/)).toBeVisible();
  await graph.order("desk-organizer", bob, "pm_card_visa", code);
  await page.getByRole("button", { name: /^Order and pay/ }).click();
  await expect(page.getByText("Not ordered yet")).toBeVisible();
  await expect(page.getByText("This coupon has been used up.")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Order and pay/ })).toBeDisabled();
  await page.getByRole("button", { name: `Remove the coupon ${code}` }).click();
  await page.getByRole("button", { name: /^Order and pay/ }).click();
  await expect(page.getByText("Paid. It is yours.")).toBeVisible();
});

test("a declined card: the stock goes back, and the page says why", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await graph.fill("bud-vase", ada);
  await signIn(page, ada);
  await page.goto("/checkout");
  await page.getByRole("radio", { name: /pm_card_chargeDeclined/ }).click();
  await page.getByRole("button", { name: /^Order and pay/ }).click();
  await expect(page.getByText("The bank said no to this card.")).toBeVisible();
  await expect(page.getByRole("list", { name: "The way back" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Put it in the cart again" })).toBeVisible();
});

test("an order is cancelled while the bank thinks", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const order = await graph.order("desk-organizer", ada, "pm_mercato_never");
  await signIn(page, ada);
  await page.goto(`/orders/${order.id}`);
  await page.getByRole("button", { name: "Cancel the order" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(order.number);
  await dialog.getByRole("button", { name: "Cancel the order" }).click();
  await expect(page.getByText("Cancelled by you")).toBeVisible();
  await graph.settled(order.id, ada, "CANCELLED");
});

test("a cut socket is shown, and resumed without a missed step", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  const resumedAfter: number[] = [];
  let cut: (() => Promise<void>) | null = null;
  let open = true;
  await page.routeWebSocket("/graphql/ws", (socket) => {
    if (!open) {
      void socket.close({ code: 1012, reason: "cut" });
      return;
    }
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const { type, payload } = JSON.parse(String(message));
      if (type === "subscribe") resumedAfter.push(payload.variables.afterSequence);
      server.send(message);
    });
    cut = () => socket.close({ code: 1012, reason: "cut" });
  });
  await signIn(page, ada);
  const order = await graph.order("forest-puzzle", ada, "pm_mercato_never");
  await page.goto(`/orders/${order.id}`);
  await expect(page.locator("[data-link='live']")).toBeVisible();
  await expect(page.getByText("Waiting for the bank").first()).toBeVisible();
  open = false;
  await (cut as (() => Promise<void>) | null)?.();
  await expect(page.getByText(/Connection lost. Reconnecting/)).toBeVisible();
  // The order goes on meanwhile.
  await graph.cancel(order.id, ada);
  await graph.settled(order.id, ada, "CANCELLED");
  await expect(page.getByText("Cancelled by you")).toBeHidden();
  open = true;
  await expect(page.getByText("Settled. The connection was cut meanwhile; no step was missed.")).toBeVisible({
    timeout: 25_000,
  });
  await expect(page.getByText("Cancelled by you")).toBeVisible();
  await expect(page.getByText("Payment voided").first()).toBeVisible();
  expect(resumedAfter.length).toBeGreaterThan(1);
  expect(resumedAfter.at(-1)).toBeGreaterThanOrEqual(5);
});

test("a new password signs in, and the old one no longer does", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await signIn(page, ada);
  await page.goto("/account");
  const current = page.getByRole("textbox", { name: "Current password" });
  const next = page.getByRole("textbox", { name: "New password" });
  await current.fill("this is not it");
  await next.fill("another long enough phrase");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("This is not your current password.")).toBeVisible();
  await current.fill(PASSWORD);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText(/Your password is changed/)).toBeVisible();
  const login = (password: string) => graph.ask("Login", { input: { email: ada.user.email, password } });
  expect((await login(PASSWORD)).login.userErrors).toEqual([{ code: "INVALID_CREDENTIALS" }]);
  expect((await login("another long enough phrase")).login.session).not.toBeNull();
  // The session of this page went on.
  await page.goto("/orders");
  await expect(page).toHaveURL(/\/orders$/);
});

test("amounts and dates are written as the browser's language writes them", async ({ browser, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await graph.fill("brass-fountain-pen", ada);
  const context = await browser.newContext({ locale: "de-DE" });
  const page = await context.newPage();
  await signIn(page, ada);
  await page.goto("/cart");
  await expect(page.getByText(/\d,\d\d\s\$/).first()).toBeVisible();
  await context.close();
});

async function putInCart(page: Page, slug: string) {
  await page.goto(`/p/${slug}`);
  await page.getByRole("button", { name: "Put in the cart" }).click();
  await expect(page.getByRole("link", { name: "Cart, 1 piece" })).toBeVisible();
}

test("who bought a product reviews it, changes the review and deletes it; who did not sees it", async ({
  page,
  request,
  browser,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await signIn(page, ada);
  await page.goto("/p/wool-rug");
  await expect(page.getByRole("heading", { name: "What buyers say" })).toBeVisible();
  await expect(page.getByText("Nobody has reviewed this yet.")).toBeVisible();
  await expect(page.getByRole("form", { name: "Send the review" })).toHaveCount(0);

  const order = await graph.order("wool-rug", ada);
  await graph.settled(order.id, ada, "PAID");
  const form = page.getByRole("form", { name: "Send the review" });
  // Reviews hear of the order by the broker, in their own time.
  await expect(async () => {
    await page.reload();
    await expect(form).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await form.getByLabel("In a few words").fill("Warm");
  await form.getByLabel("What do you think of it?").fill("Two winters old, and as good as new.");
  await form.getByRole("button", { name: "Send the review" }).click();
  await expect(form.getByText("Choose one to five stars.")).toBeVisible();
  await form.getByRole("radio", { name: "4 stars" }).press("Space");
  await form.getByRole("button", { name: "Send the review" }).click();
  await expect(page.getByRole("heading", { name: "Your review" })).toBeVisible();
  await expect(page.getByRole("link", { name: "1 review" })).toBeVisible();

  await page.getByRole("button", { name: "Change it" }).click();
  const change = page.getByRole("form", { name: "Change the review" });
  await change.getByLabel("In a few words").fill("Very warm");
  await change.getByRole("button", { name: "Change the review" }).click();
  await expect(page.getByText("Very warm")).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(0);

  const guest = await browser.newContext();
  const other = await guest.newPage();
  await other.goto(page.url());
  await expect(other.getByRole("article").getByText("Very warm")).toBeVisible();
  await guest.close();

  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page.getByText("Nobody has reviewed this yet.")).toBeVisible();
  await expect(form).toBeVisible();
});

test("what comes while the list of notifications is on its way is in it", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await signIn(page, ada);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let held = 0;
  await page.route("/graphql", async (route) => {
    if (route.request().postDataJSON()?.operationName !== "Notices" || held > 0) return route.continue();
    const response = await route.fetch();
    held += 1;
    await released;
    // Nobody may be waiting for it any more.
    return route.fulfill({ response }).catch(() => undefined);
  });
  await page.goto("/notifications");
  await expect.poll(() => held).toBe(1);
  const order = await graph.order("soy-candle", ada);
  await graph.settled(order.id, ada, "PAID");
  await expect(page.getByRole("link", { name: "Notifications, 2 unread" })).toBeVisible();
  release();
  await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(2);
});

test("the bell tells of an order while it is placed and paid; what was read stays read", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await signIn(page, ada);
  await page.goto("/");
  const silent = page.getByRole("link", { name: "Notifications", exact: true });
  await expect(silent).toBeVisible();
  const order = await graph.order("wool-rug", ada);
  // By the socket: nothing is loaded anew.
  await page.getByRole("link", { name: "Notifications, 2 unread" }).click();
  const notices = page.getByRole("main").getByRole("listitem");
  await expect(notices).toHaveCount(2);
  await expect(page.getByText("Not read yet:")).toHaveCount(2);
  await notices.first().getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(order.number);
  await page.getByRole("link", { name: "Notifications, 1 unread" }).click();
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(silent).toBeVisible();
  await page.reload();
  await expect(notices).toHaveCount(2);
  await expect(page.getByText("Not read yet:")).toHaveCount(0);

  await page.getByRole("link", { name: "Choose what" }).click();
  const paid = page.getByRole("switch", { name: "It is paid: by mail" });
  await expect(paid).toBeChecked();
  await paid.press("Space");
  await expect(paid).not.toBeChecked();
  await page.reload();
  await expect(paid).not.toBeChecked();
  await expect(page.getByRole("switch", { name: "It is paid: in the shop" })).toBeChecked();
});
