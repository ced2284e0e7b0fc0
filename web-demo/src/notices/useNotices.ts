// How many notifications were not read, while somebody is signed in. The socket tells it when it begins to listen and
// whenever one comes: nothing falls between. After a cut it subscribes again, with growing pauses, and asks meanwhile.
import { useApolloClient, useQuery } from "@apollo/client/react";
import { useEffect } from "react";
import { UnreadNoticeCountDocument, UnreadNoticesDocument } from "../gql/documents";
import { pauseBefore } from "../lib/pause";

const PAUSES = { least: 500, first: 1_000, longest: 60_000 };

/** The number, once it is known; `useNotices` keeps it. */
export function useUnread(): number {
  const { data } = useQuery(UnreadNoticesDocument, { fetchPolicy: "cache-only" });
  return data?.me?.unreadNotificationCount ?? 0;
}

export function useNotices(userId: string): void {
  const client = useApolloClient();
  useEffect(() => {
    let over = false;
    let told = false;
    let attempt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription: { unsubscribe(): void } | undefined;

    const show = (unreadNotificationCount: number) => {
      const me = { __typename: "User", id: userId, unreadNotificationCount };
      client.writeQuery({ query: UnreadNoticesDocument, data: { me } });
      // Where the list is open, it is read again.
      client
        .refetchQueries({
          include: "active",
          onQueryUpdated: ({ queryName }) => queryName === "Notices",
        })
        .catch(() => undefined);
    };
    const ask = async () => {
      const asked = client.query({ query: UnreadNoticesDocument, fetchPolicy: "no-cache" });
      // Without the service the shop goes on, with a bell that does not ring.
      const answer = await asked.catch(() => undefined);
      const unread = answer?.data?.me?.unreadNotificationCount;
      // What the socket told meanwhile is newer.
      if (typeof unread === "number" && !told && !over) show(unread);
    };
    const again = () => {
      told = false;
      subscription?.unsubscribe();
      if (over) return;
      void ask();
      attempt += 1;
      timer = setTimeout(open, pauseBefore(attempt, PAUSES));
    };
    const open = () => {
      clearTimeout(timer);
      subscription?.unsubscribe();
      subscription = client.subscribe({ query: UnreadNoticeCountDocument }).subscribe({
        next: ({ data, error }) => {
          if (error || !data) return again();
          told = true;
          attempt = 0;
          show(data.unreadNotificationCount);
        },
        error: again,
        complete: again,
      });
    };
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
      subscription?.unsubscribe();
    };
  }, [client, userId]);
}
