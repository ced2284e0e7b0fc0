// Hears of new notifications while somebody is signed in. After a cut it subscribes again, with growing pauses, and asks
// for what came meanwhile.
import { useApolloClient } from "@apollo/client/react";
import { useEffect } from "react";
import { notices } from "../app/live";
import { NotificationReceivedDocument, UnreadNoticesDocument } from "../gql/documents";
import { pauseBefore } from "../lib/pause";

const PAUSES = { least: 500, first: 1_000, longest: 60_000 };

export function useNotices(userId: string): void {
  const client = useApolloClient();
  useEffect(() => {
    let over = false;
    let attempt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription: { unsubscribe(): void } | undefined;

    const ask = () => {
      // Without the service the shop goes on, with a bell that does not ring.
      client.query({ query: UnreadNoticesDocument, fetchPolicy: "network-only" }).catch(() => undefined);
      client.cache.evict({
        id: client.cache.identify({ __typename: "User", id: userId }),
        fieldName: "notifications",
      });
    };
    const again = () => {
      subscription?.unsubscribe();
      if (over) return;
      attempt += 1;
      timer = setTimeout(open, pauseBefore(attempt, PAUSES));
    };
    const open = () => {
      clearTimeout(timer);
      subscription = client.subscribe({ query: NotificationReceivedDocument }).subscribe({
        next: ({ error }) => (error ? again() : ask()),
        error: again,
        complete: again,
      });
    };
    // Subscribed first, then asked: nothing falls between.
    const unlisten = notices.subscribe(() => {
      if (!notices.isConnected()) return;
      attempt = 0;
      ask();
    });
    const online = () => {
      attempt = 0;
      open();
    };
    addEventListener("online", online);
    open();
    return () => {
      over = true;
      clearTimeout(timer);
      removeEventListener("online", online);
      unlisten();
      subscription?.unsubscribe();
    };
  }, [client, userId]);
}
