import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Where `cargo xtask test web` serves the page; or a system of your own. */
const baseURL = process.env.MERCATO_PAGE_URL ?? "http://127.0.0.1:8080";
const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.MERCATO_CHROMIUM ?? installed.find((path) => existsSync(path));

export default defineConfig({
  testDir: "e2e",
  outputDir: "node_modules/.e2e",
  // One browser and one system on few cores: what waits for another's processor is not what is tested.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  // Generous: a machine that compiles beside is no fault of the page.
  timeout: 90_000,
  // Below that, so that a test that hangs says where.
  expect: { timeout: 20_000, toPass: { timeout: 40_000 } },
  // The room comes last: it fills the catalogue with the products of a supermarket.
  projects: [
    { name: "page", testIgnore: "room.spec.ts" },
    { name: "room", testMatch: "room.spec.ts" },
  ],
  reporter: [["list"]],
  use: {
    baseURL,
    actionTimeout: 30_000,
    navigationTimeout: 30_000,
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 900 },
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
