import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "it",
          include: ["tests/it/**/*.test.ts"],
          globalSetup: "tests/it/stores.ts",
          // The machine may be busy; nothing waits this long when all is well.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
