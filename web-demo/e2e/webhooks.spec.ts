// Webhooks: an endpoint is added, told, and forgotten. The receiver is of this very process.
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Page, test } from "@playwright/test";
import { fresh, Graph, signIn } from "./graph";

interface Message {
  headers: IncomingHttpHeaders;
  body: string;
}

/** Takes whatever comes, or refuses it. */
class Receiver {
  readonly messages: Message[] = [];
  status = 204;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      let body = "";
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => {
        this.messages.push({ headers: request.headers, body });
        response.writeHead(this.status).end();
      });
    });
  }

  /** Its address, once it listens. */
  async open(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${fresh("hook")}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  of(type: string): Message[] {
    return this.messages.filter(({ body }) => JSON.parse(body).type === type);
  }
}

/** As https://www.standardwebhooks.com has it. */
function signature(secret: string, { headers, body }: Message): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}

const secretOf = async (page: Page) => (await page.locator("[data-secret]").textContent())?.trim() ?? "";
const row = (page: Page, text: string) => page.locator("[data-delivery]").filter({ hasText: text });

let receiver: Receiver;
let url: string;

test.beforeEach(async ({ page, request }) => {
  receiver = new Receiver();
  url = await receiver.open();
  await signIn(page, await new Graph(request).admin());
});

test.afterEach(() => receiver.close());

/** Adds the endpoint; its page is open then. */
async function add(page: Page): Promise<string> {
  await page.goto("/ops/webhooks");
  await page.getByRole("button", { name: "Add an endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Address").fill(url);
  await dialog.getByLabel("What it is for").fill("a test");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await expect(page.locator("[data-secret]")).toBeVisible();
  const secret = await secretOf(page);
  expect(secret).toMatch(/^whsec_/);
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByRole("heading", { name: url })).toBeVisible();
  return secret;
}

async function remove(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "Add an endpoint" })).toBeVisible();
  await expect(page.locator(`[data-endpoint='${url}']`)).toHaveCount(0);
}

test("an endpoint is added and told of a test and of an order, signed", async ({
  page,
  context,
  request,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const graph = new Graph(request);
  const ada = await graph.register();
  const secret = await add(page);

  await page.getByRole("button", { name: "Send a test" }).click();
  const tested = row(page, "A test");
  await expect(tested).toHaveAttribute("data-state", "DELIVERED");
  await expect(tested).toContainText("1 try");
  const [test] = receiver.of("webhook.test.v1");
  expect(test?.headers["webhook-signature"]).toBe(test && signature(secret, test));

  const order = await graph.order("picnic-blanket", ada);
  await graph.settled(order.id, ada, "PAID");
  const placed = row(page, "An order was placed").filter({ hasText: order.number });
  await expect(placed).toHaveAttribute("data-state", "DELIVERED");
  expect(receiver.of("order.created.v1").some(({ body }) => body.includes(order.id))).toBe(true);

  // The same again, under the same id.
  await tested.getByRole("button", { name: "Send again" }).click();
  await expect.poll(() => receiver.of("webhook.test.v1").length).toBe(2);
  const ids = receiver.of("webhook.test.v1").map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(1);

  await page.getByRole("button", { name: "New secret" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "New secret" }).click();
  await expect(page.locator("[data-secret]")).toBeVisible();
  const next = await secretOf(page);
  expect(next).not.toBe(secret);
  await page.getByRole("button", { name: "Copy the secret" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(next);
  await page.getByRole("button", { name: "I have kept it" }).click();
  await remove(page);
});

test("what is refused says why and is tried again; switched off, nothing is sent", async ({ page }) => {
  await add(page);
  receiver.status = 500;
  await page.getByRole("button", { name: "Send a test" }).click();
  const tested = row(page, "A test");
  await expect(tested).toContainText("answered 500");
  await expect(tested).toHaveAttribute("data-state", "PENDING");
  await expect(tested.getByRole("button", { name: "Send again" })).toHaveCount(0);
  receiver.status = 204;
  await expect(tested).toHaveAttribute("data-state", "DELIVERED", { timeout: 30_000 });

  await page.getByText("Given up", { exact: true }).click();
  await expect(page.getByText(/^None of these/)).toBeVisible();
  await page.getByText("All", { exact: true }).click();

  await page.getByRole("button", { name: "Switch off" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
  await expect(page.locator("[data-enabled='false']")).toBeVisible();
  const before = receiver.messages.length;
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.locator("[data-delivery]")).toHaveCount(2);
  await page.waitForTimeout(2_000);
  expect(receiver.messages.length).toBe(before);
  await page.getByRole("button", { name: "Switch on" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch on" }).click();
  await expect.poll(() => receiver.messages.length).toBe(before + 1);

  await page.getByRole("button", { name: "Change" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What it is for").fill("another test");
  await dialog.getByLabel("Address").fill("ftp://example.com/");
  await dialog.getByRole("button", { name: "Change it" }).click();
  await expect(dialog.getByLabel("Address")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Address").fill(url);
  await dialog.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByText("another test")).toBeVisible();
  await remove(page);
});

test("support has no webhooks", async ({ browser, request }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, await new Graph(request).support());
  await page.goto("/ops/sales");
  await expect(page.locator("[data-revenue]")).toBeVisible();
  await expect(page.getByRole("link", { name: "Webhooks" })).toHaveCount(0);
  await page.goto("/ops/webhooks");
  await expect(page.getByRole("alert")).toContainText("Not allowed");
  await context.close();
});
