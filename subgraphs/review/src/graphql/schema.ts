/** The executable schema. */

import { buildSubgraphSchema } from "@apollo/subgraph";
import type { GraphQLResolverMap } from "@apollo/subgraph/dist/schema-helper/resolverMap.js";
import { type GraphQLSchema, parse } from "graphql";
import { resolvers } from "./resolvers.ts";
import { sdl } from "./sdl.ts";

export function schema(): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(sdl()),
    resolvers: resolvers as unknown as GraphQLResolverMap<unknown>,
  });
}
