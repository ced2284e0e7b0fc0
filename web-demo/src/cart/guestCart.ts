// Which cart is the guest's. Whoever knows the id may use the cart, so it is kept in this browser alone.
import { lasting } from "../lib/storage";

const KEY = "mercato.guestCart";
const listeners = new Set<() => void>();

globalThis.addEventListener?.("storage", (event) => {
  if (event.key === KEY || event.key === null) for (const listener of listeners) listener();
});

export const guestCart = {
  get: (): string | null => lasting.read(KEY),
  set(id: string | null): void {
    lasting.write(KEY, id);
    for (const listener of listeners) listener();
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
