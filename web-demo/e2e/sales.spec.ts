// What was sold, as the control room shows it.
import { expect, type Page, test } from "@playwright/test";
import { Graph, signIn } from "./graph";

const tiles = (page: Page) => page.locator("[data-revenue]");

/** As the page shows it: in cents, which a sum of these orders never makes too many of. */
async function revenue(page: Page): Promise<number> {
  return Math.round(Number(await tiles(page).getAttribute("data-revenue")) * 100);
}

test.beforeEach(async ({ page, request }) => {
  await signIn(page, await new Graph(request).admin());
});

test("an order that is paid is counted, with what it was and why others were not", async ({
  page,
  request,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await page.goto("/ops");
  await page.getByRole("link", { name: "Sales" }).click();
  await expect(tiles(page)).toBeVisible();
  await expect(page.getByText(/^Figures as of /)).toBeVisible();
  const before = await revenue(page);

  const good = await graph.order("wall-clock", ada);
  const bad = await graph.order("wall-clock", ada, "pm_card_insufficientFunds");
  await graph.settled(good.id, ada, "PAID");
  await graph.settled(bad.id, ada, "CANCELLED");
  await expect(async () => {
    await page.reload();
    await expect(tiles(page)).toBeVisible();
    expect(await revenue(page)).toBeGreaterThanOrEqual(before + 54_00);
    await expect(page.getByRole("region", { name: "Not sold, by reason" })).toContainText("Declined", {
      timeout: 1_000,
    });
  }).toPass();
  const best = page.getByRole("region", { name: "Products that sold best" });
  await expect(best.getByRole("link").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "From cart to money" })).toContainText("Orders paid");
  await expect(page.getByRole("region", { name: "How long orders took" })).not.toContainText("–");

  await page.getByText("7 days", { exact: true }).click();
  await expect(page.getByRole("region", { name: "Revenue by the day" })).toBeVisible();
  expect(await revenue(page)).toBeGreaterThanOrEqual(before + 54_00);
  await page.getByText("The same as a table").click();
  await expect(page.getByRole("region", { name: "Figures over time" }).getByRole("row")).toHaveCount(8);

  // Nobody sells in francs here.
  await page.getByRole("combobox", { name: "Currency" }).selectOption("CHF");
  await expect.poll(() => revenue(page)).toBe(0);
});

test("figures stay while they can't be read anew, and the catalogue is not needed for them", async ({
  page,
}) => {
  let isAway = false;
  let refused = 0;
  await page.route("/graphql/staff", async (route) => {
    const name = route.request().postDataJSON()?.operationName;
    if (name !== "TopSales" && !(isAway && name === "SalesReport")) return route.continue();
    if (name === "SalesReport") refused += 1;
    const errors = [{ message: "away", extensions: { code: "SUBREQUEST_HTTP_ERROR" } }];
    return route.fulfill({ json: { data: null, errors } });
  });
  await page.goto("/ops/sales");
  await expect(tiles(page)).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(1);
  isAway = true;
  await expect.poll(() => refused, { timeout: 45_000 }).toBeGreaterThan(0);
  await expect(page.getByText(/can't be read anew right now/)).toBeVisible();
  await expect(tiles(page)).toBeVisible();
  await page.getByText("30 days", { exact: true }).click();
  // Figures of another time are none of those that were asked for.
  await expect(tiles(page)).toHaveCount(0);
  isAway = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("region", { name: "Revenue by the day" })).toBeVisible();
});
