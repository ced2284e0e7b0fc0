import type { OperationVariables } from "@apollo/client";
import { useApolloClient } from "@apollo/client/react";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useState } from "react";

interface Asked {
  list: string;
  busy: boolean;
  error: unknown;
}

/**
 * Brings one more page of the list that a query with `variables` shows; the cache puts it at the list's end. One page
 * at a time for each list: what another list still waits for holds this one up no more.
 *
 * A query of its own and not the shown one's `fetchMore`: two of those at once, as when a list is sorted anew while a
 * page of it is on its way, leave the page showing the first list's end and asking for the same page again and again.
 */
export function useNextPage<Data, Variables extends OperationVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) {
  const client = useApolloClient();
  const list = JSON.stringify(variables);
  const [asked, setAsked] = useState<Asked | null>(null);
  const { busy, error } = asked?.list === list ? asked : { busy: false, error: null };

  const bring = async (after: string) => {
    if (busy) return;
    const ended = (failed: unknown) =>
      setAsked((now) => (now?.list === list ? { list, busy: false, error: failed } : now));
    setAsked({ list, busy: true, error: null });
    try {
      const { error: failed } = await client.query({
        query,
        variables: { ...variables, after },
        fetchPolicy: "network-only",
      });
      ended(failed ?? null);
    } catch (failed) {
      ended(failed);
    }
  };
  return { busy, error, bring };
}
