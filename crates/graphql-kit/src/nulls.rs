//! Puts the nulls where the GraphQL specification wants them after a field error.
//!
//! async-graphql 7 leaves a failed field out of its object, nullable or not, and makes an object of which every
//! field failed null even where the schema says it never is. Clients would meet missing non-null fields. So a
//! response with errors is mended: a failed nullable field is null, a failed non-null field makes its nearest
//! nullable ancestor null. A response without errors is not looked at.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet, Type,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use async_graphql::{PathSegment, Response, Value};

/// The type of every field of a schema.
pub(crate) struct Types {
    fields: HashMap<String, HashMap<String, Type>>,
}

impl Types {
    /// Reads the types from a schema's SDL.
    pub(crate) fn of_sdl(sdl: &str) -> Self {
        let mut types = HashMap::new();
        match parse_schema(sdl) {
            Err(error) => {
                tracing::error!(%error, "the schema's own SDL can't be read: nulls will not be mended");
            }
            Ok(document) => {
                for definition in document.definitions {
                    let TypeSystemDefinition::Type(definition) = definition else {
                        continue;
                    };
                    let fields = match definition.node.kind {
                        TypeKind::Object(object) => object.fields,
                        TypeKind::Interface(interface) => interface.fields,
                        _ => continue,
                    };
                    let fields = fields
                        .into_iter()
                        .map(|field| (field.node.name.node.to_string(), field.node.ty.node));
                    types.insert(definition.node.name.node.to_string(), fields.collect());
                }
            }
        }
        Self { fields: types }
    }

    fn field(&self, parent: &str, name: &str) -> Option<&Type> {
        self.fields.get(parent)?.get(name)
    }
}

/// What was asked, kept beside an operation that runs.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) query: String,
    pub(crate) operation_name: Option<String>,
    pub(crate) operation_type: OperationType,
}

/// Mends the response to `asked`, if it has errors.
pub(crate) fn mend(types: &Types, asked: &Asked, response: &mut Response) {
    if response.errors.is_empty() {
        return;
    }
    let Ok(document) = parse_query(&asked.query) else {
        return;
    };
    let Some(set) = selection_set(&document, asked.operation_name.as_deref()) else {
        return;
    };
    let walk = Walk {
        types,
        document: &document,
    };
    let root = match asked.operation_type {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let paths: Vec<(&[PathSegment], Vec<bool>)> = response
        .errors
        .iter()
        .map(|error| {
            (
                error.path.as_slice(),
                walk.nullable(root, set, &error.path, &response.data),
            )
        })
        .collect();
    // Nullable ones first: they may bring an object back of which every field failed; a non-null one then decides.
    for (path, nullable) in &paths {
        insert_null(&mut response.data, path, nullable);
    }
    for (path, nullable) in &paths {
        bubble(&mut response.data, path, nullable);
    }
}

fn selection_set<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Option<&'d SelectionSet> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name)?,
        (DocumentOperations::Multiple(all), None) => all.values().next()?,
    };
    Some(&operation.node.selection_set.node)
}

struct Walk<'d> {
    types: &'d Types,
    document: &'d ExecutableDocument,
}

impl<'d> Walk<'d> {
    /// For each position of the path whether null may stand there; shorter where the path leaves the document.
    fn nullable(
        &self,
        root: &'d str,
        set: &'d SelectionSet,
        path: &[PathSegment],
        data: &Value,
    ) -> Vec<bool> {
        let mut nullable = Vec::with_capacity(path.len());
        let (mut parent, mut sets, mut listed) = (root, vec![set], None::<&Type>);
        let mut value = Some(data);
        for segment in path {
            let found = match segment {
                PathSegment::Field(key) => {
                    let typename = value.and_then(typename);
                    let fields = self.fields(parent, &sets, key, typename);
                    sets = fields
                        .iter()
                        .map(|(_, field)| &field.selection_set.node)
                        .collect();
                    fields
                        .first()
                        .and_then(|(parent, field)| self.types.field(parent, &field.name.node))
                }
                PathSegment::Index(_) => match listed.map(|list| &list.base) {
                    Some(BaseType::List(item)) => Some(&**item),
                    _ => None,
                },
            };
            let Some(found) = found else { break };
            nullable.push(found.nullable);
            listed = Some(found);
            parent = name(found);
            value = value.and_then(|value| child(value, segment));
        }
        nullable
    }

    /// The fields of a response key with the types they are asked of. Of several types, the object's own is taken.
    fn fields(
        &self,
        parent: &'d str,
        sets: &[&'d SelectionSet],
        key: &str,
        typename: Option<&str>,
    ) -> Vec<(&'d str, &'d Field)> {
        let mut all = Vec::new();
        for set in sets {
            self.collect(parent, set, key, &mut all);
        }
        if let Some(typename) = typename
            && all.iter().any(|(parent, _)| *parent == typename)
        {
            all.retain(|(parent, _)| *parent == typename);
        }
        all
    }

    fn collect(
        &self,
        parent: &'d str,
        set: &'d SelectionSet,
        key: &str,
        into: &mut Vec<(&'d str, &'d Field)>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.response_key().node == key => {
                    into.push((parent, &field.node));
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.collect(parent, &inline.node.selection_set.node, key, into);
                }
                // Cycles were refused before the document ran.
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let parent = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(parent, &fragment.node.selection_set.node, key, into);
                    }
                }
            }
        }
    }
}

fn name(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => name(item),
    }
}

fn typename(value: &Value) -> Option<&str> {
    match value {
        Value::Object(object) => match object.get("__typename") {
            Some(Value::String(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn child<'v>(value: &'v Value, segment: &PathSegment) -> Option<&'v Value> {
    match (value, segment) {
        (Value::Object(object), PathSegment::Field(key)) => object.get(key.as_str()),
        (Value::List(list), PathSegment::Index(index)) => list.get(*index),
        _ => None,
    }
}

fn child_mut<'v>(value: &'v mut Value, segment: &PathSegment) -> Option<&'v mut Value> {
    match (value, segment) {
        (Value::Object(object), PathSegment::Field(key)) => object.get_mut(key.as_str()),
        (Value::List(list), PathSegment::Index(index)) => list.get_mut(*index),
        _ => None,
    }
}

/// How many segments of the path lead to something that is there.
fn present(data: &Value, path: &[PathSegment]) -> usize {
    let mut value = data;
    for (depth, segment) in path.iter().enumerate() {
        match child(value, segment) {
            Some(next) => value = next,
            None => return depth,
        }
    }
    path.len()
}

/// Writes null for the first missing thing on the path, if null may stand there.
fn insert_null(data: &mut Value, path: &[PathSegment], nullable: &[bool]) {
    let depth = present(data, path);
    let (Some(PathSegment::Field(key)), Some(true)) = (path.get(depth), nullable.get(depth)) else {
        return;
    };
    let Some(parent) = at(data, &path[..depth]) else {
        return;
    };
    if *parent == Value::Null {
        *parent = Value::Object(IndexMap::default());
    }
    if let Value::Object(object) = parent {
        object.insert(async_graphql::Name::new(key), Value::Null);
    }
}

/// Makes null the nearest thing above the first missing one that may be, or all data if there is none.
fn bubble(data: &mut Value, path: &[PathSegment], nullable: &[bool]) {
    let depth = present(data, path);
    // Nothing is missing, or not known what; or an ancestor is null already and may be.
    if depth == path.len() || nullable.get(depth) != Some(&false) {
        return;
    }
    match nullable[..depth].iter().rposition(|nullable| *nullable) {
        None => *data = Value::Null,
        Some(last) => {
            if let Some(value) = at(data, &path[..=last]) {
                *value = Value::Null;
            }
        }
    }
}

fn at<'v>(data: &'v mut Value, path: &[PathSegment]) -> Option<&'v mut Value> {
    path.iter()
        .try_fold(data, |value, segment| child_mut(value, segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::ServerError;
    use serde_json::{Value as Json, json};

    const SDL: &str = "
        type Query { cart: Cart  name: String!  things: [Thing]!  node: Node }
        type Cart { id: ID!  note: String  lines: [Line!]!  owner: Owner! }
        type Line { price: Int!  variant: Cart }
        type Owner { name: String!  nick: String }
        union Thing = Cart | Owner
        interface Node { id: ID! }
    ";

    fn mended(query: &str, data: Json, paths: &[Json]) -> Json {
        let errors = paths.iter().map(|path| {
            let mut error = ServerError::new("no", None);
            error.path = serde_json::from_value(path.clone()).unwrap();
            error
        });
        let mut response = Response::from_errors(errors.collect());
        response.data = Value::from_json(data).unwrap();
        let asked = Asked {
            query: query.to_owned(),
            operation_name: None,
            operation_type: OperationType::Query,
        };
        mend(&Types::of_sdl(SDL), &asked, &mut response);
        response.data.into_json().unwrap()
    }

    #[test]
    fn a_failed_nullable_field_is_null() {
        let data = mended(
            "{ cart { id n: note } }",
            json!({"cart": {"id": "1"}}),
            &[json!(["cart", "n"])],
        );
        assert_eq!(data, json!({"cart": {"id": "1", "n": null}}));
        let data = mended(
            "{ cart { note } }",
            json!({"cart": null}),
            &[json!(["cart", "note"])],
        );
        assert_eq!(
            data,
            json!({"cart": {"note": null}}),
            "an object of which every field failed is still there"
        );
    }

    #[test]
    fn a_failed_non_null_field_takes_its_ancestors_along() {
        let query = "{ cart { id owner { name nick } lines { price } } }";
        let path = json!(["cart", "owner", "name"]);
        let data = mended(
            query,
            json!({"cart": {"id": "1", "owner": {"nick": "n"}}}),
            &[path],
        );
        assert_eq!(data, json!({"cart": null}));
        let lines = json!({"cart": {"id": "1", "lines": [{"price": 1}, null]}});
        assert_eq!(
            mended(query, lines, &[json!(["cart", "lines", 1, "price"])]),
            json!({"cart": null})
        );
        assert_eq!(
            mended(
                "{ cart { id } name }",
                json!({"cart": {"id": "1"}}),
                &[json!(["name"])]
            ),
            json!(null)
        );
    }

    #[test]
    fn a_non_null_failure_decides_over_a_nullable_one() {
        let query = "{ cart { id note } }";
        for paths in [
            [json!(["cart", "id"]), json!(["cart", "note"])],
            [json!(["cart", "note"]), json!(["cart", "id"])],
        ] {
            assert_eq!(
                mended(query, json!({"cart": null}), &paths),
                json!({"cart": null})
            );
        }
    }

    #[test]
    fn fragments_and_unions_are_followed() {
        let query =
            "{ things { __typename ...c ... on Owner { name nick } } } fragment c on Cart { id note }";
        let data =
            json!({"things": [{"__typename": "Owner", "nick": "n"}, {"__typename": "Cart", "id": "1"}]});
        let paths = [json!(["things", 0, "name"]), json!(["things", 1, "note"])];
        let want = json!({"things": [null, {"__typename": "Cart", "id": "1", "note": null}]});
        assert_eq!(mended(query, data, &paths), want);
    }

    #[test]
    fn a_failed_root_is_told_apart_by_its_type() {
        assert_eq!(
            mended("{ cart { id } }", json!(null), &[json!(["cart"])]),
            json!({"cart": null})
        );
        assert_eq!(mended("{ name }", json!(null), &[json!(["name"])]), json!(null));
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        let data = json!({"cart": {"id": "1"}});
        for path in [
            json!([]),
            json!(["nothing"]),
            json!(["cart", 3]),
            json!(["cart", "id"]),
        ] {
            assert_eq!(mended("{ cart { id } }", data.clone(), &[path]), data);
        }
    }
}
