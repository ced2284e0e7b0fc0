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
    await page.getByRole("button", { name: /^Execute query/ }).click();
    await expect(page.getByRole("region", { name: "Result Window" })).toContainText("categories");
  });
}
