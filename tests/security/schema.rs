//! The supergraph as a list of fields, read from the file that the staff's router serves.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use async_graphql_parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};

use crate::world::root;

/// One field of an object type.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) parent: String,
    pub(crate) name: String,
    /// The type it yields, without lists and non-nulls.
    pub(crate) yields: String,
    pub(crate) arguments: Vec<Input>,
    /// The subgraphs that resolve it; none means every one that knows the type.
    pub(crate) graphs: Vec<String>,
}

/// An argument, or a field of an input type.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) is_list: bool,
    pub(crate) is_required: bool,
}

/// Object types, input types and enums.
pub(crate) struct Supergraph {
    pub(crate) fields: Vec<Field>,
    pub(crate) inputs: BTreeMap<String, Vec<Input>>,
    pub(crate) enums: BTreeMap<String, Vec<String>>,
}

impl Field {
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.parent, self.name)
    }
}

impl Supergraph {
    pub(crate) fn read() -> Result<Self> {
        let text = std::fs::read_to_string(root().join("router/supergraph.graphql"))?;
        let document = async_graphql_parser::parse_schema(text).context("the supergraph")?;
        let mut graph = Self {
            fields: Vec::new(),
            inputs: BTreeMap::new(),
            enums: BTreeMap::new(),
        };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            // What joins the subgraphs is no part of the API.
            if name.contains("__") {
                continue;
            }
            match definition.node.kind {
                TypeKind::Object(object) => {
                    graph
                        .fields
                        .extend(object.fields.iter().map(|field| of_field(&name, &field.node)));
                }
                TypeKind::InputObject(object) => {
                    let fields = object.fields.iter().map(|field| of_input(&field.node)).collect();
                    graph.inputs.insert(name, fields);
                }
                TypeKind::Enum(values) => {
                    let values = values
                        .values
                        .iter()
                        .map(|value| value.node.value.node.to_string());
                    graph.enums.insert(name, values.collect());
                }
                _ => {}
            }
        }
        Ok(graph)
    }

    pub(crate) fn of_type<'g>(&'g self, parent: &'g str) -> impl Iterator<Item = &'g Field> {
        self.fields.iter().filter(move |field| field.parent == parent)
    }

    /// Selects something of a type: its plain fields, and those of what it holds, to a depth.
    pub(crate) fn selection(&self, kind: &str, depth: usize) -> String {
        let mut out = String::new();
        for field in self.of_type(kind) {
            let plain = self.of_type(&field.yields).next().is_none();
            if field.arguments.iter().any(|argument| argument.is_required) {
                continue;
            }
            if plain {
                out.push_str(&field.name);
                out.push(' ');
            } else if depth > 0 {
                let inner = self.selection(&field.yields, depth - 1);
                if !inner.is_empty() {
                    out.extend([field.name.as_str(), " { ", &inner, "} "]);
                }
            }
        }
        if out.is_empty() { String::new() } else { out }
    }
}

fn of_field(parent: &str, field: &FieldDefinition) -> Field {
    Field {
        parent: parent.to_owned(),
        name: field.name.node.to_string(),
        yields: bare(&field.ty.node).0,
        arguments: field
            .arguments
            .iter()
            .map(|argument| of_input(&argument.node))
            .collect(),
        graphs: graphs(field),
    }
}

/// Where a field is joined from, but for those that only know it from elsewhere.
fn graphs(field: &FieldDefinition) -> Vec<String> {
    let joins = field
        .directives
        .iter()
        .filter(|directive| directive.node.name.node == "join__field");
    joins
        .filter(|join| join.node.get_argument("external").is_none())
        .filter_map(|join| Some(join.node.get_argument("graph")?.node.to_string().to_lowercase()))
        .collect()
}

fn of_input(input: &InputValueDefinition) -> Input {
    let (kind, is_list) = bare(&input.ty.node);
    Input {
        name: input.name.node.to_string(),
        kind,
        is_list,
        is_required: !input.ty.node.nullable && input.default_value.is_none(),
    }
}

fn bare(kind: &Type) -> (String, bool) {
    match &kind.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(inner) => (bare(inner).0, true),
    }
}
