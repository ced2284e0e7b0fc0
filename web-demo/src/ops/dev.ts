// The plugs of a local system. Only the page's own server in development has them; elsewhere there is nothing to ask.
import { sessions } from "../session/session";

export type PlugAction = "crash" | "unplug" | "freeze" | "slow" | "restore";
export type Condition = "running" | "slow" | "frozen" | "unplugged" | "down";

export interface Plug {
  name: string;
  kind: "service" | "provider" | "router" | "broker" | "store";
  condition: Condition;
  ready: boolean | null;
  actions: PlugAction[];
}

export interface Plugs {
  supervised: boolean;
  plugs: Plug[];
}

export interface Finding {
  id: string;
  title: string;
  holds: boolean | null;
  violations: number;
  notes: string[];
}

export interface Invariants {
  ageMs: number;
  findings: Finding[];
}

/** A line of a service's log, with whatever else it says. */
export interface LogLine {
  time: string;
  level: string;
  service: string;
  target: string;
  message?: string;
  [field: string]: unknown;
}

export interface TraceLines {
  lines: LogLine[];
  /** Whether there were too many to send. */
  more: boolean;
}

/** There are no plugs here: not development, or not an administrator. */
export class NoPlugs extends Error {}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const token = await sessions.token();
  const response = await fetch(`/_dev/${path}`, {
    ...init,
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
  });
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  if (response.status === 404 || response.status === 403 || !isJson) throw new NoPlugs();
  const body = await response.json();
  if (!response.ok) throw new Error(body?.message ?? `status ${response.status}`);
  return body as T;
}

export const dev = {
  plugs: () => ask<Plugs>("plugs"),
  pull: (name: string, action: PlugAction) =>
    ask<Plugs>(`plugs/${encodeURIComponent(name)}`, { method: "POST", body: JSON.stringify({ action }) }),
  trace: (id: string) => ask<TraceLines>(`traces/${encodeURIComponent(id)}`),
  invariants: () => ask<Invariants>("invariants"),
};
