/** The ops listener: health, readiness and metrics. Never public. */

import type { Address } from "./env.ts";
import { registry, scrape } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";
import { json, type Listener } from "./serve.ts";

export function opsListener(address: Address, readiness: Readiness): Listener {
  return {
    name: "ops",
    address,
    routes: [
      { method: "GET", path: "/healthz", handle: () => ({ status: 200, body: "ok" }) },
      {
        method: "GET",
        path: "/readyz",
        handle: () => {
          const report = readiness.report();
          return json(report.ready ? 200 : 503, report);
        },
      },
      {
        method: "GET",
        path: "/metrics",
        handle: async () => ({
          status: 200,
          headers: { "content-type": registry.contentType },
          body: await scrape(),
        }),
      },
    ],
  };
}
