/** The executable schema. */

import { buildSubgraphSchema } from "@apollo/subgraph";
import type { GraphQLResolverMap } from "@apollo/subgraph/dist/schema-helper/resolverMap.js";
import { type GraphQLFieldResolver, type GraphQLSchema, type GraphQLUnionType, parse } from "graphql";
import { ApiError } from "../kit/graphql/error.ts";
import { resolvers } from "./resolvers.ts";
import { sdl } from "./sdl.ts";

export function schema(): GraphQLSchema {
  const built = buildSubgraphSchema({
    typeDefs: parse(sdl()),
    resolvers: resolvers as unknown as GraphQLResolverMap<unknown>,
  });
  const entities = built.getQueryType()?.getFields()._entities;
  if (entities?.resolve === undefined) throw new Error("the schema has no entities");
  entities.resolve = eachForItself(entities.resolve);
  return built;
}

type Entities = GraphQLFieldResolver<unknown, unknown, { representations: { __typename?: unknown }[] }>;

/** Entities one by one: the library lets one representation that it can't read fail all of them. */
function eachForItself(all: Entities): Entities {
  return (source, { representations }, context, info) => {
    const kinds = info.schema.getPossibleTypes(info.schema.getType("_Entity") as GraphQLUnionType);
    return representations.map(async (representation) => {
      if (!kinds.some(({ name }) => name === representation.__typename))
        throw ApiError.badInput("the __typename of a representation names an entity", "__typename");
      const found = all(source, { representations: [representation] }, context, info);
      return (found as unknown[])[0];
    });
  };
}
