import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// Where the graph is while developing; in production one origin serves all three.
const router = process.env.MERCATO_ROUTER_URL ?? "http://127.0.0.1:4000";
const staff = process.env.MERCATO_STAFF_ROUTER_URL ?? "http://127.0.0.1:4002";
const live = process.env.MERCATO_LIVE_URL ?? "http://127.0.0.1:4001";
const edge = process.env.MERCATO_EDGE_URL ?? "http://127.0.0.1:8080";
const host = process.env.HOST ?? "127.0.0.1";
const port = Number(process.env.PORT ?? 3000);

const proxy = {
  "^/graphql/ws$": { target: live, ws: true },
  "^/graphql$": { target: router },
  "^/graphql/staff$": { target: staff },
  "^/_dev/": { target: edge },
};

/** The pictures of the small catalogue live beside its data: served as /images/ and copied there by a build. */
function catalogueImages(): Plugin {
  const folder = fileURLToPath(new URL("../subgraphs/product/seed/images", import.meta.url));
  return {
    name: "catalogue-images",
    configureServer(server) {
      server.middlewares.use("/images", (request, response, next) => {
        const name = basename(decodeURIComponent((request.url ?? "").split("?")[0] ?? ""));
        if (!readdirSync(folder).includes(name)) {
          next();
          return;
        }
        response.setHeader("content-type", "image/svg+xml");
        response.end(readFileSync(join(folder, name)));
      });
    },
    generateBundle() {
      for (const name of readdirSync(folder)) {
        this.emitFile({
          type: "asset",
          fileName: `images/${name}`,
          source: readFileSync(join(folder, name)),
        });
      }
    },
  };
}

/** Beside each text file its brotli and gzip form, for a server that hands them out as they are. */
function precompressed(): Plugin {
  const kinds = new Set([".html", ".js", ".css", ".svg"]);
  const worthIt = 1_024;
  const level = { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } };
  return {
    name: "precompressed",
    apply: "build",
    closeBundle() {
      const folder = fileURLToPath(new URL("dist", import.meta.url));
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!kinds.has(extname(name))) continue;
        const file = join(folder, name);
        const bytes = readFileSync(file);
        if (bytes.length < worthIt) continue;
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, level));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), catalogueImages(), precompressed()],
  server: { host, port, proxy },
  preview: { host, port, proxy },
  // Found without this, GraphiQL's page is looked through too: its workers are for a build of its own.
  optimizeDeps: { entries: ["index.html"] },
  // The first versions that know light-dark(): older targets would get a rewrite that Mantine's scheme switch misses.
  build: {
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    target: "es2022",
    sourcemap: false,
    assetsInlineLimit: 0,
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
