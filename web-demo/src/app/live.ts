// The WebSockets of the page: one to order, and one to who tells of notifications. They never reconnect behind the back
// of their users: a cut is an error to them, so that they can resume from what they have seen and say so.
import { createClient } from "graphql-ws";
import { sessions } from "../session/session";

const PING_EVERY_MS = 12_000;
const PONG_WITHIN_MS = 5_000;

function connect(path: string) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  let socket: WebSocket | undefined;
  let pongDue: ReturnType<typeof setTimeout> | undefined;
  let connected = false;
  const listeners = new Set<() => void>();
  const show = (now: boolean) => {
    connected = now;
    for (const listener of listeners) listener();
  };
  const client = createClient({
    url: `${scheme}://${location.host}${path}`,
    lazy: true,
    retryAttempts: 0,
    keepAlive: PING_EVERY_MS,
    connectionParams: async (): Promise<Record<string, unknown>> => {
      const token = await sessions.token();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      connected: () => show(true),
      ping: (received) => {
        if (!received) pongDue = setTimeout(() => socket?.close(4408, "no pong"), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongDue);
      },
      closed: () => {
        clearTimeout(pongDue);
        show(false);
      },
    },
  });
  addEventListener("offline", () => socket?.close(4499, "offline"));
  return {
    client,
    isConnected: () => connected,
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const live = connect("/graphql/ws");
export const notices = connect("/graphql/ws/notification");
