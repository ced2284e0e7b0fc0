// Composes the same SDL files with The Guild's implementation, so that a fault of one composer shows.
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const root = new URL("../../", import.meta.url);
const yaml = readFileSync(new URL("supergraph.yaml", root), "utf8");
const services = [...yaml.matchAll(/^ {2}(\S+):\n {4}routing_url: (\S+)\n {4}schema:\n {6}file: (\S+)/gm)].map(
  ([, name, url, file]) => ({ name, url, typeDefs: parse(readFileSync(new URL(file, root), "utf8")) }),
);
if (services.length === 0) throw new Error("supergraph.yaml names no subgraph");
const result = composeServices(services);
if (result.errors?.length) {
  for (const error of result.errors) console.error(`${error.extensions?.code}: ${error.message}`);
  process.exit(1);
}
const ours = readFileSync(new URL("router/supergraph.graphql", root), "utf8");
const typeNames = (sdl) =>
  parse(sdl)
    .definitions.filter((d) => d.kind.endsWith("TypeDefinition") && !/__/.test(d.name.value))
    .map((d) => d.name.value)
    .sort()
    .join("\n");
if (typeNames(ours) !== typeNames(result.supergraphSdl)) {
  console.error("the two composers disagree on the supergraph's types");
  process.exit(1);
}
console.log(`${services.length} subgraphs compose with @theguild/federation-composition to the same types`);
