/** The internal door: what other services may ask. */

import { z } from "zod";
import type { App } from "./app/app.ts";
import { ratings } from "./app/readReviews.ts";
import { only, problem, type ServiceVerifier } from "./kit/auth/services.ts";
import type { Address } from "./kit/env.ts";
import { readId, showId } from "./kit/id.ts";
import { parseJson } from "./kit/json.ts";
import { json, type Listener, type Request } from "./kit/serve.ts";

const MAX_PRODUCTS = 500;
/** 500 ids take some 16 KiB. */
const MAX_BODY_BYTES = 64 * 1024;

const Lookup = z.object({ product_ids: z.array(z.string()).max(MAX_PRODUCTS) });

/** The routes of the internal listener. */
export function internalListener(address: Address, app: App, services: ServiceVerifier): Listener {
  const lookup = only(services, ["product"], (request) => lookupRatings(app, request));
  return {
    name: "internal",
    address,
    routes: [{ method: "POST", path: "/ratings/lookup", maxBody: MAX_BODY_BYTES, handle: lookup }],
  };
}

/** Count and average of products; those without a review are left out. */
async function lookupRatings(app: App, request: Request) {
  const asked = read(await request.body());
  if (asked === undefined)
    return problem(400, "BAD_REQUEST", `at most ${MAX_PRODUCTS} product_ids are expected`);
  const products = asked.map((id) => readId("prod", id)).filter((id) => id !== undefined);
  if (products.length < asked.length) return problem(422, "INVALID", "not all are ids of products");
  const found = await ratings(app, products);
  return json(200, {
    ratings: found.map((row) => ({
      product_id: showId("prod", row.product_id),
      reviews: row.reviews,
      total: row.total,
    })),
  });
}

function read(body: Buffer): string[] | undefined {
  try {
    return Lookup.parse(parseJson(body)).product_ids;
  } catch {
    return undefined;
  }
}
