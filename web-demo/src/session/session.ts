// The signed-in session: kept, refreshed before it ends, shared by all tabs. Knows no React.
//
// It lives in localStorage so that a reload and other tabs keep it. That is acceptable in a demo: a script injected
// into the page could read it. A shop in earnest would keep the refresh token in an HttpOnly cookie.
import { print } from "graphql";
import { RefreshSessionDocument, type SessionPartsFragment } from "../gql/documents";
import { lasting } from "../lib/storage";

export type Session = SessionPartsFragment;

interface Stored {
  session: Session | null;
  /** Why there is none any more, when it was not the user's wish. */
  ended: boolean;
}

const KEY = "mercato.session";
/** An access token this close to its end is exchanged before it is used. */
const MARGIN_MS = 30_000;
const NOBODY: Stored = { session: null, ended: false };

function read(): Session | null {
  const text = lasting.read(KEY);
  if (!text) return null;
  try {
    const session = JSON.parse(text) as Session;
    return session.refreshToken && session.user ? session : null;
  } catch {
    return null;
  }
}

export class SessionStore {
  private state: Stored = { session: read(), ended: false };
  private readonly listeners = new Set<() => void>();
  private refreshing: Promise<Session | null> | null = null;

  constructor(private readonly endpoint: string) {
    globalThis.addEventListener?.("storage", (event) => {
      if (event.key === KEY || event.key === null) this.show({ session: read(), ended: false });
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Stored => this.state;

  /** A session came from signing in, or was given up by signing out. */
  set(session: Session | null): void {
    lasting.write(KEY, session ? JSON.stringify(session) : null);
    this.show(session ? { session, ended: false } : NOBODY);
  }

  /** A token that is good for a while, or null for a guest. Rejects when the shop can't be reached. */
  async token(): Promise<string | null> {
    const { session } = this.state;
    if (!session) return null;
    if (Date.parse(session.expiresAt) - Date.now() > MARGIN_MS) return session.accessToken;
    return (await this.refresh(session.accessToken))?.accessToken ?? null;
  }

  /** Exchanges the refresh token, once for all tabs: used twice, it would end the session. */
  refresh(stale: string): Promise<Session | null> {
    this.refreshing ??= this.locked(stale).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private locked(stale: string): Promise<Session | null> {
    const work = () => this.exchange(stale);
    // Not a secure context: no locks, and then one tab at a time must do.
    return navigator.locks ? navigator.locks.request("mercato-refresh", work) : work();
  }

  private async exchange(stale: string): Promise<Session | null> {
    const latest = read();
    if (!latest) {
      this.show(NOBODY);
      return null;
    }
    if (latest.accessToken !== stale) {
      // Another tab was quicker.
      this.show({ session: latest, ended: false });
      return latest;
    }
    const response = await fetch(this.endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({
        operationName: "RefreshSession",
        query: print(RefreshSessionDocument),
        variables: { input: { refreshToken: latest.refreshToken } },
      }),
    });
    const body = await response.json();
    const payload = body?.data?.refreshSession;
    if (payload?.session) {
      this.set(payload.session as Session);
      return payload.session as Session;
    }
    if (payload?.userErrors?.length) {
      lasting.write(KEY, null);
      this.show({ session: null, ended: true });
      return null;
    }
    throw new Error("the session could not be refreshed");
  }

  private show(next: Stored): void {
    this.state = next;
    for (const listener of this.listeners) listener();
  }
}

export const sessions = new SessionStore("/graphql");
