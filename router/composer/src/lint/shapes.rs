//! Lists are connections; mutations take one input and answer a payload with user errors.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{ExtendedType, ObjectType};

use super::Findings;

pub(super) fn check(api: &Schema, findings: &mut Findings) {
    for (name, kind) in &api.types {
        let ExtendedType::Object(object) = kind else {
            continue;
        };
        if name.starts_with("__") {
            continue;
        }
        if let Some(item) = name.strip_suffix("Connection") {
            connection(item, object, findings);
        } else if let Some(item) = name.strip_suffix("Edge") {
            field(object, "cursor", &["String!".to_owned()], findings);
            field(object, "node", &[format!("{item}!")], findings);
        } else if name.ends_with("UserError") {
            let implements = object
                .implements_interfaces
                .iter()
                .any(|name| name.as_str() == "UserError");
            findings.require(implements, "shapes", name, "does not implement UserError");
            let code = object.fields.get("code").map(|field| field.ty.inner_named_type());
            let is_enum = code.is_some_and(|name| api.get_enum(name).is_some());
            findings.require(is_enum, "shapes", name, "has no code from an enum");
        }
        for list in object.fields.values() {
            let is_connection = list.ty.inner_named_type().ends_with("Connection");
            if is_connection {
                paged(name, list, findings);
            }
        }
    }
    if let Some(mutation) = api.get_object("Mutation") {
        for change in mutation.fields.values() {
            self::mutation(api, change, findings);
        }
    }
}

fn connection(item: &str, object: &ObjectType, findings: &mut Findings) {
    field(object, "edges", &[format!("[{item}Edge!]!")], findings);
    field(object, "nodes", &[format!("[{item}!]!")], findings);
    field(object, "pageInfo", &["PageInfo!".to_owned()], findings);
}

fn field(object: &ObjectType, wanted: &str, types: &[String], findings: &mut Findings) {
    match object.fields.get(wanted) {
        None => findings.add("shapes", &object.name, &format!("has no {wanted}")),
        Some(found) => {
            let is = types.contains(&found.ty.to_string());
            let at = format!("{}.{wanted}", object.name);
            findings.require(is, "shapes", &at, &format!("is not {}", types.join(" or ")));
        }
    }
}

fn paged(parent: &str, list: &FieldDefinition, findings: &mut Findings) {
    let at = format!("{parent}.{}", list.name);
    for (argument, of) in [("first", "Int!"), ("after", "String")] {
        match list.argument_by_name(argument) {
            None => findings.add("shapes", &at, &format!("has no {argument}")),
            Some(found) => {
                let is = found.ty.to_string() == of;
                findings.require(
                    is,
                    "shapes",
                    &format!("{at}({argument}:)"),
                    &format!("is not {of}"),
                );
            }
        }
    }
}

fn mutation(api: &Schema, change: &FieldDefinition, findings: &mut Findings) {
    let at = format!("Mutation.{}", change.name);
    let wanted = format!("{}Input!", pascal(&change.name));
    let takes =
        matches!(change.arguments.as_slice(), [one] if one.name == "input" && one.ty.to_string() == wanted);
    findings.require(
        takes,
        "shapes",
        &at,
        &format!("does not take one `input: {wanted}`"),
    );
    let payload = change.ty.inner_named_type();
    let is_payload = payload.ends_with("Payload") && change.ty.is_non_null();
    findings.require(
        is_payload,
        "shapes",
        &at,
        "does not return a payload that is always there",
    );
    let errors = api
        .get_object(payload)
        .and_then(|payload| payload.fields.get("userErrors"));
    let has_errors = errors.is_some_and(|errors| {
        let of = errors.ty.to_string();
        of.starts_with('[') && of.ends_with("UserError!]!")
    });
    findings.require(
        !is_payload || has_errors,
        "shapes",
        &at,
        "has a payload without userErrors",
    );
}

fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
