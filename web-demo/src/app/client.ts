// The Apollo client of the shop, and that of the control room at its own address: queries and mutations over HTTP with the session's token and a correlation id, subscriptions
// over graphql-transport-ws; each with a trace context.
import { ApolloClient, ApolloLink, HttpLink } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { from, switchMap } from "rxjs";
import { isUnauthenticated } from "../lib/errors";
import { newId } from "../lib/ids";
import { newTraceparent } from "../lib/trace";
import { sessions } from "../session/session";
import { makeCache } from "./cache";
import { live, notices } from "./live";

declare module "@apollo/client" {
  namespace ApolloClient {
    namespace DeclareDefaultOptions {
      interface WatchQuery {
        errorPolicy: "all";
      }
      interface Query {
        errorPolicy: "all";
      }
    }
  }
}

const identify = new SetContextLink(async ({ headers }) => {
  // Without the part that renews sessions the shop can still be looked at.
  const token = await sessions.token().catch(() => null);
  return {
    headers: {
      ...headers,
      "x-correlation-id": newId(),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  };
});

/** Begins a trace with each operation. A socket has no headers of its own for each: there it is an extension. */
const trace = new ApolloLink((operation, forward) => {
  const traceparent = newTraceparent(operation.operationType !== OperationTypeNode.MUTATION);
  if (operation.operationType === OperationTypeNode.SUBSCRIPTION) {
    operation.extensions.traceparent = traceparent;
  } else {
    operation.setContext(({ headers }: { headers?: Record<string, string> }) => ({
      headers: { ...headers, traceparent },
    }));
  }
  return forward(operation);
});

/** A token that the server does not take any more is exchanged once, and the operation sent again. */
const renew = new ErrorLink(({ error, operation, forward }) => {
  const { session } = sessions.snapshot();
  if (!isUnauthenticated(error) || !session || operation.getContext().renewed) return;
  return from(sessions.refresh(session.accessToken)).pipe(
    switchMap((next) => {
      operation.setContext(({ headers }: { headers?: Record<string, string> }) => {
        const { authorization: _stale, ...others } = headers ?? {};
        const fresh = next ? { ...others, authorization: `Bearer ${next.accessToken}` } : others;
        return { renewed: true, headers: fresh };
      });
      return forward(operation);
    }),
  );
});

/** Who tells of notifications has a socket of its own. */
const sockets = ApolloLink.split(
  ({ operationName }) => operationName === "UnreadNoticeCount",
  new GraphQLWsLink(notices.client),
  new GraphQLWsLink(live.client),
);

/** Where the public graph is, and the whole one, which staff are served. */
export type Address = "/graphql" | "/graphql/staff";

export function makeClient(uri: Address): ApolloClient {
  const http = ApolloLink.from([trace, identify, renew, new HttpLink({ uri })]);
  return new ApolloClient({
    cache: makeCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      trace.concat(sockets),
      http,
    ),
    // Whoever asks again knows of something new: the answer to a question that was on its way before has it not.
    queryDeduplication: false,
    defaultOptions: {
      // A part of the shop that is down leaves one field empty and not the page.
      watchQuery: { errorPolicy: "all" },
      query: { errorPolicy: "all" },
    },
  });
}
