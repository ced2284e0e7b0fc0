// Somebody who has never seen the shop buys something: by mouse and keyboard, at the pace of a person, from the start
// page to an own order that is paid.
import { expect, type Locator, type Page, test } from "@playwright/test";
import { fresh, PASSWORD } from "./graph";
import { tell } from "./measure";

const A_MINUTE_MS = 60_000;
/** A person's pace: finding the next thing to click, moving there, typing. */
const LOOK_MS = 900;
const KEY_MS = 70;

class Hand {
  clicks = 0;
  keys = 0;

  constructor(private readonly page: Page) {}

  async click(target: Locator): Promise<void> {
    await expect(target).toBeVisible();
    await target.scrollIntoViewIfNeeded();
    await this.page.waitForTimeout(LOOK_MS);
    const box = await target.boundingBox();
    if (!box) throw new Error("there is nothing to click");
    await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 12 });
    await target.click({ delay: 60 });
    this.clicks += 1;
  }

  async write(target: Locator, text: string): Promise<void> {
    await this.click(target);
    await this.page.keyboard.type(text, { delay: KEY_MS });
    this.keys += text.length;
  }
}

test("a newcomer watches an own order become paid within a minute", async ({ page }) => {
  const hand = new Hand(page);
  const begun = Date.now();
  const since = () => ((Date.now() - begun) / 1_000).toFixed(1);
  await page.goto("/");
  await hand.click(page.getByRole("article").nth(2).getByRole("link").first());
  await hand.click(page.getByRole("button", { name: "Put in the cart" }));
  await hand.click(page.getByRole("button", { name: "To the cart" }));
  await hand.click(page.getByRole("link", { name: "Check out" }));
  await hand.click(page.getByRole("link", { name: "Create an account" }));
  await hand.write(page.getByLabel("What should we call you?"), "Grace");
  await hand.write(page.getByLabel("E-mail"), `${fresh("grace")}@example.com`);
  await hand.write(page.getByRole("textbox", { name: "Password" }), PASSWORD);
  await hand.click(page.getByRole("button", { name: "Create the account" }));
  await hand.click(page.getByRole("button", { name: /^Order and pay/ }));
  const ordered = since();
  await expect(page.getByText("Paid. It is yours.")).toBeVisible();
  const took = Date.now() - begun;
  tell(
    `paid after ${since()} s (ordered after ${ordered} s) with ${hand.clicks} clicks and ${hand.keys} keys`,
  );
  expect(took).toBeLessThan(A_MINUTE_MS);
});
