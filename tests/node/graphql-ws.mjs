// The npm client `graphql-ws`, as its documentation shows it, receives the steps of an order.
// usage: node graphql-ws.mjs WS_URL TOKEN ORDER_ID
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { texts } from "./operations.mjs";

const [url, token, orderId] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});
const steps = [];
for await (const { data, errors } of client.iterate({
  query: texts.OrderProgress,
  variables: { orderId },
})) {
  if (errors) throw new Error(JSON.stringify(errors));
  steps.push(data.orderProgress.event);
}
await client.dispose();
console.log(JSON.stringify(steps));
