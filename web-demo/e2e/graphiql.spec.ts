// GraphiQL as a developer has it, served by the edge while developing.
import { expect, test } from "@playwright/test";

for (const [address, graph] of [
  ["/graphiql/", "/graphql"],
  ["/graphiql/?graph=staff", "/graphql/staff"],
] as const) {
  test(`GraphiQL at ${address} asks ${graph}`, async ({ page }) => {
    const asked = page.waitForRequest((request) => new URL(request.url()).pathname === graph);
    await page.goto(address);
    await asked;
    // Its button is there before its editors are, and does nothing until then.
    const result = page.getByRole("region", { name: "Result Window" });
    await expect(page.locator(".view-lines").filter({ hasText: "categories" })).toBeVisible();
    await expect(result).toHaveAttribute("data-mode-id", "json");
    await page.getByRole("button", { name: /^Execute query/ }).click();
    await expect(result).toContainText("categories");
  });
}
