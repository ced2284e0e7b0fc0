// The recorded operations, each by its name: `cargo xtask schema-check` holds them against the graph.
import { readFileSync } from "node:fs";
import { parse, print } from "graphql";

const text = readFileSync(new URL("operations/order.graphql", import.meta.url), "utf8");

export const documents = Object.fromEntries(
  parse(text).definitions.map((one) => [one.name.value, { kind: "Document", definitions: [one] }]),
);
export const texts = Object.fromEntries(Object.entries(documents).map(([name, one]) => [name, print(one)]));
