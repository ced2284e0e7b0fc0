/** What a running service is given. */

import { logOf, reasonOf } from "./log.ts";
import { Readiness } from "./readiness.ts";

const log = logOf("host");

/** The process around a service. */
export class Host {
  readonly service: string;
  readonly readiness = new Readiness();
  readonly #stop = new AbortController();
  readonly #tasks = new Map<string, Promise<void>>();
  readonly #farewells: (() => Promise<unknown>)[] = [];

  constructor(service: string) {
    this.service = service;
  }

  /** Aborted when the process should stop: workers finish what they hold and return. */
  get shutdown(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Runs background work that the process waits for at its end. A failure is logged and takes the process out of
   * rotation, because nobody would do that work any more.
   */
  spawn(name: string, work: () => Promise<void>): void {
    const watched = work().catch((error: unknown) => {
      log.error({ task: name, error: reasonOf(error) }, "background task failed");
      this.readiness.component(name).down("failed");
    });
    this.#tasks.set(name, watched);
  }

  /** What is closed when all work has ended, such as a pool. */
  atEnd(farewell: () => Promise<unknown>): void {
    this.#farewells.push(farewell);
  }

  /** Tells workers to end. */
  stop(): void {
    this.#stop.abort();
  }

  /** Waits for the workers, but not for ever, and closes what was opened. */
  async ended(graceMs: number): Promise<void> {
    const grace = new Promise<"late">((resolve) => setTimeout(resolve, graceMs, "late").unref());
    const outcome = await Promise.race([Promise.all(this.#tasks.values()), grace]);
    if (outcome === "late") log.warn({ tasks: this.#tasks.size }, "tasks did not finish in time");
    const closed = Promise.allSettled(this.#farewells.map((farewell) => farewell()));
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
  }
}
