/** Refusals: each leaves one line in the log that says who was not let in where, and why. */

import { logOf } from "./log.ts";
import { refusals } from "./metrics.ts";

/** What of the system refused, as logs and metrics name it. */
export type Door =
  | "gateway key"
  | "user token"
  | "service token"
  | "role"
  | "ownership"
  | "limit"
  | "document";

const log = logOf("refusal");

/** Notes a refusal. None of it may hold a secret, so never anything the caller sent that was not read first. */
export function refused(door: Door, who: string, what: string, code: string, why: string): void {
  refusals.inc({ code, door });
  log.warn({ door, who, what, code, why }, "refused");
}
