// Takes the pictures of docs/screenshots from a running system: MERCATO_PAGE_URL, default http://127.0.0.1:8080.
// Places some orders first, so that there is something to see.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
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

const ada = await register("Ada");
await makeCoupons();
const paid = await order(["stoneware-mug", "house-espresso-beans"], ada, "pm_card_visa", "AUTUMN15");
const declined = await order(["field-watch"], ada, "pm_card_insufficientFunds");
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
for (const { name, path, look, as, staff, size = DESK, see } of shots) {
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
