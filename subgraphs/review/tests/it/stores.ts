/**
 * Real stores for the tests: named by `MERCATO_TEST_POSTGRES`, `MERCATO_TEST_REDIS` and `MERCATO_TEST_AMQP`, or private
 * ones that `mercato-stores` of crates/dev-stack starts and that end with the tests.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    stores: Stores;
  }
}

export interface Stores {
  readonly postgres: string;
  readonly redis: string;
  readonly amqp: string;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { MERCATO_TEST_POSTGRES: postgres, MERCATO_TEST_REDIS: redis, MERCATO_TEST_AMQP: amqp } = process.env;
  if (postgres && redis && amqp) {
    project.provide("stores", { postgres, redis, amqp });
    return async () => undefined;
  }
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  const program = process.env.MERCATO_STORES;
  const [command, parameters] =
    program === undefined
      ? ["cargo", ["run", "--quiet", "-p", "dev-stack", "--bin", "mercato-stores"]]
      : [program, []];
  const stores = spawn(command, parameters, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(stores, "exit");
  const lines = createInterface({ input: stores.stdout });
  const first = await Promise.race([once(lines, "line"), ended]);
  if (typeof first[0] !== "string") throw new Error(`no stores: ${command} ended`);
  project.provide("stores", JSON.parse(first[0]) as Stores);
  return async () => {
    stores.stdin.end();
    await ended;
  };
}
