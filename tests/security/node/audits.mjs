// The server audits of `graphql-http`, as JSON.
// usage: node audits.mjs URL [GATEWAY_KEY]
import { serverAudits } from "graphql-http";

const [url, key] = process.argv.slice(2);
const fetchFn = (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (key) headers.set("x-gateway-key", key);
  return fetch(input, { ...init, headers });
};
const results = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  if (result.response?.body && !result.response.bodyUsed) await result.response.body.cancel();
  results.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
}
console.log(JSON.stringify(results));
