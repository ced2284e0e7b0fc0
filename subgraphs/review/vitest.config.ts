import { defineConfig } from "vitest/config";

export default defineConfig({
  // As node resolves it: with both of its builds in one process, neither knows the other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    // The machine may be busy; nothing waits this long when all is well.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["tests/unit/**/*.test.ts"] } },
      {
        extends: true,
        test: { name: "it", include: ["tests/it/**/*.test.ts"], globalSetup: "tests/it/stores.ts" },
      },
    ],
  },
});
