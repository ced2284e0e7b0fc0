// What is often bought together, on the product's page.
import { expect, type Page, test } from "@playwright/test";
import { Graph } from "./graph";

const COMPASS = "field-compass";
const TROWEL = "hand-trowel";

const together = (page: Page) => page.getByRole("region", { name: "Often bought together" });

test("what was paid for together is shown, and put into the cart together", async ({ page, request }) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  // Bought by themselves: that the two of a pair go together stands out from these.
  const others = ["desk-planner", "desk-planner", "power-bank", "power-bank", "wall-clock", "wall-clock"];
  const baskets: string[][] = [...others.map((slug) => [slug]), ...Array(3).fill([COMPASS, TROWEL])];
  for (const basket of baskets) {
    const { id } = await graph.order(basket, ada);
    await graph.settled(id, ada, "PAID");
  }

  const companion = together(page).getByRole("article").filter({ hasText: "Forged Hand Trowel" });
  await expect(async () => {
    await page.goto(`/p/${COMPASS}`);
    await expect(companion).toBeVisible({ timeout: 3_000 });
  }).toPass();
  await expect(companion.getByRole("link", { name: "Forged Hand Trowel" })).toHaveAttribute(
    "href",
    `/p/${TROWEL}`,
  );
  await expect(companion).toContainText("$23.00");

  await companion.getByRole("button", { name: /^Add both/ }).click();
  await expect(page.getByRole("link", { name: "Cart, 2 pieces" })).toBeVisible();
  await page.goto("/cart");
  for (const title of ["Field Compass", "Forged Hand Trowel"]) {
    await expect(page.getByRole("link", { name: title })).toBeVisible();
  }
});

test("the product's page is whole without it", async ({ page }) => {
  let asked = 0;
  await page.route("/graphql", async (route) => {
    if (route.request().postDataJSON()?.operationName !== "BoughtWith") return route.continue();
    asked += 1;
    const errors = [{ message: "away", extensions: { code: "SUBREQUEST_HTTP_ERROR" } }];
    return route.fulfill({ json: { data: { product: null }, errors } });
  });
  await page.goto(`/p/${COMPASS}`);
  await expect(page.getByRole("button", { name: "Put in the cart" })).toBeEnabled();
  await expect.poll(() => asked).toBeGreaterThan(0);
  await expect(page.getByText("In stock").first()).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Field Compass" })).toBeVisible();
  await expect(together(page)).toHaveCount(0);
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("nobody waits for it", async ({ page }) => {
  let answer = () => {};
  const held = new Promise<void>((done) => {
    answer = done;
  });
  await page.route("/graphql", async (route) => {
    if (route.request().postDataJSON()?.operationName === "BoughtWith") await held;
    await route.continue();
  });
  await page.goto(`/p/${COMPASS}`);
  await page.getByRole("button", { name: "Put in the cart" }).click();
  await expect(page.getByRole("link", { name: "Cart, 1 piece" })).toBeVisible();
  answer();
});
