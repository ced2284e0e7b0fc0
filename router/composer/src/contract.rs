//! The public contract, made as Apollo's contracts are: what is tagged `internal` becomes `@inaccessible`, and with it
//! every type that is emptied by that or that no public field leads to any more. The router then neither shows nor
//! accepts it, and still plans through it where a subgraph requires it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveList, Document, FieldDefinition, InputValueDefinition,
};

/// The tag of what is for staff alone.
pub(crate) const TAG: &str = "internal";

/// What a supergraph must say to use `@inaccessible`, and one use of it.
const MACHINERY: &str = r#"
schema @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) { query: Query }
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
scalar Marked @inaccessible
"#;

/// Marks in a supergraph what the public must not see.
pub(crate) fn hide(supergraph: &str) -> Result<String> {
    let mut document = parse(supergraph)?;
    let machinery = parse(MACHINERY)?;
    let [
        Definition::SchemaDefinition(links),
        directive,
        Definition::ScalarTypeDefinition(marked),
    ] = machinery.definitions.as_slice()
    else {
        return Err(anyhow!("the machinery of @inaccessible is not as it was written"));
    };
    let mark = &marked.directives.0[0];
    for definition in &mut document.definitions {
        each_part(definition, &mut |part| {
            if is_tagged(part) {
                add(part, mark);
            }
        });
    }
    // Hiding a type can empty another one that held nothing else.
    loop {
        let hidden = hidden_types(&document);
        let more: BTreeSet<String> = document
            .definitions
            .iter()
            .filter(|definition| is_empty(definition, &hidden))
            .filter_map(own_type)
            .filter(|name| !hidden.contains(name))
            .collect();
        if more.is_empty() {
            break;
        }
        mark_types(&mut document, &more, mark);
    }
    let orphans = unreachable_types(&document);
    mark_types(&mut document, &orphans, mark);
    if !document.definitions.contains(directive) {
        document.definitions.insert(1, directive.clone());
        if let Some(Definition::SchemaDefinition(schema)) = document.definitions.first_mut() {
            let links = links.directives.0.iter().cloned();
            schema.make_mut().directives.0.extend(links);
        }
    }
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<Document> {
    Document::parse(text, "supergraph.graphql").map_err(|error| anyhow!("{}", error.errors))
}

/// Coordinates of everything that bears the tag.
pub(crate) fn tagged(supergraph: &str) -> Vec<String> {
    let document = Document::parse(supergraph, "supergraph.graphql").unwrap_or_else(|error| error.partial);
    let mut found = Vec::new();
    for definition in document.definitions {
        let Some(name) = own_type(&definition) else {
            continue;
        };
        if is_tagged(definition.directives()) {
            found.push(name.clone());
        }
        let mut add = |at: String, directives: &DirectiveList| {
            if is_tagged(directives) {
                found.push(at);
            }
        };
        let (fields, inputs, values): (&[_], &[_], &[_]) = match &definition {
            Definition::ObjectTypeDefinition(object) => (&object.fields, &[], &[]),
            Definition::InterfaceTypeDefinition(interface) => (&interface.fields, &[], &[]),
            Definition::InputObjectTypeDefinition(input) => (&[], &input.fields, &[]),
            Definition::EnumTypeDefinition(values) => (&[], &[], &values.values),
            _ => continue,
        };
        for field in fields {
            let at = format!("{name}.{}", field.name);
            for argument in &field.arguments {
                add(format!("{at}({}:)", argument.name), &argument.directives);
            }
            add(at, &field.directives);
        }
        for field in inputs {
            add(format!("{name}.{}", field.name), &field.directives);
        }
        for value in values {
            add(format!("{name}.{}", value.value), &value.directives);
        }
    }
    found
}

/// Whether something bears the tag.
fn is_tagged(directives: &DirectiveList) -> bool {
    directives.get_all("tag").any(|tag| {
        tag.specified_argument_by_name("name")
            .and_then(|name| name.as_str())
            == Some(TAG)
    })
}

fn is_hidden(directives: &DirectiveList) -> bool {
    directives.has("inaccessible")
}

fn add(directives: &mut DirectiveList, mark: &Node<Directive>) {
    if !is_hidden(directives) {
        directives.push(mark.clone());
    }
}

/// Calls back with the directives of a definition, its fields, their arguments and its values.
fn each_part(definition: &mut Definition, visit: &mut dyn FnMut(&mut DirectiveList)) {
    let fields = |fields: &mut Vec<Node<FieldDefinition>>, visit: &mut dyn FnMut(&mut DirectiveList)| {
        for field in fields {
            let field = field.make_mut();
            visit(&mut field.directives);
            for argument in &mut field.arguments {
                visit(&mut argument.make_mut().directives);
            }
        }
    };
    match definition {
        Definition::ObjectTypeDefinition(object) => {
            let object = object.make_mut();
            visit(&mut object.directives);
            fields(&mut object.fields, visit);
        }
        Definition::InterfaceTypeDefinition(interface) => {
            let interface = interface.make_mut();
            visit(&mut interface.directives);
            fields(&mut interface.fields, visit);
        }
        Definition::InputObjectTypeDefinition(input) => {
            let input = input.make_mut();
            visit(&mut input.directives);
            for field in &mut input.fields {
                visit(&mut field.make_mut().directives);
            }
        }
        Definition::EnumTypeDefinition(values) => {
            let values = values.make_mut();
            visit(&mut values.directives);
            for value in &mut values.values {
                visit(&mut value.make_mut().directives);
            }
        }
        Definition::UnionTypeDefinition(union) => visit(&mut union.make_mut().directives),
        Definition::ScalarTypeDefinition(scalar) => visit(&mut scalar.make_mut().directives),
        _ => {}
    }
}

fn mark_types(document: &mut Document, names: &BTreeSet<String>, mark: &Node<Directive>) {
    for definition in &mut document.definitions {
        if own_type(definition).is_some_and(|name| names.contains(&name)) {
            let mut first = true;
            each_part(definition, &mut |part| {
                if std::mem::take(&mut first) {
                    add(part, mark);
                }
            });
        }
    }
}

/// The name of a type that subgraphs defined, and not the machinery of composition.
fn own_type(definition: &Definition) -> Option<String> {
    let is_type = !matches!(
        definition,
        Definition::DirectiveDefinition(_) | Definition::SchemaDefinition(_)
    );
    let name = definition.name().filter(|_| is_type)?;
    (!name.contains("__")).then(|| name.to_string())
}

fn hidden_types(document: &Document) -> BTreeSet<String> {
    let hidden = document
        .definitions
        .iter()
        .filter(|definition| is_hidden(definition.directives()));
    hidden.filter_map(own_type).collect()
}

/// Whether nothing of a type is left to see.
fn is_empty(definition: &Definition, hidden: &BTreeSet<String>) -> bool {
    match definition {
        Definition::ObjectTypeDefinition(object) => {
            object.fields.iter().all(|field| is_hidden(&field.directives))
        }
        Definition::InterfaceTypeDefinition(interface) => {
            interface.fields.iter().all(|field| is_hidden(&field.directives))
        }
        Definition::InputObjectTypeDefinition(input) => {
            input.fields.iter().all(|field| is_hidden(&field.directives))
        }
        Definition::EnumTypeDefinition(values) => {
            values.values.iter().all(|value| is_hidden(&value.directives))
        }
        Definition::UnionTypeDefinition(union) => union
            .members
            .iter()
            .all(|member| hidden.contains(member.as_str())),
        _ => false,
    }
}

/// Types that the public can neither get nor send.
fn unreachable_types(document: &Document) -> BTreeSet<String> {
    let definitions: BTreeMap<String, &Definition> = document
        .definitions
        .iter()
        .filter_map(|definition| Some((own_type(definition)?, definition)))
        .collect();
    let mut reached = BTreeSet::new();
    let mut todo: Vec<String> = ["Query", "Mutation", "Subscription"].map(str::to_owned).to_vec();
    while let Some(name) = todo.pop() {
        let Some(definition) = definitions.get(&name) else {
            continue;
        };
        if !reached.insert(name.clone()) {
            continue;
        }
        todo.extend(leads_to(definition));
        if matches!(definition, Definition::InterfaceTypeDefinition(_)) {
            let implementing = definitions
                .iter()
                .filter(|(_, other)| implements(other).contains(&name));
            // What implements it is public only if it is not hidden itself.
            todo.extend(
                implementing
                    .filter(|(_, other)| !is_hidden(other.directives()))
                    .map(|(name, _)| name.clone()),
            );
        }
    }
    definitions
        .into_keys()
        .filter(|name| !reached.contains(name))
        .collect()
}

fn implements(definition: &Definition) -> Vec<String> {
    let names = match definition {
        Definition::ObjectTypeDefinition(object) => &object.implements_interfaces,
        Definition::InterfaceTypeDefinition(interface) => &interface.implements_interfaces,
        _ => return Vec::new(),
    };
    names.iter().map(ToString::to_string).collect()
}

fn leads_to(definition: &Definition) -> Vec<String> {
    let of_field = |field: &Node<FieldDefinition>| {
        let arguments = field
            .arguments
            .iter()
            .filter(|argument| !is_hidden(&argument.directives));
        let mut names: Vec<String> = arguments.map(type_of).collect();
        names.push(field.ty.inner_named_type().to_string());
        names
    };
    let visible = |field: &&Node<FieldDefinition>| !is_hidden(&field.directives);
    let mut names = implements(definition);
    match definition {
        Definition::ObjectTypeDefinition(object) => {
            names.extend(object.fields.iter().filter(visible).flat_map(of_field));
        }
        Definition::InterfaceTypeDefinition(interface) => {
            names.extend(interface.fields.iter().filter(visible).flat_map(of_field));
        }
        Definition::InputObjectTypeDefinition(input) => {
            let fields = input.fields.iter().filter(|field| !is_hidden(&field.directives));
            names.extend(fields.map(type_of));
        }
        Definition::UnionTypeDefinition(union) => names.extend(union.members.iter().map(ToString::to_string)),
        _ => {}
    }
    names
}

fn type_of(value: &Node<InputValueDefinition>) -> String {
    value.ty.inner_named_type().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_is_tagged_emptied_or_out_of_reach() {
        let public = hide(
            r#"schema { query: Query }
            directive @tag(name: String!) repeatable on FIELD_DEFINITION
            type Query { open(by: Sort, secret: Secret @tag(name: "internal")): Thing  closed: Box @tag(name: "internal") }
            type Thing { id: ID!  price: Int @tag(name: "internal") }
            type Box { thing: Only }
            type Only { x: Int @tag(name: "internal") }
            input Secret { a: Money }
            input Money { amount: Int }
            enum Sort { A  B @tag(name: "internal")  C @tag(name: "partner") }"#,
        )
        .unwrap();
        let document = parse(&public).unwrap();
        let hidden = hidden_types(&document);
        assert_eq!(
            hidden.into_iter().collect::<Vec<_>>(),
            ["Box", "Money", "Only", "Secret"]
        );
        for part in [
            "price: Int @tag(name: \"internal\") @inaccessible",
            "B @tag(name: \"internal\") @inaccessible",
        ] {
            assert!(public.contains(part), "{public}");
        }
        assert!(public.contains("C @tag(name: \"partner\")\n"), "{public}");
        assert!(public.contains("specs.apollo.dev/inaccessible/v0.2"), "{public}");
    }
}
