//! Two versions of one type, compared.

use apollo_compiler::ast::{DirectiveList, FieldDefinition, InputValueDefinition, Type, Value};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{Component, ComponentName, EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Name, Node};

use super::Severity::{Breaking, Dangerous, Safe};
use super::{Changes, kind};

pub(super) fn compare(name: &str, old: &ExtendedType, new: &ExtendedType, changes: &mut Changes) {
    match (old, new) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        (ExtendedType::Object(old), ExtendedType::Object(new)) => {
            implementations(
                name,
                &old.implements_interfaces,
                &new.implements_interfaces,
                changes,
            );
            fields(name, &listed(&old.fields), &listed(&new.fields), changes);
        }
        (ExtendedType::Interface(old), ExtendedType::Interface(new)) => {
            implementations(
                name,
                &old.implements_interfaces,
                &new.implements_interfaces,
                changes,
            );
            fields(name, &listed(&old.fields), &listed(&new.fields), changes);
        }
        (ExtendedType::Union(old), ExtendedType::Union(new)) => {
            for member in old.members.difference(&new.members) {
                changes.add(Breaking, "UNION_MEMBER_REMOVED", format!("{name}.{member}"), "");
            }
            for member in new.members.difference(&old.members) {
                changes.add(Dangerous, "UNION_MEMBER_ADDED", format!("{name}.{member}"), "");
            }
        }
        (ExtendedType::Enum(old), ExtendedType::Enum(new)) => values(name, old, new, changes),
        (ExtendedType::InputObject(old), ExtendedType::InputObject(new)) => input(name, old, new, changes),
        (old, new) => {
            let detail = format!("{} before, {} now", kind(old), kind(new));
            changes.add(Breaking, "KIND_CHANGED", name, detail);
        }
    }
}

type Fields<'a> = Vec<&'a FieldDefinition>;

fn listed(fields: &IndexMap<Name, Component<FieldDefinition>>) -> Fields<'_> {
    fields.values().map(|field| &***field).collect()
}

fn implementations(
    name: &str,
    old: &IndexSet<ComponentName>,
    new: &IndexSet<ComponentName>,
    changes: &mut Changes,
) {
    for interface in old.difference(new) {
        changes.add(
            Breaking,
            "IMPLEMENTATION_REMOVED",
            format!("{name}.{interface}"),
            "",
        );
    }
    for interface in new.difference(old) {
        changes.add(
            Dangerous,
            "IMPLEMENTATION_ADDED",
            format!("{name}.{interface}"),
            "",
        );
    }
}

fn fields(name: &str, old: &Fields<'_>, new: &Fields<'_>, changes: &mut Changes) {
    for field in old {
        let at = format!("{name}.{}", field.name);
        match new.iter().find(|other| other.name == field.name) {
            None => changes.add(Breaking, "FIELD_REMOVED", at, ""),
            Some(now) => {
                output(&at, &field.ty, &now.ty, changes);
                deprecation(&at, &field.directives, &now.directives, changes);
                arguments(&at, &field.arguments, &now.arguments, changes);
            }
        }
    }
    for field in new
        .iter()
        .filter(|field| !old.iter().any(|other| other.name == field.name))
    {
        changes.add(
            Safe,
            "FIELD_ADDED",
            format!("{name}.{}", field.name),
            field.ty.to_string(),
        );
    }
}

fn output(at: &str, old: &Type, new: &Type, changes: &mut Changes) {
    if old == new {
        return;
    }
    let detail = format!("{old} before, {new} now");
    if new.is_assignable_to(old) {
        changes.add(Safe, "FIELD_TYPE_TIGHTENED", at, detail);
    } else {
        changes.add(Breaking, "FIELD_TYPE_CHANGED", at, detail);
    }
}

fn deprecation(at: &str, old: &DirectiveList, new: &DirectiveList, changes: &mut Changes) {
    match (old.has("deprecated"), new.has("deprecated")) {
        (false, true) => changes.add(Safe, "DEPRECATED", at, ""),
        (true, false) => changes.add(Safe, "NO_LONGER_DEPRECATED", at, ""),
        _ => {}
    }
}

/// What is said of an argument and of an input field.
struct Codes {
    removed: &'static str,
    added: &'static str,
    required_added: &'static str,
    changed: &'static str,
    loosened: &'static str,
}

const ARGUMENT: Codes = Codes {
    removed: "ARGUMENT_REMOVED",
    added: "ARGUMENT_ADDED",
    required_added: "REQUIRED_ARGUMENT_ADDED",
    changed: "ARGUMENT_TYPE_CHANGED",
    loosened: "ARGUMENT_TYPE_LOOSENED",
};

const INPUT_FIELD: Codes = Codes {
    removed: "INPUT_FIELD_REMOVED",
    added: "INPUT_FIELD_ADDED",
    required_added: "REQUIRED_INPUT_FIELD_ADDED",
    changed: "INPUT_FIELD_TYPE_CHANGED",
    loosened: "INPUT_FIELD_TYPE_LOOSENED",
};

fn arguments(
    at: &str,
    old: &[Node<InputValueDefinition>],
    new: &[Node<InputValueDefinition>],
    changes: &mut Changes,
) {
    let old: Vec<&InputValueDefinition> = old.iter().map(|value| &**value).collect();
    let new: Vec<&InputValueDefinition> = new.iter().map(|value| &**value).collect();
    inputs(&|name| format!("{at}({name}:)"), &old, &new, &ARGUMENT, changes);
}

fn input(name: &str, old: &InputObjectType, new: &InputObjectType, changes: &mut Changes) {
    let old: Vec<&InputValueDefinition> = old.fields.values().map(|value| &***value).collect();
    let new: Vec<&InputValueDefinition> = new.fields.values().map(|value| &***value).collect();
    inputs(
        &|field| format!("{name}.{field}"),
        &old,
        &new,
        &INPUT_FIELD,
        changes,
    );
}

fn inputs(
    at: &dyn Fn(&str) -> String,
    old: &[&InputValueDefinition],
    new: &[&InputValueDefinition],
    codes: &Codes,
    changes: &mut Changes,
) {
    for value in old {
        let at = at(&value.name);
        match new.iter().find(|other| other.name == value.name) {
            None => changes.add(Breaking, codes.removed, at, ""),
            Some(now) => {
                sent(&at, &value.ty, &now.ty, codes, changes);
                default(&at, value, now, changes);
                deprecation(&at, &value.directives, &now.directives, changes);
            }
        }
    }
    for value in new
        .iter()
        .filter(|value| !old.iter().any(|other| other.name == value.name))
    {
        let (severity, code) = if value.is_required() {
            (Breaking, codes.required_added)
        } else {
            (Dangerous, codes.added)
        };
        changes.add(severity, code, at(&value.name), value.ty.to_string());
    }
}

fn sent(at: &str, old: &Type, new: &Type, codes: &Codes, changes: &mut Changes) {
    if old == new {
        return;
    }
    let detail = format!("{old} before, {new} now");
    // What was sent as the old type must still be good for the new one.
    if old.is_assignable_to(new) {
        changes.add(Safe, codes.loosened, at, detail);
    } else {
        changes.add(Breaking, codes.changed, at, detail);
    }
}

fn default(at: &str, old: &InputValueDefinition, new: &InputValueDefinition, changes: &mut Changes) {
    if old.default_value == new.default_value {
        return;
    }
    let shown = |value: &Option<Node<Value>>| value.as_ref().map_or("none".to_owned(), ToString::to_string);
    let detail = format!(
        "{} before, {} now",
        shown(&old.default_value),
        shown(&new.default_value)
    );
    if new.is_required() && !old.is_required() && old.ty.is_non_null() {
        changes.add(Breaking, "DEFAULT_REMOVED", at, detail);
    } else {
        changes.add(Dangerous, "DEFAULT_CHANGED", at, detail);
    }
}

fn values(name: &str, old: &EnumType, new: &EnumType, changes: &mut Changes) {
    for (value, definition) in &old.values {
        let at = format!("{name}.{value}");
        match new.values.get(value) {
            None => changes.add(Breaking, "ENUM_VALUE_REMOVED", at, ""),
            Some(now) => deprecation(&at, &definition.directives, &now.directives, changes),
        }
    }
    for value in new.values.keys().filter(|value| !old.values.contains_key(*value)) {
        changes.add(Dangerous, "ENUM_VALUE_ADDED", format!("{name}.{value}"), "");
    }
}
