//! What changed between two API schemas, and whom it can break.

mod types;

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

/// How bad a change is for a client that was written before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Severity {
    /// A request that was answered is refused, or answered in another shape.
    Breaking,
    /// Requests go on, but a client may meet what it does not know.
    Dangerous,
    /// No client notices.
    Safe,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Dangerous => "dangerous",
            Self::Safe => "safe",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    /// `Product.brand`, `Query.products(first:)`, `ProductSort.TITLE`, `Product`.
    pub(crate) coordinate: String,
    /// What was before and what is now.
    pub(crate) detail: String,
}

impl Change {
    /// As it is named in the file of accepted changes.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.code, self.coordinate)
    }
}

impl Change {
    /// What an operation that meets the change asks for: of what was added and is required, and of members and
    /// implementations, that is what they belong to.
    pub(crate) fn met_at(&self) -> &str {
        let parent = || self.coordinate.rsplit_once(['.', '(']).map(|(parent, _)| parent);
        match self.code {
            "REQUIRED_INPUT_FIELD_ADDED"
            | "REQUIRED_ARGUMENT_ADDED"
            | "UNION_MEMBER_REMOVED"
            | "IMPLEMENTATION_REMOVED" => parent().unwrap_or(&self.coordinate),
            _ => &self.coordinate,
        }
    }
}

/// Collects changes.
#[derive(Debug, Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        coordinate: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.0.push(Change {
            severity,
            code,
            coordinate: coordinate.into(),
            detail: detail.into(),
        });
    }
}

/// All changes from one API schema to the next, the worst first.
pub(crate) fn changes(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut changes = Changes::default();
    let names: BTreeSet<&str> = own(old).chain(own(new)).collect();
    for name in names {
        match (old.types.get(name), new.types.get(name)) {
            (Some(_), None) => changes.add(Severity::Breaking, "TYPE_REMOVED", name, ""),
            (None, Some(_)) => changes.add(Severity::Safe, "TYPE_ADDED", name, ""),
            (Some(old), Some(new)) => types::compare(name, old, new, &mut changes),
            (None, None) => {}
        }
    }
    changes.0.sort();
    changes.0
}

fn own(schema: &Schema) -> impl Iterator<Item = &str> {
    schema
        .types
        .iter()
        .filter(|(_, kind)| !kind.is_built_in())
        .map(|(name, _)| name.as_str())
}

/// For people.
fn kind(of: &ExtendedType) -> &'static str {
    match of {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(old: &str, new: &str) -> Vec<String> {
        let parse = |text: &str| Schema::parse_and_validate(text, "test.graphql").unwrap();
        let changes = changes(&parse(old), &parse(new));
        changes
            .iter()
            .map(|change| format!("{} {}", change.severity.name(), change.name()))
            .collect()
    }

    fn one(old: &str, new: &str) -> String {
        let mut found = found(old, new);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn what_a_client_receives_may_be_tightened_and_not_loosened() {
        assert_eq!(
            one("type Query { a: Int! }", "type Query { a: Int }"),
            "breaking FIELD_TYPE_CHANGED Query.a"
        );
        assert_eq!(
            one("type Query { a: [Int] }", "type Query { a: [Int!]! }"),
            "safe FIELD_TYPE_TIGHTENED Query.a"
        );
        assert_eq!(
            one("type Query { a: Int }", "type Query { a: String }"),
            "breaking FIELD_TYPE_CHANGED Query.a"
        );
        assert_eq!(
            one("type Query { a: Int b: Int }", "type Query { a: Int }"),
            "breaking FIELD_REMOVED Query.b"
        );
        assert_eq!(
            one("type Query { a: Int }", "type Query { a: Int b: Int }"),
            "safe FIELD_ADDED Query.b"
        );
    }

    #[test]
    fn what_a_client_sends_may_be_loosened_and_not_tightened() {
        let query = |arguments: &str| format!("type Query {{ a({arguments}): Int }}");
        let change = |old: &str, new: &str| one(&query(old), &query(new));
        assert_eq!(
            change("x: Int", "x: Int!"),
            "breaking ARGUMENT_TYPE_CHANGED Query.a(x:)"
        );
        assert_eq!(
            change("x: Int!", "x: Int"),
            "safe ARGUMENT_TYPE_LOOSENED Query.a(x:)"
        );
        assert_eq!(
            change("x: Int", "x: Int y: Int"),
            "dangerous ARGUMENT_ADDED Query.a(y:)"
        );
        assert_eq!(
            change("x: Int", "x: Int y: Int!"),
            "breaking REQUIRED_ARGUMENT_ADDED Query.a(y:)"
        );
        assert_eq!(
            change("x: Int", "x: Int y: Int! = 1"),
            "dangerous ARGUMENT_ADDED Query.a(y:)"
        );
        assert_eq!(
            change("x: Int = 1", "x: Int = 2"),
            "dangerous DEFAULT_CHANGED Query.a(x:)"
        );
        assert_eq!(
            change("x: Int! = 1", "x: Int!"),
            "breaking DEFAULT_REMOVED Query.a(x:)"
        );
        assert_eq!(
            change("x: Int y: Int", "x: Int"),
            "breaking ARGUMENT_REMOVED Query.a(y:)"
        );
        let input = |fields: &str| format!("type Query {{ a(i: I): Int }} input I {{ {fields} }}");
        assert_eq!(
            one(&input("x: Int"), &input("x: Int y: Int!")),
            "breaking REQUIRED_INPUT_FIELD_ADDED I.y"
        );
        assert_eq!(
            one(&input("x: Int"), &input("x: Int y: Int")),
            "dangerous INPUT_FIELD_ADDED I.y"
        );
        assert_eq!(
            one(&input("x: Int y: Int"), &input("x: Int")),
            "breaking INPUT_FIELD_REMOVED I.y"
        );
    }

    #[test]
    fn values_members_and_kinds() {
        let values = |values: &str| format!("type Query {{ a: E }} enum E {{ {values} }}");
        assert_eq!(
            one(&values("A"), &values("A B")),
            "dangerous ENUM_VALUE_ADDED E.B"
        );
        assert_eq!(
            one(&values("A B"), &values("A")),
            "breaking ENUM_VALUE_REMOVED E.B"
        );
        let union = |members: &str| {
            format!(
                "type Query {{ a: U b: A c: B }} type A {{ x: Int }} type B {{ x: Int }} union U = {members}"
            )
        };
        assert_eq!(
            one(&union("A"), &union("A | B")),
            "dangerous UNION_MEMBER_ADDED U.B"
        );
        assert_eq!(
            one(&union("A | B"), &union("A")),
            "breaking UNION_MEMBER_REMOVED U.B"
        );
        let implements = |what: &str| {
            format!("type Query {{ a: A i: I }} interface I {{ x: Int }} type A {what} {{ x: Int }}")
        };
        assert_eq!(
            one(&implements("implements I"), &implements("")),
            "breaking IMPLEMENTATION_REMOVED A.I"
        );
        assert_eq!(
            one("type Query { a: A } scalar A", "type Query { a: A } enum A { X }"),
            "breaking KIND_CHANGED A"
        );
        assert_eq!(
            one("type Query { a: Int }", "type Query { a: Int @deprecated }"),
            "safe DEPRECATED Query.a"
        );
    }
}
