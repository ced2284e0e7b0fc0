// What the npm client `graphql-ws` sees when the server ends a socket or refuses a subscription.
// usage: node closes.mjs WS_URL TOKEN TOKEN_THAT_EXPIRES_SOON
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, brief] = process.argv.slice(2);
const FEED = "subscription { orderFeed { event { sequence } } }";
const bearer = (value) => ({ authorization: `Bearer ${value}` });

/** The close code that ends a client with these parameters. */
function closeOf(connectionParams, { operations = 1, options = {} } = {}) {
  return new Promise((resolve) => {
    let closed = false;
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams,
      retryAttempts: 0,
      lazy: true,
      on: {
        closed: (event) => {
          closed = true;
          resolve(event.code);
        },
      },
      ...options,
    });
    for (let n = 0; n < operations; n += 1) {
      client.subscribe({ query: FEED }, { next() {}, error() {}, complete() {} });
    }
    setTimeout(() => {
      if (!closed) resolve("open");
      client.dispose();
    }, 15_000).unref();
  });
}

/** The code of the error that answers a subscription. */
function errorOf(query, variables) {
  return new Promise((resolve) => {
    const client = createClient({ url, webSocketImpl: WebSocket, connectionParams: bearer(token), retryAttempts: 0 });
    const done = (value) => {
      resolve(value);
      client.dispose();
    };
    client.subscribe(
      { query, variables },
      {
        next: () => done("next"),
        error: (error) => done(Array.isArray(error) ? error[0].extensions?.code : String(error)),
        complete: () => done("complete"),
      },
    );
  });
}

class WrongProtocol extends WebSocket {
  constructor(address) {
    super(address, []);
  }
}

const cases = [
  ["no token", 4403, closeOf(undefined)],
  ["a bad token", 4403, closeOf(bearer("nonsense"))],
  ["a token of no scheme", 4403, closeOf({ authorization: token })],
  ["a token that expires on the way", 4403, closeOf(bearer(brief))],
  ["no subprotocol", 4406, closeOf(bearer(token), { options: { webSocketImpl: WrongProtocol } })],
  [
    "ids that are all the same",
    4409,
    closeOf(bearer(token), { operations: 2, options: { generateID: () => "same" } }),
  ],
  ["an id of 1 KiB", 4400, closeOf(bearer(token), { options: { generateID: () => "x".repeat(1024) } })],
  ["a query", "BAD_USER_INPUT", errorOf("{ __typename }")],
  ["introspection", "FORBIDDEN", errorOf("{ __schema { types { name } } }")],
  [
    "an order that is not there",
    "NOT_FOUND",
    errorOf("subscription ($id: ID!) { orderProgress(orderId: $id) { event { sequence } } }", {
      id: "ord_01h455vb4pex5vsknk084sn02q",
    }),
  ],
];
const results = await Promise.all(cases.map(async ([name, wanted, got]) => ({ name, wanted, got: await got })));
console.log(JSON.stringify(results));
process.exit(0);
