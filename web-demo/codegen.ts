import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: "src/operations/*.graphql",
  generates: {
    "src/gql/documents.ts": {
      plugins: ["typescript-operations", "typed-document-node"],
      config: {
        enumType: "string-literal",
        useTypeImports: true,
        scalars: {
          ID: "string",
          DateTime: "string",
          Decimal: "string",
          CurrencyCode: "string",
        },
        dedupeFragments: true,
      },
    },
  },
};

export default config;
