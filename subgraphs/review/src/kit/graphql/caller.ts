/** Who asks: the verified user, if any, and the address the last proxy tells. */

import { isIP } from "node:net";
import { type CurrentUser, isStaff } from "../auth/users.ts";
import { showId } from "../id.ts";
import type { Request } from "../serve.ts";
import { ApiError } from "./error.ts";

/** The caller of an operation. */
export interface Caller {
  readonly user: CurrentUser | undefined;
  readonly address: string | undefined;
}

/** The last address of `x-forwarded-for`: those before it are the client's own claim. */
export function addressOf(request: Request): string | undefined {
  const last = request.all("x-forwarded-for").at(-1)?.split(",").at(-1)?.trim() ?? "";
  return isIP(last) === 0 ? undefined : last;
}

/** The caller, as a line of the log names them. */
export function whoOf(caller: Caller): string {
  if (caller.user !== undefined) return showId("usr", caller.user.id);
  return caller.address ?? "anonymous";
}

/** The signed-in user, or `UNAUTHENTICATED`. */
export function requireUser(caller: Caller): CurrentUser {
  if (caller.user === undefined) throw ApiError.unauthenticated();
  return caller.user;
}

/** The signed-in user if they are SUPPORT or ADMIN, else `UNAUTHENTICATED` or `FORBIDDEN`. */
export function requireStaff(caller: Caller): CurrentUser {
  const user = requireUser(caller);
  if (!isStaff(user)) throw ApiError.forbidden();
  return user;
}
