import { useApolloClient } from "@apollo/client/react";
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { Feed, type FeedState } from "./feed";

export const FeedContext = createContext<Feed | null>(null);

/** The one feed of the control room; listens as long as the room is open. */
export function useOwnFeed(): Feed {
  const client = useApolloClient();
  const [feed] = useState(() => new Feed(client));
  useEffect(() => feed.use(), [feed]);
  return feed;
}

export function useFeed(): FeedState {
  const feed = useContext(FeedContext);
  if (!feed) throw new Error("useFeed needs the control room");
  return useSyncExternalStore(feed.subscribe, feed.snapshot);
}
