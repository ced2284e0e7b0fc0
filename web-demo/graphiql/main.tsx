// GraphiQL while developing: the public graph, or with ?graph=staff the whole one, as whoever is signed in to the shop.
// A build of its own, so that no shopper loads any of it.
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./page.css";
import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { sessions } from "../src/session/session";

const isStaff = new URLSearchParams(location.search).get("graph") === "staff";
const url = isStaff ? "/graphql/staff" : "/graphql";

async function bearer(): Promise<Record<string, string>> {
  const token = await sessions.token().catch(() => null);
  return token ? { authorization: `Bearer ${token}` } : {};
}

const scheme = location.protocol === "https:" ? "wss" : "ws";
const send = createGraphiQLFetcher({
  url,
  wsClient: createClient({ url: `${scheme}://${location.host}/graphql/ws`, connectionParams: bearer }),
});

/** What is written in the headers' tab counts more than the session. */
const fetcher: Fetcher = async (params, options) =>
  send(params, { ...options, headers: { ...(await bearer()), ...options?.headers } });

const WELCOME = `# ${isStaff ? "The whole graph" : "The public graph"}, as whoever is signed in to the shop.
# ${isStaff ? "The public one: /graphiql/" : "The whole one, for staff: /graphiql/?graph=staff"}
# Subscriptions go over /graphql/ws.

query Categories {
  categories {
    id
    name
  }
}
`;

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root element");

createRoot(root).render(
  <StrictMode>
    <GraphiQL fetcher={fetcher} defaultQuery={WELCOME} shouldPersistHeaders={false} />
  </StrictMode>,
);
