//! The house rules of the graph: names, descriptions, deprecations, the shapes of lists and mutations.

mod shapes;

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{DirectiveList, FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::ExtendedType;

/// Root types are the same in all subgraphs and need no words in each.
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// What breaks a rule, in the subgraphs' SDLs and in the graph they make.
pub(crate) fn findings(sdls: &BTreeMap<String, String>, api: &Schema) -> Vec<String> {
    let mut findings = Findings::default();
    for (name, sdl) in sdls {
        findings.place = format!("{name}: ");
        for (type_name, kind) in &subgraph(sdl).types {
            if !kind.is_built_in() {
                own_words(type_name, kind, &mut findings);
            }
        }
    }
    findings.place.clear();
    shapes::check(api, &mut findings);
    findings.list
}

/// A subgraph's own schema: its SDL without regard to the directives of federation.
pub(crate) fn subgraph(sdl: &str) -> Schema {
    let built = Schema::builder()
        .adopt_orphan_extensions()
        .parse(sdl, "schema.graphql")
        .build();
    built.unwrap_or_else(|error| error.partial)
}

#[derive(Debug, Default)]
struct Findings {
    place: String,
    list: Vec<String>,
}

impl Findings {
    fn add(&mut self, rule: &str, coordinate: &str, why: &str) {
        self.list
            .push(format!("{}`{coordinate}` {why} ({rule})", self.place));
    }

    fn require(&mut self, holds: bool, rule: &str, coordinate: &str, why: &str) {
        if !holds {
            self.add(rule, coordinate, why);
        }
    }
}

/// Names, descriptions and deprecations of a type and all that is in it.
fn own_words(name: &str, kind: &ExtendedType, findings: &mut Findings) {
    findings.require(is_pascal(name), "names", name, "is not PascalCase");
    if !ROOTS.contains(&name) {
        described(kind.description().is_some(), name, findings);
    }
    match kind {
        ExtendedType::Object(object) => {
            for field in object.fields.values() {
                // Told by the subgraph that owns it.
                if !field.directives.has("external") {
                    output(name, field, findings);
                }
            }
        }
        ExtendedType::Interface(interface) => {
            for field in interface.fields.values() {
                output(name, field, findings);
            }
        }
        ExtendedType::InputObject(input) => {
            findings.require(
                name.ends_with("Input") || name.ends_with("Filter"),
                "names",
                name,
                "is an input and does not end in Input or Filter",
            );
            for field in input.fields.values() {
                value(&format!("{name}.{}", field.name), field, findings);
            }
        }
        ExtendedType::Enum(values) => {
            for value in values.values.values() {
                let at = format!("{name}.{}", value.value);
                findings.require(is_upper(&value.value), "names", &at, "is not UPPER_CASE");
                described(value.description.is_some(), &at, findings);
                deprecation(&at, &value.directives, findings);
            }
        }
        ExtendedType::Scalar(_) | ExtendedType::Union(_) => {}
    }
}

fn output(parent: &str, field: &FieldDefinition, findings: &mut Findings) {
    let at = format!("{parent}.{}", field.name);
    findings.require(is_camel(&field.name), "names", &at, "is not camelCase");
    findings.require(
        field.ty.inner_named_type() != "Float" || is_statistic(&field.name),
        "types",
        &at,
        "is a Float: amounts are Money, counts are Int",
    );
    described(field.description.is_some(), &at, findings);
    deprecation(&at, &field.directives, findings);
    for argument in &field.arguments {
        value(&format!("{at}({}:)", argument.name), argument, findings);
    }
}

fn value(at: &str, value: &InputValueDefinition, findings: &mut Findings) {
    findings.require(is_camel(&value.name), "names", at, "is not camelCase");
    let type_name = value.ty.inner_named_type();
    findings.require(type_name != "Float", "types", at, "is a Float");
    let names_something = value.name == "id" || value.name.ends_with("Id");
    findings.require(
        !names_something || type_name == "ID",
        "types",
        at,
        "names something and is not an ID",
    );
    described(value.description.is_some(), at, findings);
    deprecation(at, &value.directives, findings);
}

fn described(is: bool, at: &str, findings: &mut Findings) {
    findings.require(is, "descriptions", at, "has no description");
}

/// Averages, quantiles and ratios are the numbers here that no count and no amount is exact enough for.
fn is_statistic(name: &str) -> bool {
    let quantile = |rest: &str| rest.starts_with(|digit: char| digit.is_ascii_digit());
    name.starts_with("average") || name == "lift" || name.strip_prefix('p').is_some_and(quantile)
}

/// `@deprecated` says what to use and when it goes: `Use X. Removal after 2027-Q1.`
fn deprecation(at: &str, directives: &DirectiveList, findings: &mut Findings) {
    let Some(deprecated) = directives.get("deprecated") else {
        return;
    };
    let reason = deprecated
        .specified_argument_by_name("reason")
        .and_then(|reason| reason.as_str())
        .unwrap_or_default();
    findings.require(
        names_quarter(reason),
        "deprecations",
        at,
        "is deprecated without a date: say `Use X. Removal after 2027-Q1.`",
    );
}

fn names_quarter(reason: &str) -> bool {
    reason.split("Removal after ").nth(1).is_some_and(|rest| {
        let date: Vec<char> = rest.chars().take(7).collect();
        date.len() == 7
            && date[..4].iter().all(char::is_ascii_digit)
            && date[4] == '-'
            && date[5] == 'Q'
            && ('1'..='4').contains(&date[6])
    })
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('_')
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains('_')
}

fn is_upper(name: &str) -> bool {
    name.chars()
        .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sdl: &str) -> String {
        let sdls = BTreeMap::from([("shop".to_owned(), sdl.to_owned())]);
        findings(&sdls, &subgraph(sdl)).join("\n")
    }

    #[test]
    fn tells_names_and_missing_words() {
        let found = of("type Query { bad_name(userId: String): Float } enum E { a } input X { ok: ID }");
        for part in [
            "`Query.bad_name` is not camelCase",
            "`Query.bad_name` is a Float",
            "`Query.bad_name` has no description",
            "`Query.bad_name(userId:)` names something and is not an ID",
            "shop: `E` has no description",
            "`E.a` is not UPPER_CASE",
            "`X` is an input",
        ] {
            assert!(found.contains(part), "{part} not in\n{found}");
        }
        assert!(!found.contains("`Query` has no description"), "{found}");
    }

    #[test]
    fn an_average_and_a_quantile_are_floats() {
        assert_eq!(
            of("type Query { \"x\" averageRating: Float \"x\" p50Seconds: Float \"x\" lift: Float }"),
            ""
        );
        assert!(of("type Query { \"x\" price: Float }").contains("is a Float"));
    }

    #[test]
    fn a_deprecation_has_a_date() {
        let with = |reason: &str| {
            of(&format!(
                "type Query {{ \"x\" a: Int @deprecated(reason: \"{reason}\") }}"
            ))
        };
        assert!(with("Old.").contains("without a date"));
        assert_eq!(with("Use b. Removal after 2027-Q1."), "");
    }

    #[test]
    fn lists_and_mutations_have_their_shapes() {
        let list = |connection: &str, arguments: &str| {
            format!(
                "type Query {{ \"x\" things({arguments}): ThingConnection }} \"x\" type Thing {{ \"x\" id: ID }}
                \"x\" type PageInfo {{ \"x\" a: Int }} \"x\" type ThingConnection {{ {connection} }}
                \"x\" type ThingEdge {{ \"x\" cursor: String! \"x\" node: Thing! }}"
            )
        };
        let good = "\"x\" edges: [ThingEdge!]! \"x\" nodes: [Thing!]! \"x\" pageInfo: PageInfo!";
        assert_eq!(of(&list(good, "\"x\" first: Int! = 20, \"x\" after: String")), "");
        let found = of(&list(
            "\"x\" edges: [ThingEdge!]! \"x\" pageInfo: PageInfo!",
            "\"x\" limit: Int",
        ));
        for part in [
            "`ThingConnection` has no nodes",
            "`Query.things` has no first",
            "`Query.things` has no after",
        ] {
            assert!(found.contains(part), "{part} not in\n{found}");
        }
        let found =
            of("type Query { \"x\" a: Int } type Mutation { \"x\" makeThing(\"x\" name: String): Boolean }");
        for part in [
            "does not take one `input: MakeThingInput!`",
            "does not return a payload",
        ] {
            assert!(found.contains(part), "{part} not in\n{found}");
        }
    }
}
