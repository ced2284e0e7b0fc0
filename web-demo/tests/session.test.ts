import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Session, SessionStore } from "../src/session/session";

const KEY = "mercato.session";

function memory(): Storage {
  const held = new Map<string, string>();
  return {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
    removeItem: (key: string) => void held.delete(key),
  } as unknown as Storage;
}

function session(name: string, secondsLeft: number): Session {
  return {
    accessToken: `access-${name}`,
    refreshToken: `refresh-${name}`,
    expiresAt: new Date(Date.now() + secondsLeft * 1000).toISOString(),
    user: { id: "usr_1", email: "ada@example.com", displayName: "Ada", roles: ["CUSTOMER"] },
  };
}

const answer = (payload: unknown) => new Response(JSON.stringify({ data: { refreshSession: payload } }));

describe("a session", () => {
  const fetched = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

  beforeEach(() => {
    fetched.mockReset();
    vi.stubGlobal("fetch", fetched);
    vi.stubGlobal("localStorage", memory());
    vi.stubGlobal("navigator", {});
  });
  afterEach(() => vi.unstubAllGlobals());

  const started = (kept: Session | null) => {
    if (kept) localStorage.setItem(KEY, JSON.stringify(kept));
    return new SessionStore("/graphql");
  };

  it("is nobody's without one", async () => {
    expect(await started(null).token()).toBeNull();
    localStorage.setItem(KEY, "{damaged");
    expect(await new SessionStore("/graphql").token()).toBeNull();
    expect(fetched).not.toHaveBeenCalled();
  });

  it("is used as it is while its token is good", async () => {
    expect(await started(session("one", 600)).token()).toBe("access-one");
    expect(fetched).not.toHaveBeenCalled();
  });

  it("is exchanged once for all who ask, before its token ends", async () => {
    const store = started(session("old", 10));
    fetched.mockResolvedValue(answer({ session: session("new", 600), userErrors: [] }));
    expect(await Promise.all([store.token(), store.token(), store.token()])).toEqual(
      Array(3).fill("access-new"),
    );
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(String(fetched.mock.calls[0]?.[1].body)).toContain("refresh-old");
    expect(localStorage.getItem(KEY)).toContain("refresh-new");
  });

  it("takes what another tab has got already", async () => {
    const store = started(session("old", 10));
    localStorage.setItem(KEY, JSON.stringify(session("theirs", 600)));
    expect(await store.token()).toBe("access-theirs");
    expect(fetched).not.toHaveBeenCalled();
  });

  it("ends when the shop says so, and says that it ended", async () => {
    const store = started(session("old", -5));
    fetched.mockResolvedValue(
      answer({ session: null, userErrors: [{ code: "TOKEN_EXPIRED", message: "" }] }),
    );
    expect(await store.token()).toBeNull();
    expect(store.snapshot()).toEqual({ session: null, ended: true });
    expect(localStorage.getItem(KEY)).toBeNull();
  });

  it("survives a shop that does not answer", async () => {
    const store = started(session("old", -5));
    fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(store.token()).rejects.toThrow();
    expect(store.snapshot().session?.refreshToken).toBe("refresh-old");
    fetched.mockResolvedValue(answer({ session: session("new", 600), userErrors: [] }));
    expect(await store.token()).toBe("access-new");
  });
});
