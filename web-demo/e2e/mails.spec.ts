// A mail that the server refuses is given up, shown with the reason, and sent again.
import { expect, type Page, test } from "@playwright/test";
import { Graph, type Person, signIn } from "./graph";

const SERVER = process.env.MERCATO_MAIL_URL ?? "";

test.skip(SERVER === "", "needs MERCATO_MAIL_URL, the address of the mail sandbox");

const rows = (page: Page, order: { number: string }) =>
  page.locator("[data-mail]").filter({ hasText: order.number });

/** What the mail server is to do with mails to this person. */
async function set(settings: object): Promise<void> {
  const answer = await fetch(`${SERVER}/api/settings`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(settings),
  });
  expect(answer.ok).toBe(true);
}

async function subjects(to: Person): Promise<string[]> {
  const answer = await fetch(`${SERVER}/api/mails?to=${encodeURIComponent(to.user.email)}`);
  return (await answer.json()).map(({ subject }: { subject: string }) => subject);
}

test("a mail that was refused is shown with the reason, and sent again by an administrator", async ({
  page,
  request,
  browser,
}) => {
  const graph = new Graph(request);
  const ada = await graph.register();
  await set({ refuse_code: 550, refuse_to: ada.user.email });
  let order: { id: string; number: string };
  try {
    order = await graph.order("picnic-blanket", ada);
    await graph.settled(order.id, ada, "PAID");
    await signIn(page, await graph.admin());
    await page.goto("/ops/mails");
    await expect(rows(page, order)).toHaveCount(2, { timeout: 20_000 });
  } finally {
    await set({});
  }
  const paid = rows(page, order).filter({ hasText: "It is paid" });
  await expect(paid).toContainText("550");
  await expect(paid).toContainText("1 try");
  expect(await subjects(ada)).toEqual([]);

  // Who helps out sees what was not told, and leaves it to an administrator.
  const context = await browser.newContext({ baseURL: new URL(page.url()).origin });
  const other = await context.newPage();
  await signIn(other, await graph.support());
  await other.goto("/ops/mails");
  await expect(rows(other, order)).toHaveCount(2);
  await expect(other.getByRole("button", { name: "Send again" })).toHaveCount(0);

  await paid.getByRole("button", { name: "Send again" }).click();
  await expect(paid).toHaveCount(0);
  await expect.poll(() => subjects(ada), { timeout: 20_000 }).toEqual(["Your order is paid"]);
  // The list looks again by itself.
  await expect(rows(other, order)).toHaveCount(1, { timeout: 20_000 });
  await rows(page, order).getByRole("button", { name: "Send again" }).click();
  await expect(rows(page, order)).toHaveCount(0);
  await context.close();
});
