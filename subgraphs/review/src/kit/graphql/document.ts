/** Looks at a document before it runs: size, nesting, spread of fragments, aliases, representations. */

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from "graphql";
import { ApiError } from "./error.ts";

const MAX_TOKENS = 4000;
const MAX_NESTING = 64;
/** Also what the other services call complexity: one for each field. */
const MAX_FIELDS = 2000;
const MAX_DEPTH = 15;
const MAX_ALIASES = 100;
const MAX_DIRECTIVES = 100;
const MAX_DIRECTIVES_PER_FIELD = 4;
const MAX_MUTATIONS = 10;
const MAX_REPRESENTATIONS = 200;

export type Variables = Readonly<Record<string, unknown>>;

/** What a checked document does. */
export interface Checked {
  readonly operation: OperationDefinitionNode;
  readonly type: "query" | "mutation" | "subscription";
  /** The operation's name, for logs and metrics. */
  readonly name: string;
  /** Fields at its root: so many changes it would make. */
  readonly roots: number;
}

const refuse = (message: string) => ApiError.badInput(message);

/** Counts tokens and brackets of the text, without parsing it: the parser recurses per bracket. */
export function scan(query: string): void {
  const token =
    /[\s,\ufeff]+|#[^\n\r]*|"""(?:\\"""|(?!""")[\s\S])*(?:"""|$)|"(?:\\.|[^"\\\n\r])*"?|\w+|[\s\S]/gy;
  let [tokens, nesting] = [0, 0];
  for (const [text] of query.matchAll(token)) {
    const first = text.charAt(0);
    if (/[\s,\ufeff#]/.test(first)) continue;
    tokens += 1;
    if ("{[(".includes(first)) nesting += 1;
    if ("}])".includes(first)) nesting = Math.max(0, nesting - 1);
    if (tokens > MAX_TOKENS) throw refuse("The document has too many tokens");
    if (nesting > MAX_NESTING) throw refuse("The document is nested too deeply");
  }
}

/** Chooses the operation and checks it against the limits. */
export function check(
  document: DocumentNode,
  wanted: string | undefined,
  variables: Variables,
  introspection: boolean,
): Checked {
  const operation = choose(document, wanted);
  const fragments = fragmentsOf(document);
  const cost = new Walk(fragments).selections(operation.selectionSet);
  if (cost.fields > MAX_FIELDS) throw refuse("The document selects too many fields");
  if (cost.depth > MAX_DEPTH) throw refuse("The document is nested too deeply");
  if (cost.aliases > MAX_ALIASES) throw refuse("The document has too many aliases");
  if (cost.directives + (operation.directives?.length ?? 0) > MAX_DIRECTIVES) {
    throw refuse("The document has too many directives");
  }
  const roots = rootFields(operation.selectionSet, fragments);
  checkRoots(operation, roots, variables, introspection);
  return {
    operation,
    type: operation.operation,
    name: operation.name?.value ?? "anonymous",
    roots: roots.length,
  };
}

function choose(document: DocumentNode, wanted: string | undefined): OperationDefinitionNode {
  const all = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (wanted === undefined) {
    const [only] = all;
    if (only !== undefined && all.length === 1) return only;
    throw refuse("Say which operation to run by operationName");
  }
  const named = all.find((operation) => operation.name?.value === wanted);
  if (named === undefined) throw refuse("The document has no operation of that operationName");
  return named;
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

function fragmentsOf(document: DocumentNode): Fragments {
  const all = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(all.map((fragment) => [fragment.name.value, fragment]));
}

function checkRoots(
  operation: OperationDefinitionNode,
  roots: readonly FieldNode[],
  variables: Variables,
  introspection: boolean,
): void {
  const introspects = roots.some((field) => ["__schema", "__type"].includes(field.name.value));
  if (introspects && !introspection) throw new ApiError("FORBIDDEN", "Introspection is off");
  if (operation.operation === OperationTypeNode.MUTATION && roots.length > MAX_MUTATIONS) {
    throw refuse("Too many mutations in one document");
  }
  let asked = 0;
  for (const field of roots) if (field.name.value === "_entities") asked += representations(field, variables);
  if (asked > MAX_REPRESENTATIONS) throw refuse("Too many representations in _entities");
}

function representations(field: FieldNode, variables: Variables): number {
  const given = field.arguments?.find((argument) => argument.name.value === "representations");
  const list = given === undefined ? undefined : valueFromASTUntyped(given.value, variables);
  return Array.isArray(list) ? list.length : 1;
}

/** The fields at the root, those of fragments included. Only called after the walk has refused cycles. */
function rootFields(set: SelectionSetNode, fragments: Fragments): FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
    return inner === undefined ? [] : rootFields(inner.selectionSet, fragments);
  });
}

interface Cost {
  fields: number;
  aliases: number;
  directives: number;
  depth: number;
}

/** Sums the cost of selections with every fragment spread counted, each fragment walked once. */
class Walk {
  readonly #fragments: Fragments;
  /** `null` while the fragment is being walked: meeting it again is a cycle. */
  readonly #known = new Map<string, Cost | null>();

  constructor(fragments: Fragments) {
    this.#fragments = fragments;
  }

  selections(set: SelectionSetNode | undefined): Cost {
    const total = { fields: 0, aliases: 0, directives: 0, depth: 0 };
    for (const selection of set?.selections ?? []) {
      const directives = selection.directives?.length ?? 0;
      if (directives > MAX_DIRECTIVES_PER_FIELD) throw refuse("A field has too many directives");
      // Fragments are counted as fields, so that empty nesting has a price too.
      total.fields += 1;
      total.directives += directives;
      let inner: Cost;
      let deeper = 0;
      if (selection.kind === Kind.FIELD) {
        total.aliases += selection.alias === undefined ? 0 : 1;
        inner = this.selections(selection.selectionSet);
        deeper = 1;
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        inner = this.selections(selection.selectionSet);
      } else {
        inner = this.#fragment(selection.name.value);
      }
      total.fields += inner.fields;
      total.aliases += inner.aliases;
      total.directives += inner.directives;
      total.depth = Math.max(total.depth, inner.depth + deeper);
    }
    return total;
  }

  #fragment(name: string): Cost {
    const known = this.#known.get(name);
    if (known === null) throw refuse("The document's fragments form a cycle");
    if (known !== undefined) return known;
    // An unknown fragment is left to the validation, which names it.
    const fragment = this.#fragments.get(name);
    if (fragment === undefined) return { fields: 0, aliases: 0, directives: 0, depth: 0 };
    this.#known.set(name, null);
    const cost = this.selections(fragment.selectionSet);
    this.#known.set(name, cost);
    return cost;
  }
}
