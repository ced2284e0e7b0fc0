import type { CodegenConfig } from "@graphql-codegen/cli";

const plugins = ["typescript-operations", "typed-document-node"];
const config = {
  enumType: "string-literal",
  useTypeImports: true,
  scalars: {
    ID: "string",
    DateTime: "string",
    Decimal: "string",
    CurrencyCode: "string",
  },
  dedupeFragments: true,
};

const all: CodegenConfig = {
  generates: {
    "src/gql/documents.ts": {
      schema: "../router/api.public.graphql",
      documents: "src/operations/*.graphql",
      plugins,
      config,
    },
    // The control room asks for more than shoppers may: typed by the whole graph, in a file of its own chunk.
    "src/ops/documents.ts": {
      schema: "../router/api.graphql",
      documents: "src/ops/*.graphql",
      plugins,
      config,
    },
  },
};

export default all;
