/** The SDL as it is committed: sorted, as the other subgraphs print theirs. */

import { type ASTNode, type DefinitionNode, Kind, parse, print, visit } from "graphql";
import { LINK, TYPES } from "./typeDefs.ts";

const nameOf = (node: { readonly name?: { readonly value: string } }) => node.name?.value ?? "";
const byName = (one: object, other: object) => (nameOf(one) < nameOf(other) ? -1 : 1);
const sorted = <T extends ASTNode>(nodes: readonly T[] | undefined): T[] => [...(nodes ?? [])].sort(byName);

export function sdl(): string {
  const document = visit(parse(TYPES, { noLocation: true }), {
    [Kind.OBJECT_TYPE_DEFINITION]: (node) => ({ ...node, fields: sorted(node.fields) }),
    [Kind.INTERFACE_TYPE_DEFINITION]: (node) => ({ ...node, fields: sorted(node.fields) }),
    [Kind.INPUT_OBJECT_TYPE_DEFINITION]: (node) => ({ ...node, fields: sorted(node.fields) }),
    [Kind.ENUM_TYPE_DEFINITION]: (node) => ({ ...node, values: sorted(node.values) }),
    [Kind.FIELD_DEFINITION]: (node) => ({ ...node, arguments: sorted(node.arguments) }),
    // Descriptions stand on lines of their own.
    [Kind.STRING]: (node, key) => (key === "description" ? { ...node, block: true } : undefined),
  });
  const definitions: readonly DefinitionNode[] = sorted(document.definitions);
  const types = definitions.map((definition) =>
    print(definition).replace(/^( *)"""(.+)"""$/gm, `$1"""\n$1$2\n$1"""`),
  );
  return `${types.join("\n\n")}\n\n${LINK}\n`;
}
