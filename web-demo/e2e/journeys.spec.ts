// What a visit meets beside the straight way: long lists, ended tokens, parts of the shop that are away.
import { expect, type Page, type Route, test } from "@playwright/test";
import { Graph, signIn } from "./graph";

const operation = (route: Route): string => route.request().postDataJSON()?.operationName ?? "";

test.afterEach(async ({ page }) => {
  // What is asked again and again may be on its way.
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

const cards = (page: Page) => page.getByRole("article");

/** Amounts of the cards, from the first to the last. */
async function amounts(page: Page): Promise<number[]> {
  const texts = await cards(page).allInnerTexts();
  return texts.map((text) => Number(/\$([\d,]+\.\d\d)/.exec(text)?.[1]?.replaceAll(",", "")));
}

test("a list goes on without end, is sorted and narrowed, and the address remembers", async ({ page }) => {
  await page.goto("/");
  await expect(cards(page)).not.toHaveCount(0);
  const told = page.getByText(/^[\d,]+ products$/);
  const all = Number((await told.textContent())?.replace(/\D/g, ""));
  expect(all).toBeGreaterThan(48);
  // Two pages more at the least; a large catalogue goes on.
  const some = Math.min(all, 60);
  await expect(async () => {
    await page.mouse.wheel(0, 3_000);
    expect(await cards(page).count()).toBeGreaterThanOrEqual(some);
  }).toPass();

  await page.getByLabel("Order of the list").selectOption({ label: "Price, low to high" });
  await expect(page).toHaveURL(/sort=PRICE_ASC/);
  await expect(page.locator("[data-stale]")).toHaveCount(0);
  await expect
    .poll(async () => {
      const listed = await amounts(page);
      return (
        listed.length > 5 && listed.every((one, index) => index === 0 || one >= (listed[index - 1] ?? 0))
      );
    })
    .toBe(true);

  const brands = page.getByRole("complementary", { name: "Filter" }).getByRole("checkbox");
  const label = page.getByRole("complementary", { name: "Filter" }).locator("label").first();
  const count = Number(/(\d+)$/.exec((await label.innerText()).trim())?.[1]);
  await brands.first().click();
  await expect(page).toHaveURL(/brand=/);
  await expect(cards(page)).toHaveCount(count);
  await page.reload();
  await expect(cards(page)).toHaveCount(count);
  await expect(brands.first()).toBeChecked();
  await page.getByRole("button", { name: /^Remove brand/ }).click();
  await expect.poll(() => cards(page).count()).toBeGreaterThan(count);
});

test("a list sorted anew while a page of it is on its way is the new one, and goes on", async ({ page }) => {
  let late = 0;
  await page.route("/graphql", async (route) => {
    const { variables } = route.request().postDataJSON();
    if (operation(route) === "Products" && variables.sort === "RELEVANCE" && variables.after) {
      late += 1;
      await new Promise((ready) => setTimeout(ready, 3_000));
    }
    return route.continue();
  });
  await page.goto("/");
  await expect(cards(page)).not.toHaveCount(0);
  await expect(async () => {
    await page.mouse.wheel(0, 3_000);
    expect(late).toBeGreaterThan(0);
  }).toPass();
  await page.getByLabel("Order of the list").selectOption({ label: "Price, low to high" });
  await expect(page.locator("[data-stale]")).toHaveCount(0);
  await expect(async () => {
    await page.mouse.wheel(0, 3_000);
    expect(await cards(page).count()).toBeGreaterThan(24);
  }).toPass();
  const listed = await amounts(page);
  expect(listed).toEqual([...listed].sort((one, other) => one - other));
  const titles = await cards(page).getByRole("heading").allInnerTexts();
  expect(new Set(titles).size).toBe(titles.length);
});

test("a session is renewed without a word, once for all tabs", async ({ context, request }) => {
  const ada = await new Graph(request).register();
  const nearlyOver = { ...ada, expiresAt: new Date(Date.now() + 3_000).toISOString() };
  let renewals = 0;
  await context.route("/graphql", (route) => {
    if (operation(route) === "RefreshSession") renewals += 1;
    return route.continue();
  });
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) await signIn(tab, nearlyOver);
  await Promise.all(tabs.map((tab) => tab.goto("/account")));
  for (const tab of tabs) {
    await expect(tab.getByRole("heading", { name: "Your account" })).toBeVisible();
    await expect(tab.getByText(ada.user.email).first()).toBeVisible();
  }
  const kept = async () =>
    JSON.parse((await tabs[0]?.evaluate(() => localStorage.getItem("mercato.session"))) ?? "{}").accessToken;
  await expect.poll(kept).not.toBe(ada.accessToken);
  expect(renewals).toBe(1);
});

test("a session that was ended elsewhere is said to be over", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await graph.ask("Logout", { input: { refreshToken: ada.refreshToken, everywhere: true } }, ada);
  await signIn(page, { ...ada, expiresAt: new Date(Date.now() - 1_000).toISOString() });
  await page.goto("/orders");
  await expect(page.getByText("Your session has ended. Please sign in again.")).toBeVisible();
  await expect(page).toHaveURL(/\/login/);
});

test("what is away is said in plain words, and comes back by trying again", async ({ page }) => {
  let away = true;
  await page.route("/graphql", (route) => {
    if (!away) return route.continue();
    if (operation(route) === "Products") return route.abort("connectionrefused");
    return route.continue();
  });
  await page.goto("/");
  const alert = page.getByRole("alert").filter({ hasText: "No connection to the shop" });
  await expect(alert).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Categories" })).toBeVisible();
  away = false;
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(cards(page).first()).toBeVisible();
});

test("a part that is away empties one field, and a fault of ours names its number", async ({ page }) => {
  await page.route("/graphql", async (route) => {
    if (operation(route) === "ProductAvailability") {
      const answer = await (await route.fetch()).json();
      for (const variant of answer.data.product.variants) variant.availability = null;
      const fault = { message: "inventory", extensions: { code: "UNAVAILABLE" } };
      return route.fulfill({ json: { ...answer, errors: [fault] } });
    }
    if (operation(route) === "AddCartLines" || operation(route) === "CreateCart") {
      const fault = { message: "secret", extensions: { code: "INTERNAL", correlationId: "c-4711" } };
      return route.fulfill({ json: { data: null, errors: [fault] } });
    }
    return route.continue();
  });
  await page.goto("/p/stoneware-mug");
  await expect(page.getByText("Stock unknown").first()).toBeVisible();
  await page.getByRole("button", { name: "Put in the cart" }).click();
  await expect(page.getByText("Something broke on our side")).toBeVisible();
  await expect(page.getByText("c-4711")).toBeVisible();
  await expect(page.getByText("secret")).toHaveCount(0);
});

test("a refusal that is newer than the page has words too", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await graph.fill("gooseneck-kettle", ada);
  await signIn(page, ada);
  await page.route("/graphql", (route) => {
    if (operation(route) !== "CreateOrder") return route.continue();
    const refusal = { __typename: "OrderUserError", code: "SOMETHING_NEW", message: "raw", field: null };
    return route.fulfill({
      json: {
        data: { createOrder: { __typename: "CreateOrderPayload", order: null, userErrors: [refusal] } },
      },
    });
  });
  await page.goto("/checkout");
  await page.getByRole("button", { name: /^Order and pay/ }).click();
  await expect(page.getByRole("alert").filter({ hasText: "Not ordered yet" })).toContainText("Reload it");
});
