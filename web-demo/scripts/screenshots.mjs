// Takes the pictures of docs/screenshots from a running system: MERCATO_PAGE_URL, default http://127.0.0.1:8080.
// Places some orders first, so that there is something to see.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const BASE = process.env.MERCATO_PAGE_URL ?? "http://127.0.0.1:8080";
const ADMIN = {
  email: process.env.MERCATO_ADMIN_EMAIL ?? "admin@mercato.example",
  password: process.env.MERCATO_ADMIN_PASSWORD ?? "mercato-admin-demo",
};
const ORDERS = Number(process.env.ORDERS ?? 40);
const LARGEST_KB = 220;
/** Shades of a colour that become one, tried in turn: the first that makes the picture small enough. */
const COARSER = [3, 5, 8, 12];
const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const chromiums = [process.env.MERCATO_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

async function ask(query, variables = {}, token = null, path = "/graphql") {
  const response = await fetch(`${BASE}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const SESSION = "session { accessToken refreshToken expiresAt user { id email displayName roles } }";
const register = async (displayName) => {
  const input = {
    email: `${displayName.toLowerCase()}-${Date.now()}@example.com`,
    password: "correct horse battery staple",
    displayName,
  };
  const query = `mutation ($input: RegisterInput!) { register(input: $input) { ${SESSION} } }`;
  for (;;) {
    const { session } = (await ask(query, { input })).register;
    if (session) return session;
    // Too many at once for the shop: it takes one more after a while.
    await pause(5_000);
  }
};
const admin = async () =>
  (await ask(`mutation ($input: LoginInput!) { login(input: $input) { ${SESSION} } }`, { input: ADMIN }))
    .login.session;

async function fill(slugs, session) {
  const lines = [];
  for (const [index, slug] of slugs.entries()) {
    const { product } = await ask("query ($slug: String) { product(slug: $slug) { variants { id } } }", {
      slug,
    });
    lines.push({ variantId: product.variants[0].id, quantity: index === 0 ? 2 : 1 });
  }
  const input = { currencyCode: "USD", idempotencyKey: crypto.randomUUID(), lines };
  const query = "mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } } }";
  return (await ask(query, { input }, session.accessToken)).createCart.cart.id;
}

async function apply(cartId, code, session) {
  const query = "mutation ($input: ApplyCouponInput!) { applyCoupon(input: $input) { cart { id } } }";
  await ask(query, { input: { cartId, code } }, session.accessToken);
}

/** Coupons to look at. One that is there already stays. */
async function makeCoupons() {
  const { accessToken } = await admin();
  const staff = "/graphql/staff";
  const make =
    "mutation ($input: CreateCouponInput!) { createCoupon(input: $input) { userErrors { code } } }";
  const end = "mutation ($input: EndCouponInput!) { endCoupon(input: $input) { userErrors { code } } }";
  const amount = (amount) => ({ amount, currencyCode: "USD" });
  const days = (count) => new Date(Date.now() + count * 86_400_000).toISOString();
  const coupons = [
    { code: "AUTUMN15", percentOff: 15, maxRedemptions: 500, endsAt: days(30) },
    {
      code: "FIVE-OFF",
      amountOff: amount("5.00"),
      minimumSubtotal: amount("30.00"),
      maxRedemptionsPerUser: 2,
    },
    { code: "OPENING", percentOff: 20, maxRedemptions: 100 },
    { code: "WINTER20", percentOff: 20, startsAt: days(20), endsAt: days(50) },
  ];
  for (const input of coupons) await ask(make, { input }, accessToken, staff);
  await ask(end, { input: { code: "OPENING" } }, accessToken, staff);
}

async function order(slugs, session, paymentMethod, coupon) {
  const cartId = await fill(slugs, session);
  if (coupon) await apply(cartId, coupon, session);
  const input = {
    cartId,
    paymentMethod,
    idempotencyKey: crypto.randomUUID(),
  };
  const query = "mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }";
  return (await ask(query, { input }, session.accessToken)).createOrder.order.id;
}

/** Asks until an answer will do: what another service tells takes a moment. */
async function until(query, variables, token, willDo) {
  for (let tries = 0; tries < 60; tries += 1) {
    const data = await ask(query, variables, token);
    if (willDo(data)) return data;
    await pause(500);
  }
  throw new Error(`never: ${query}`);
}

const settled = (id, session, status) =>
  until(
    "query ($id: ID!) { order(id: $id) { status lines { id } } }",
    { id },
    session.accessToken,
    ({ order }) => order.status === status,
  );

/** Says what a buyer thinks of a product, once the shop knows that it was bought. */
async function review(slug, session, rating, title, body) {
  const { product } = await until(
    "query ($slug: String) { product(slug: $slug) { id viewerCanReview } }",
    { slug },
    session.accessToken,
    ({ product }) => product.viewerCanReview,
  );
  const input = { productId: product.id, rating, title, body, idempotencyKey: crypto.randomUUID() };
  const query =
    "mutation ($input: CreateReviewInput!) { createReview(input: $input) { userErrors { message } } }";
  await ask(query, { input }, session.accessToken);
}

/** A part of an order comes back. */
async function sendBack(orderId, lineId, reason) {
  const { accessToken } = await admin();
  const lines = [{ lineId, quantity: 1 }];
  const input = { orderId, lines, reason, idempotencyKey: crypto.randomUUID() };
  const query =
    "mutation ($input: ReturnLinesInput!) { returnLines(input: $input) { userErrors { message } } }";
  await ask(query, { input }, accessToken, "/graphql/staff");
}

/** Who is told of orders while the pictures are taken. Answers the endpoint's id. */
async function webhook(receiver) {
  const { accessToken } = await admin();
  const input = {
    url: `http://127.0.0.1:${receiver.address().port}/mercato`,
    description: "The warehouse",
    eventTypes: ["ORDER_CREATED", "ORDER_STATUS_CHANGED", "REFUND_COMPLETED"],
    idempotencyKey: crypto.randomUUID(),
  };
  const query =
    "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { endpoint { id } } }";
  const data = await ask(query, { input }, accessToken, "/graphql/staff");
  return data.createWebhookEndpoint.endpoint.id;
}

const receiver = createServer((request, response) => {
  request.resume();
  response.writeHead(204).end();
});
await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
const endpoint = await webhook(receiver);

const ada = await register("Ada");
await makeCoupons();
const paid = await order(["stoneware-mug", "house-espresso-beans"], ada, "pm_card_visa", "AUTUMN15");
const declined = await order(["field-watch"], ada, "pm_card_insufficientFunds");
const returned = await order(["stoneware-mug", "field-compass", "hand-trowel"], ada, "pm_card_visa");
await apply(await fill(["french-press", "brew-scale"], ada), "WELCOME10", ada);

const crowd = await register("Crowd");
const shelves = [
  "soy-candle",
  "dot-grid-notebook",
  "insulated-bottle",
  "heirloom-tomato-seeds",
  "power-bank",
];
const cards = [
  "pm_card_visa",
  "pm_card_visa",
  "pm_card_mastercard",
  "pm_card_visa",
  "pm_card_chargeDeclined",
];
const shop = async () => {
  for (let index = 0; index < ORDERS; index += 1) {
    const coupon = index % 4 === 0 ? "AUTUMN15" : null;
    await order([shelves[index % shelves.length]], crowd, cards[(index * 7) % cards.length], coupon);
    await pause(150 + ((index * 137) % 700));
  }
};
await shop();
for (let times = 0; times < 3; times += 1) {
  await order(["field-compass", "hand-trowel"], crowd, "pm_card_visa");
  await order(["stoneware-mug"], crowd, "pm_card_visa");
}
await settled(paid, ada, "PAID");
const { lines } = (await settled(returned, ada, "PAID")).order;
await sendBack(returned, lines[0].id, "Chipped on arrival");
await review("stoneware-mug", ada, 5, "My morning mug", "Heavy, warm, and it survived the dishwasher.");
await review(
  "stoneware-mug",
  crowd,
  4,
  "Good, a little large",
  "It holds half a litre. I asked for tea, not for a bath.",
);
await until(
  "query ($slug: String) { product(slug: $slug) { boughtWith { product { id } } } }",
  { slug: "field-compass" },
  null,
  ({ product }) => product.boughtWith.length > 0,
);

const PHONE = { width: 390, height: 844 };
const SMALL = { width: 960, height: 620 };
const DESK = { width: 1120, height: 700 };
const TALL = { width: 1120, height: 1060 };
const settle = (page) => page.waitForLoadState("networkidle").catch(() => null);
const shots = [
  {
    name: "home-light",
    path: "/",
    look: "light",
    size: SMALL,
    see: (page) => page.getByRole("article").first(),
  },
  {
    name: "home-dark",
    path: "/",
    look: "dark",
    size: SMALL,
    see: (page) => page.getByRole("article").first(),
  },
  {
    name: "home-phone",
    path: "/",
    look: "light",
    size: PHONE,
    see: (page) => page.getByRole("article").first(),
  },
  { name: "search-light", path: "/?q=tea", look: "light", see: (page) => page.getByRole("article").first() },
  {
    name: "product-light",
    path: "/p/stoneware-mug",
    look: "light",
    see: (page) => page.getByText("In stock").first(),
  },
  {
    name: "reviews-light",
    path: "/p/stoneware-mug",
    look: "light",
    as: ada,
    see: (page) => page.getByText("Good, a little large").first(),
    at: (page) => page.locator("section[aria-labelledby='reviews']"),
  },
  {
    name: "together-dark",
    path: "/p/field-compass",
    look: "dark",
    see: (page) => page.getByRole("region", { name: "Often bought together" }).getByRole("article").first(),
    at: (page) => page.getByRole("region", { name: "Often bought together" }),
  },
  {
    name: "notifications-light",
    path: "/notifications",
    look: "light",
    as: ada,
    see: (page) => page.getByText("Your order is paid").first(),
  },
  {
    name: "order-returned-light",
    path: `/orders/${returned}`,
    look: "light",
    as: ada,
    size: TALL,
    see: (page) => page.getByRole("region", { name: "Returns" }),
    at: (page) => page.getByRole("region", { name: "Returns" }),
  },
  {
    name: "cart-light",
    path: "/cart",
    look: "light",
    as: ada,
    see: (page) => page.getByText(/^−\$/),
  },
  {
    name: "cart-phone",
    path: "/cart",
    look: "light",
    size: PHONE,
    as: ada,
    see: (page) => page.getByText(/^−\$/),
  },
  {
    name: "checkout-light",
    path: "/checkout",
    look: "light",
    as: ada,
    see: (page) => page.getByText(/^−\$/),
  },
  {
    name: "order-paid-light",
    path: `/orders/${paid}`,
    look: "light",
    as: ada,
    see: (page) => page.getByText("Paid. It is yours."),
  },
  {
    name: "order-coupon-light",
    path: `/orders/${paid}`,
    look: "light",
    as: ada,
    size: TALL,
    see: (page) => page.getByText("Coupon AUTUMN15"),
  },
  {
    name: "order-declined-dark",
    path: `/orders/${declined}`,
    look: "dark",
    as: ada,
    see: (page) => page.getByRole("list", { name: "The way back" }),
  },
  {
    name: "order-phone-dark",
    path: `/orders/${paid}`,
    look: "dark",
    as: ada,
    size: PHONE,
    see: (page) => page.getByText("Paid. It is yours."),
  },
  {
    name: "control-room-light",
    path: "/ops",
    look: "light",
    staff: true,
    see: (page) => page.locator("[data-order]").first(),
  },
  {
    name: "control-room-dark",
    path: "/ops",
    look: "dark",
    staff: true,
    see: (page) => page.locator("[data-order]").first(),
  },
  {
    name: "saga-light",
    path: `/ops/orders/${paid}`,
    look: "light",
    staff: true,
    see: (page) => page.getByRole("heading", { name: "Calls to other services" }),
  },
  {
    name: "plugs-light",
    path: "/ops/plugs",
    look: "light",
    staff: true,
    see: (page) => page.locator("[data-broken]"),
  },
  {
    name: "stock-dark",
    path: "/ops/stock",
    look: "dark",
    staff: true,
    see: (page) => page.locator("[data-sku]").first(),
  },
  {
    name: "coupons-light",
    path: "/ops/coupons",
    look: "light",
    staff: true,
    see: (page) => page.locator("[data-coupon]").first(),
  },
  {
    name: "sales-light",
    path: "/ops/sales",
    look: "light",
    staff: true,
    size: TALL,
    see: (page) => page.locator("[data-revenue]"),
  },
  {
    name: "webhooks-dark",
    path: `/ops/webhooks/${endpoint}`,
    look: "dark",
    staff: true,
    see: (page) => page.locator("[data-delivery]").first(),
  },
  {
    name: "control-room-phone",
    path: "/ops",
    look: "light",
    staff: true,
    size: PHONE,
    see: (page) => page.locator("[data-order]").first(),
  },
];

/** Fewer shades of each colour: soft gradients make files three times as large. */
async function posterized(context, file, shades) {
  const page = await context.newPage();
  const source = `data:image/png;base64,${readFileSync(file).toString("base64")}`;
  const url = await page.evaluate(
    async ([src, shades]) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0);
      const pixels = pen.getImageData(0, 0, image.width, image.height);
      for (let index = 0; index < pixels.data.length; index += 1) {
        if (index % 4 !== 3)
          pixels.data[index] = Math.min(255, Math.round(pixels.data[index] / shades) * shades);
      }
      pen.putImageData(pixels, 0, 0);
      const blob = await canvas.convertToBlob({ type: "image/png" });
      const reader = new FileReader();
      return new Promise((done) => {
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(blob);
      });
    },
    [source, shades],
  );
  await page.close();
  return Buffer.from(url.split(",")[1], "base64");
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: chromiums.find((path) => path && existsSync(path)),
  args: ["--no-sandbox", "--disable-gpu"],
});
// Those whose names are given, separated by commas; all of them otherwise.
const only = process.argv[2]?.split(",");
for (const { name, path, look, as, staff, size = DESK, see, at } of shots) {
  if (only && !only.some((part) => name.includes(part))) continue;
  const context = await browser.newContext({
    viewport: size,
    colorScheme: look,
    reducedMotion: "reduce",
    locale: "en-US",
  });
  const page = await context.newPage();
  const session = staff ? await admin() : as;
  if (session) {
    await page.addInitScript(
      (text) => localStorage.setItem("mercato.session", text),
      JSON.stringify(session),
    );
  }
  await page.goto(BASE + path);
  await see(page).waitFor({ timeout: 30_000 });
  await settle(page);
  if (at) {
    // Below the header, which stays.
    await at(page).evaluate((element) => {
      element.scrollIntoView();
      scrollBy(0, -80);
    });
  }
  await pause(600);
  const file = `${folder}${name}.png`;
  await page.screenshot({ path: file });
  const whole = readFileSync(file);
  for (const shades of COARSER) {
    if (statSync(file).size <= LARGEST_KB * 1000) break;
    writeFileSync(file, whole);
    writeFileSync(file, await posterized(context, file, shades));
  }
  const kb = statSync(file).size / 1000;
  console.log(`${kb.toFixed(0).padStart(5)} kB  ${name}${kb > LARGEST_KB ? "  TOO LARGE" : ""}`);
  if (kb > LARGEST_KB) process.exitCode = 1;
  await context.close();
}
await browser.close();
receiver.closeAllConnections();
receiver.close();
