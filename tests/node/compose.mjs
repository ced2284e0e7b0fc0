// Composes the same SDL files with The Guild's implementation, so that a fault of one composer shows: both must make
// the same graph, down to each argument.
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { Kind, parse, print } from "graphql";

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

const tags = (node) =>
  (node.directives ?? [])
    .filter((directive) => directive.name.value === "tag")
    .map((directive) => directive.arguments[0].value.value)
    .sort()
    .join();

/** A line for each type, member and argument, with its type, default and tags. */
function* signature(sdl) {
  for (const definition of parse(sdl).definitions) {
    const name = definition.name?.value ?? "";
    if (!definition.kind.endsWith("TypeDefinition") || name.includes("__")) continue;
    yield `${definition.kind} ${name} [${tags(definition)}]`;
    for (const one of definition.interfaces ?? []) yield `${name} implements ${one.name.value}`;
    for (const one of definition.types ?? []) yield `${name} = ${one.name.value}`;
    for (const value of definition.values ?? []) yield `${name}.${value.name.value} [${tags(value)}]`;
    for (const field of definition.fields ?? []) {
      const at = `${name}.${field.name.value}`;
      yield `${at}: ${typed(field)}`;
      for (const argument of field.arguments ?? []) yield `${at}(${argument.name.value}: ${typed(argument)})`;
    }
  }
}
const typed = (node) =>
  `${print(node.type)}${node.kind === Kind.INPUT_VALUE_DEFINITION && node.defaultValue ? ` = ${print(node.defaultValue)}` : ""} [${tags(node)}]`;

const ours = new Set(signature(readFileSync(new URL("router/supergraph.graphql", root), "utf8")));
const theirs = new Set(signature(result.supergraphSdl));
const onlyOurs = [...ours].filter((line) => !theirs.has(line));
const onlyTheirs = [...theirs].filter((line) => !ours.has(line));
for (const line of onlyOurs) console.error(`only in router/supergraph.graphql: ${line}`);
for (const line of onlyTheirs) console.error(`only in the other composer's graph: ${line}`);
if (onlyOurs.length + onlyTheirs.length > 0) process.exit(1);
console.log(`${services.length} subgraphs compose with @theguild/federation-composition to the same ${ours.size} elements`);
