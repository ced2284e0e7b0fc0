// A plain urql client as docs/graph.md shows it: queries over HTTP, the order's steps over graphql-ws.
// usage: node urql.mjs HTTP_URL WS_URL TOKEN ORDER_ID
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { documents } from "./operations.mjs";

const [http, ws, token, orderId] = process.argv.slice(2);
const bearer = () => ({ authorization: `Bearer ${token}` });
const socket = createClient({ url: ws, webSocketImpl: WebSocket, connectionParams: bearer });
const client = new Client({
  url: http,
  preferGetMethod: false,
  fetchOptions: () => ({ headers: bearer() }),
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? "", variables }, sink) }),
      }),
    }),
  ],
});
const steps = [];
await new Promise((resolve, reject) => {
  client.subscription(documents.OrderProgress, { orderId }).subscribe(({ data, error, hasNext }) => {
    if (error) reject(error);
    // The last result of an ended stream repeats what came before it.
    else if (data && steps.at(-1)?.sequence !== data.orderProgress.event.sequence) steps.push(data.orderProgress.event);
    if (data?.orderProgress.order.isFinal || hasNext === false) resolve();
  });
});
const { data, error } = await client.query(
  documents.Order,
  { id: orderId },
  { requestPolicy: "network-only" },
);
if (error) throw error;
await socket.dispose();
console.log(JSON.stringify({ steps, order: data.order }));
