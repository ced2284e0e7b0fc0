// A plain Apollo Client 4: mutations over HTTP, the order's steps over GraphQLWsLink, nothing special.
// usage: node apollo-client.mjs HTTP_URL WS_URL TOKEN ORDER_ID
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { documents } from "./operations.mjs";

const [http, ws, token, orderId] = process.argv.slice(2);
const socket = createClient({
  url: ws,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: http, headers: { authorization: `Bearer ${token}` } }),
  ),
});
const steps = [];
await new Promise((resolve, reject) => {
  client
    .subscribe({
      query: documents.OrderProgress,
      variables: { orderId },
    })
    .subscribe({
      next: ({ data, error }) => (error ? reject(error) : steps.push(data.orderProgress.event)),
      error: reject,
      complete: resolve,
    });
});
const { data } = await client.query({
  query: documents.Order,
  variables: { id: orderId },
});
await socket.dispose();
console.log(JSON.stringify({ steps, order: data.order }));
