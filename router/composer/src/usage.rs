//! What of a schema an operation uses, as coordinates.

use std::collections::BTreeSet;

use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

/// Every coordinate that a document uses: `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`, `Input.field`.
/// Of an input type that comes in a variable, all fields count: nobody knows which will be sent. What the schema does
/// not know is left out.
pub(crate) fn coordinates(schema: &Valid<Schema>, text: &str) -> BTreeSet<String> {
    let document = match ExecutableDocument::parse(schema, text, "operation.graphql") {
        Ok(document) => document,
        Err(error) => error.partial,
    };
    let mut used = Used {
        schema,
        found: BTreeSet::new(),
    };
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            used.whole_type(variable.ty.inner_named_type());
        }
        used.selections(&operation.selection_set);
    }
    for fragment in document.fragments.values() {
        used.selections(&fragment.selection_set);
    }
    used.found
}

struct Used<'s> {
    schema: &'s Schema,
    found: BTreeSet<String>,
}

impl Used<'_> {
    fn selections(&mut self, set: &SelectionSet) {
        self.found.insert(set.ty.to_string());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => self.field(&set.ty, field),
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&mut self, parent: &str, field: &Field) {
        let at = format!("{parent}.{}", field.name);
        for argument in &field.arguments {
            self.found.insert(format!("{at}({}:)", argument.name));
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                self.whole_type(definition.ty.inner_named_type());
            }
        }
        self.found.insert(at);
        self.whole_type(field.ty().inner_named_type());
        self.selections(&field.selection_set);
    }

    /// An enum with all its values, an input with all its fields; of an object only its name.
    fn whole_type(&mut self, name: &str) {
        let known = !self.found.insert(name.to_owned());
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(values)) => {
                self.found
                    .extend(values.values.keys().map(|value| format!("{name}.{value}")));
            }
            Some(ExtendedType::InputObject(input)) if !known => {
                for (field, definition) in &input.fields {
                    self.found.insert(format!("{name}.{field}"));
                    self.whole_type(definition.ty.inner_named_type());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_arguments_values_and_inputs() {
        let schema = Schema::parse_and_validate(
            "type Query { things(first: Int, filter: Filter): [Thing] }
            type Thing { id: ID kind: Kind name: String }
            enum Kind { A B } input Filter { kind: Kind deep: Deep } input Deep { x: Int }",
            "test.graphql",
        )
        .unwrap();
        let used = coordinates(
            &schema,
            "query Q($f: Filter) { things(filter: $f) { ...P unknown } } fragment P on Thing { id kind }",
        );
        for coordinate in [
            "Query.things",
            "Query.things(filter:)",
            "Thing.id",
            "Kind.B",
            "Filter.deep",
            "Deep.x",
            "Thing",
        ] {
            assert!(used.contains(coordinate), "{coordinate} not in {used:?}");
        }
        for coordinate in ["Thing.name", "Query.things(first:)", "Thing.unknown"] {
            assert!(!used.contains(coordinate), "{coordinate} in {used:?}");
        }
    }
}
