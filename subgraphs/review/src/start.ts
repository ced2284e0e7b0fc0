/** Puts the parts together. */

import { fileURLToPath } from "node:url";
import { noteOrder, QUEUE } from "./app/noteOrder.ts";
import type { Config } from "./config.ts";
import { contextOf } from "./graphql/context.ts";
import { schema } from "./graphql/schema.ts";
import { ServiceVerifier } from "./kit/auth/services.ts";
import { UserVerifier } from "./kit/auth/users.ts";
import { pause } from "./kit/backoff.ts";
import { runConsumer } from "./kit/events/consumer.ts";
import { InboxWorker } from "./kit/events/worker.ts";
import { graphqlListener } from "./kit/graphql/http.ts";
import { RateLimits } from "./kit/graphql/rates.ts";
import type { Host } from "./kit/host.ts";
import { logOf, reasonOf } from "./kit/log.ts";
import { purge } from "./kit/pg/idempotency.ts";
import { migrate } from "./kit/pg/migrate.ts";
import { connect, type Pool, watch } from "./kit/pg/pool.ts";
import type { Listener } from "./kit/serve.ts";
import { internalListener } from "./rest.ts";

/** Beside `src` and `dist`. */
export const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const FORGET_EVERY_MS = 600_000;
const KEY_DAYS = 30;
const KEY_BATCH = 1_000;

const log = logOf("review");

/** Connects, migrates, starts the workers, and returns the listeners. `prefix` is for tests that share a broker. */
export async function start(config: Config, host: Host, prefix = ""): Promise<readonly Listener[]> {
  const requests = await connect(config.databaseUrl, "requests", host);
  const workers = await connect(config.databaseUrl, "workers", host);
  await migrate(requests, MIGRATIONS);
  watch(requests, host);
  const worker = new InboxWorker(workers, QUEUE.queue, noteOrder);
  worker.start(host);
  const wake = () => worker.wake();
  runConsumer({ url: config.amqpUrl, pool: workers, spec: QUEUE, host, prefix, wake });
  forgetKeys(workers, host);
  const limits = new RateLimits(config.redisUrl, "review:", config.http.rates);
  host.atEnd(() => limits.close());
  const app = { pool: requests };
  const endpoint = {
    schema: schema(),
    users: new UserVerifier(config.users),
    settings: config.http,
    limits,
    contextOf: contextOf.bind(undefined, app),
  };
  const services = await ServiceVerifier.fromDir(host.service, config.identity.keysDir);
  return [graphqlListener(config.graphql, endpoint), internalListener(config.internal, app, services)];
}

function forgetKeys(pool: Pool, host: Host): void {
  host.spawn("forget keys", async () => {
    while (await pause(FORGET_EVERY_MS, host.shutdown)) {
      try {
        while ((await purge(pool, KEY_DAYS, KEY_BATCH)) === KEY_BATCH);
      } catch (error) {
        log.warn({ error: reasonOf(error) }, "could not forget old keys");
      }
    }
  });
}
