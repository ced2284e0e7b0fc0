// Something read again and again while the page is looked at. What was read last stays when it can't be read anew.
import { NetworkStatus, type OperationVariables } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useLayoutEffect, useState } from "react";

const READ_EVERY_MS = 30_000;

interface Seen<Data> {
  data: Data;
  /** When it was read. */
  at: number;
  /** The variables it was asked for with. */
  of: string;
}

export function useLastRead<Data, Variables extends OperationVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) {
  const [seen, setSeen] = useState<Seen<Data> | null>(null);
  const [failed, setFailed] = useState<{ error: unknown; of: string } | null>(null);
  const asked = useQuery(query as TypedDocumentNode<Data, OperationVariables>, {
    variables,
    // Figures without an id: nothing else would be kept up to date by them.
    fetchPolicy: "no-cache",
    pollInterval: READ_EVERY_MS,
    skipPollAttempt: () => document.hidden,
  });
  const { error, networkStatus, refetch } = asked;
  const data = (asked.data ?? null) as Data | null;
  const of = JSON.stringify(variables);
  // Before it is painted: what was waited for must not be gone before its figures are there.
  useLayoutEffect(() => {
    if (error && networkStatus === NetworkStatus.error) {
      setFailed({ error, of });
    } else if (data && !error && networkStatus === NetworkStatus.ready) {
      setSeen({ data, at: Date.now(), of });
      setFailed(null);
    }
  }, [data, error, networkStatus, of]);
  const loading =
    networkStatus === NetworkStatus.loading ||
    networkStatus === NetworkStatus.setVariables ||
    networkStatus === NetworkStatus.refetch;
  const isOther = seen !== null && seen.of !== of;
  return {
    // What was asked for otherwise is shown while the answer is on its way, and no longer.
    seen: isOther && !loading ? null : seen,
    isOther,
    loading,
    /** Why it could not be read the last time; stays until it can. */
    error: failed && failed.of === of && !loading ? failed.error : null,
    again: () => void refetch().catch(() => null),
  };
}
