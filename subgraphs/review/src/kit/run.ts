/** A service's life from start to exit. */

import { address, ConfigError, Env, url } from "./env.ts";
import { Host } from "./host.ts";
import { logOf, reasonOf } from "./log.ts";
import { opsListener } from "./ops.ts";
import { type Bound, type Listener, listen } from "./serve.ts";
import { startTelemetry } from "./telemetry.ts";

/** EX_CONFIG of sysexits: retrying without a change is useless. */
const EXIT_CONFIG = 78;
/** Workers get this long to finish what they hold. */
const TASK_GRACE_MS = 20_000;

const log = logOf("run");

/**
 * Runs a service: telemetry, configuration (all faults at once, exit 78), start, ready, serve. On SIGTERM or SIGINT it
 * turns readiness off, drains HTTP, waits for the host's tasks, and answers the exit code.
 */
export async function run<C>(
  service: string,
  fromEnv: (env: Env) => C,
  start: (config: C, host: Host) => Promise<readonly Listener[]>,
): Promise<number> {
  const env = new Env(process.env);
  const flush = startTelemetry(
    env.optional("OTEL_EXPORTER_OTLP_ENDPOINT", "Url", url, undefined as URL | undefined),
  );
  const ops = env.required("OPS_ADDR", "SocketAddr", address);
  const host = new Host(service);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  let code: number;
  try {
    const config = fromEnv(env);
    if (ops === undefined) throw new ConfigError(["OPS_ADDR is missing"]);
    const opsBound = await listen(opsListener(ops, host.readiness));
    // A stop that comes while stores are still being waited for must not be ignored.
    const early = stopped.then(() => {
      throw new Error("stopped while starting");
    });
    const bound = await Promise.race([open(start(config, host)), early]);
    host.readiness.serving();
    log.info({ startup_ms: Math.round(performance.now()) }, "serving");
    await stopped;
    await drain(host, bound);
    await opsBound.close();
    code = 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      log.error({ faults: error.faults }, "refusing to start: bad configuration");
      code = EXIT_CONFIG;
    } else {
      log.error({ error: reasonOf(error) }, "start failed");
      code = 1;
    }
  }
  await flush();
  return code;
}

async function open(listeners: Promise<readonly Listener[]>): Promise<Bound[]> {
  const bound: Bound[] = [];
  for (const listener of await listeners) bound.push(await listen(listener));
  return bound;
}

async function drain(host: Host, bound: readonly Bound[]): Promise<void> {
  log.info({}, "draining");
  host.readiness.draining();
  host.stop();
  await Promise.all(bound.map((listener) => listener.close()));
  await host.ended(TASK_GRACE_MS);
  log.info({}, "stopped");
}
