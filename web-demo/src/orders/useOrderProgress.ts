// Follows an order: subscribes after what is known, and after a cut again, with growing pauses.
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { useApolloClient } from "@apollo/client/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { live } from "../app/live";
import {
  type OrderEventPartsFragment,
  OrderProgressDocument,
  type OrderStatePartsFragment,
} from "../gql/documents";
import { pauseBefore } from "../lib/pause";
import { type Action, EMPTY, fold, hasGap, resumePoint, type Timeline } from "./timeline";

const PAUSES = { least: 250, first: 500, longest: 10_000 };

type Loaded = OrderStatePartsFragment & { timeline: OrderEventPartsFragment[] };

/** `loaded` is what the query knows; null while it loads. */
export function useOrderProgress(orderId: string, loaded: Loaded | null): Timeline {
  const client = useApolloClient();
  // What the query knows is in the first picture: nothing moves when the effects below run.
  const [state, setState] = useState(() =>
    loaded ? fold(EMPTY, { type: "loaded", events: loaded.timeline, order: loaded }) : EMPTY,
  );
  // Ahead of what is drawn: several steps may arrive between two renderings.
  const latest = useRef(state);
  const dispatch = useCallback((action: Action) => {
    latest.current = fold(latest.current, action);
    setState(latest.current);
  }, []);

  useEffect(() => {
    if (loaded) dispatch({ type: "loaded", events: loaded.timeline, order: loaded });
  }, [loaded, dispatch]);

  const ready = loaded !== null;
  // A final order may go on, by a refund for instance: then the query learns of a version beyond the last step.
  const target = loaded?.version ?? 0;
  const behind = resumePoint(state.events) < target;
  const finished = state.link.kind === "complete" && !behind;

  useEffect(() => {
    if (!ready || finished) return;
    let over = false;
    let attempt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription: { unsubscribe(): void } | undefined;
    let unlisten: (() => void) | undefined;

    const retry = () => {
      subscription?.unsubscribe();
      unlisten?.();
      if (over) return;
      attempt += 1;
      dispatch({ type: "cut", attempt });
      timer = setTimeout(open, navigator.onLine ? pauseBefore(attempt, PAUSES) : PAUSES.longest);
    };

    const open = () => {
      clearTimeout(timer);
      dispatch({ type: "connecting" });
      const connected = () => {
        if (!live.isConnected()) return;
        attempt = 0;
        dispatch({ type: "connected" });
      };
      unlisten = live.subscribe(connected);
      subscription = client
        .subscribe({
          query: OrderProgressDocument,
          variables: { orderId, afterSequence: resumePoint(latest.current.events) },
        })
        .subscribe({
          next: ({ data, error }) => {
            if (error) {
              settle(error);
            } else if (data) {
              attempt = 0;
              const { event, order } = data.orderProgress;
              dispatch({ type: "progress", event, order });
              if (hasGap(latest.current.events)) retry();
            }
          },
          error: settle,
          complete: () => {
            unlisten?.();
            if (!over) dispatch({ type: "complete" });
          },
        });
      connected();
    };

    const settle = (error: unknown) => {
      const code = CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions?.code : undefined;
      if (code === "NOT_FOUND" || code === "FORBIDDEN" || code === "BAD_USER_INPUT") {
        unlisten?.();
        dispatch({ type: "refused", error });
      } else {
        retry();
      }
    };

    const online = () => {
      if (latest.current.link.kind === "cut") open();
    };
    addEventListener("online", online);
    open();
    return () => {
      over = true;
      clearTimeout(timer);
      removeEventListener("online", online);
      unlisten?.();
      subscription?.unsubscribe();
    };
  }, [client, orderId, ready, finished, dispatch]);

  return state;
}
