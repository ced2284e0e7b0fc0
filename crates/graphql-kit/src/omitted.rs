//! Arguments whose variable was not given count as not given themselves, after section 6.4.1 of the specification: the
//! argument's default applies.
//!
//! async-graphql 7 hands `null` to them instead, which an argument with a default refuses ("expected Int, found null").

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

type Argument = (Positioned<Name>, Positioned<Value>);

/// The document without the variables that were not given and the arguments that they are; nothing if all were given.
///
/// A document of several operations is left as it is: they share fragments, in which a variable of one may be given to
/// another. The gateway sends one operation at a time.
pub(crate) fn without(document: &ExecutableDocument, variables: &Variables) -> Option<ExecutableDocument> {
    let omitted = match &document.operations {
        DocumentOperations::Single(operation) => omitted_of(&operation.node, variables),
        DocumentOperations::Multiple(all) if all.len() == 1 => all
            .values()
            .flat_map(|operation| omitted_of(&operation.node, variables))
            .collect(),
        DocumentOperations::Multiple(_) => return None,
    };
    if omitted.is_empty() {
        return None;
    }
    let mut document = document.clone();
    let operation = match &mut document.operations {
        DocumentOperations::Single(operation) => &mut operation.node,
        DocumentOperations::Multiple(all) => &mut all.values_mut().next()?.node,
    };
    operation
        .variable_definitions
        .retain(|defined| !omitted.contains(&defined.node.name.node));
    directives(&mut operation.directives, &omitted);
    selections(&mut operation.selection_set.node, &omitted);
    for fragment in document.fragments.values_mut() {
        directives(&mut fragment.node.directives, &omitted);
        selections(&mut fragment.node.selection_set.node, &omitted);
    }
    Some(document)
}

/// Variables that may be left out and were; those that may not are left for the refusal.
fn omitted_of(operation: &OperationDefinition, variables: &Variables) -> HashSet<Name> {
    let defined = operation.variable_definitions.iter().map(|defined| &defined.node);
    defined
        .filter(|variable| variable.var_type.node.nullable && variable.default_value.is_none())
        .map(|variable| variable.name.node.clone())
        .filter(|name| !variables.contains_key(name))
        .collect()
}

fn selections(set: &mut SelectionSet, omitted: &HashSet<Name>) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                arguments(&mut field.node.arguments, omitted);
                directives(&mut field.node.directives, omitted);
                selections(&mut field.node.selection_set.node, omitted);
            }
            Selection::InlineFragment(inline) => {
                directives(&mut inline.node.directives, omitted);
                selections(&mut inline.node.selection_set.node, omitted);
            }
            Selection::FragmentSpread(spread) => directives(&mut spread.node.directives, omitted),
        }
    }
}

fn directives(of: &mut [Positioned<Directive>], omitted: &HashSet<Name>) {
    for directive in of {
        arguments(&mut directive.node.arguments, omitted);
    }
}

fn arguments(of: &mut Vec<Argument>, omitted: &HashSet<Name>) {
    of.retain(|(_, value)| !is_omitted(&value.node, omitted));
    for (_, value) in of {
        inside(&mut value.node, omitted);
    }
}

/// Fields of an input object are left out as arguments are; an item of a list has no place to be absent from, and is
/// null.
fn inside(value: &mut Value, omitted: &HashSet<Name>) {
    match value {
        Value::List(items) => {
            for item in items {
                if is_omitted(item, omitted) {
                    *item = Value::Null;
                }
                inside(item, omitted);
            }
        }
        Value::Object(fields) => {
            fields.retain(|_, value| !is_omitted(value, omitted));
            for value in fields.values_mut() {
                inside(value, omitted);
            }
        }
        _ => {}
    }
}

fn is_omitted(value: &Value, omitted: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if omitted.contains(name))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn left(query: &str, variables: serde_json::Value) -> Option<ExecutableDocument> {
        without(&parse_query(query).unwrap(), &Variables::from_json(variables))
    }

    /// The names of the arguments of the first field, and the variables that are still defined.
    fn first(document: &ExecutableDocument) -> (Vec<String>, usize) {
        let DocumentOperations::Single(operation) = &document.operations else {
            panic!("one operation without a name");
        };
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
            panic!("a field");
        };
        let arguments = field.node.arguments.iter();
        let shown = arguments.map(|(name, value)| format!("{}: {}", name.node, value.node));
        (shown.collect(), operation.node.variable_definitions.len())
    }

    #[test]
    fn what_was_given_is_left_alone() {
        for (query, variables) in [
            ("query ($n: Int) { a(n: $n) }", json!({ "n": 1 })),
            ("query ($n: Int) { a(n: $n) }", json!({ "n": null })),
            ("query ($n: Int = 3) { a(n: $n) }", json!({})),
            ("query ($n: Int!) { a(n: $n) }", json!({})),
            ("{ a(n: 1) }", json!({})),
            (
                "query A($n: Int) { a(n: $n) } query B($n: Int!) { a(n: $n) }",
                json!({}),
            ),
        ] {
            assert!(left(query, variables).is_none(), "{query}");
        }
    }

    #[test]
    fn what_was_not_given_is_no_argument() {
        let query = "query ($n: Int, $m: Int) { a(n: $n, o: {p: $n, q: [$n, 1], r: $m}) }";
        let document = left(query, json!({ "m": 2 })).unwrap();
        assert_eq!(first(&document), (vec!["o: {q: [null, 1], r: $m}".to_owned()], 1));
    }

    #[test]
    fn fragments_are_looked_into() {
        let query = "query A($n: Int) { ...f ... on Query { b(n: $n) } } fragment f on Query { a(n: $n) }";
        let document = left(query, json!({})).unwrap();
        assert!(!format!("{document:?}").contains("Variable("), "{document:?}");
    }
}
