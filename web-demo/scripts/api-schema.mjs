// Makes the API schemas that the page is typed by from the composed supergraph, without the machinery of composition
// (join__, link__): schema.graphql for the shop, without what is tagged "internal", and schema.staff.graphql for the
// control room, with it.
//
// node scripts/api-schema.mjs [--check] [SUPERGRAPH]
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildASTSchema, Kind, lexicographicSortSchema, parse, printSchema, visit } from "graphql";

const HIDDEN_TAG = "internal";
const MACHINERY = /^(join|link|core|federation)__/;
const BUILT_IN = new Set(["String", "Int", "Float", "Boolean", "ID"]);

const args = process.argv.slice(2);
const check = args.includes("--check");
const place = (path) => fileURLToPath(new URL(path, import.meta.url));
const source = args.find((arg) => !arg.startsWith("--")) ?? place("../../router/supergraph.graphql");
const targets = [
  { file: "schema.graphql", staff: false },
  { file: "schema.staff.graphql", staff: true },
];

const isHiddenFrom = (staff) => (node) =>
  node.directives?.some(
    (directive) =>
      directive.name.value === "inaccessible" ||
      (!staff &&
        directive.name.value === "tag" &&
        directive.arguments.some((arg) => arg.name.value === "name" && arg.value.value === HIDDEN_TAG)),
  ) ?? false;

const namedType = (type) => (type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type));

/** Drops machinery, then hidden elements, then whatever still names a type that is gone. */
function apiSchema(text, staff) {
  const isHidden = isHiddenFrom(staff);
  const ast = parse(text);
  const definitions = ast.definitions.filter(
    (definition) =>
      definition.kind !== Kind.DIRECTIVE_DEFINITION &&
      !MACHINERY.test(definition.name?.value ?? "") &&
      !isHidden(definition),
  );
  const known = new Set([...BUILT_IN, ...definitions.flatMap((definition) => definition.name?.value ?? [])]);
  const dangles = (node) => isHidden(node) || !known.has(namedType(node.type));
  const cleaned = visit(
    { ...ast, definitions },
    {
      [Kind.FIELD_DEFINITION]: (node) => (dangles(node) || node.arguments.some(dangles) ? null : undefined),
      [Kind.INPUT_VALUE_DEFINITION]: (node) => (dangles(node) ? null : undefined),
      [Kind.ENUM_VALUE_DEFINITION]: (node) => (isHidden(node) ? null : undefined),
      [Kind.DIRECTIVE]: (node) =>
        node.name.value === "deprecated" || node.name.value === "specifiedBy" ? undefined : null,
    },
  );
  return `${printSchema(lexicographicSortSchema(buildASTSchema(cleaned)))}\n`;
}

const supergraph = readFileSync(source, "utf8");
for (const { file, staff } of targets) {
  const target = place(`../${file}`);
  const wanted = apiSchema(supergraph, staff);
  if (!check) {
    writeFileSync(target, wanted);
  } else if (readFileSync(target, "utf8") !== wanted) {
    console.error(`${file} is stale: run npm run schema`);
    process.exitCode = 1;
  }
}
