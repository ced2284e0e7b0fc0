/** What follows one request or event through every call and log line: its correlation id. */

import { AsyncLocalStorage } from "node:async_hooks";
import { uuidv7 } from "./id.ts";

/** The header that carries the id, in and out. */
export const HEADER = "x-correlation-id";

/** Other ids are replaced rather than logged. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

const storage = new AsyncLocalStorage<string>();

/** The id of the request or event that is being worked for. */
export function correlationId(): string | undefined {
  return storage.getStore();
}

/** Runs `work` under `id`. */
export function withCorrelation<T>(id: string, work: () => T): T {
  return storage.run(id, work);
}

/** A new id. */
export function newCorrelationId(): string {
  return uuidv7().replaceAll("-", "");
}

/** The caller's id if it is well-formed, else a new one. */
export function accepted(id: string | undefined): string {
  return id !== undefined && ACCEPTABLE.test(id) ? id : newCorrelationId();
}
