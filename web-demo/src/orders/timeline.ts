// What an order page knows of its order, as a pure fold over what arrives. Steps may come twice or late: each is kept
// once, in order, and the place to resume from is the last one before any gap.
import type {
  OrderEventPartsFragment as OrderEvent,
  OrderStatePartsFragment as OrderState,
} from "../gql/documents";

export type Link =
  | { kind: "connecting" }
  | { kind: "live"; resumedAfter: number | null }
  | { kind: "cut"; attempt: number }
  | { kind: "complete" }
  | { kind: "refused"; error: unknown };

export interface Timeline {
  events: readonly OrderEvent[];
  order: OrderState | null;
  link: Link;
  /** How often the connection was lost since the page was opened. */
  cuts: number;
}

export type Action =
  | { type: "loaded"; events: readonly OrderEvent[]; order: OrderState }
  | { type: "progress"; event: OrderEvent; order: OrderState }
  | { type: "connecting" }
  | { type: "connected" }
  | { type: "cut"; attempt: number }
  | { type: "refused"; error: unknown }
  | { type: "complete" };

export const EMPTY: Timeline = { events: [], order: null, link: { kind: "connecting" }, cuts: 0 };

function merge(known: readonly OrderEvent[], more: readonly OrderEvent[]): readonly OrderEvent[] {
  const seen = new Set(known.map((event) => event.sequence));
  const fresh = more.filter((event) => !seen.has(event.sequence) && seen.add(event.sequence));
  if (fresh.length === 0) return known;
  return [...known, ...fresh].sort((a, b) => a.sequence - b.sequence);
}

function newer(known: OrderState | null, next: OrderState): OrderState {
  return known && known.version > next.version ? known : next;
}

/** The last sequence up to which nothing is missing: a subscription resumes after it. */
export function resumePoint(events: readonly OrderEvent[]): number {
  let last = 0;
  for (const event of events) {
    if (event.sequence !== last + 1) break;
    last = event.sequence;
  }
  return last;
}

export function hasGap(events: readonly OrderEvent[]): boolean {
  return resumePoint(events) < (events.at(-1)?.sequence ?? 0);
}

export function fold(state: Timeline, action: Action): Timeline {
  switch (action.type) {
    case "loaded":
      return {
        ...state,
        events: merge(state.events, action.events),
        order: newer(state.order, action.order),
      };
    case "progress":
      return {
        ...state,
        events: merge(state.events, [action.event]),
        order: newer(state.order, action.order),
        link: state.link.kind === "live" ? state.link : live(state),
      };
    case "connecting":
      return state.link.kind === "cut" ? state : { ...state, link: { kind: "connecting" } };
    case "connected":
      return state.link.kind === "live" ? state : { ...state, link: live(state) };
    case "cut":
      return {
        ...state,
        link: { kind: "cut", attempt: action.attempt },
        cuts: state.cuts + (state.link.kind === "cut" ? 0 : 1),
      };
    case "refused":
      return { ...state, link: { kind: "refused", error: action.error } };
    case "complete":
      return { ...state, link: { kind: "complete" } };
  }
}

function live(state: Timeline): Link {
  return { kind: "live", resumedAfter: state.cuts > 0 ? resumePoint(state.events) : null };
}
