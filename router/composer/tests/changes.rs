//! Deliberate changes of this repository's graph, each with the verdict it must get: `changes/*.yaml`.

use std::path::Path;

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Document};
use composer::check::{self, Base, Options};
use composer::{State, Tree, graph};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the change is, for people.
    why: String,
    edits: Vec<Edit>,
    /// Whether the files that are made from the SDLs stay as they were.
    #[serde(default)]
    forgets_to_compose: bool,
    /// Titles of the steps that must fail, and no others.
    fails: Vec<String>,
    /// What the report must say.
    says: Vec<String>,
    /// What it must not say.
    #[serde(default)]
    never: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Coordinates to take out of an SDL: `Product.brand`, `Query.products(first:)`, `Product`.
    #[serde(default)]
    remove: Vec<String>,
    /// Text to replace, and what with.
    #[serde(default)]
    replace: Vec<[String; 2]>,
    /// Text to add at the end.
    #[serde(default)]
    append: String,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn judge(name: &str, base: &Base) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/changes")
        .join(name);
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let case: Case = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
    let mut tree = Tree::new(root());
    for edit in &case.edits {
        apply(&mut tree, edit)?;
    }
    if !case.forgets_to_compose
        && let Ok(composed) = graph::composed(&tree)
    {
        for (file, text) in composed.files().unwrap_or_default() {
            tree.put(file, text);
        }
    }
    let report = check::run(&tree, Some(base), &Options::default()).map_err(|error| format!("{error:#}"))?;
    let text = report.to_string();
    let failed: Vec<&str> = report
        .steps
        .iter()
        .filter(|step| step.state == State::Failed)
        .map(|step| step.title)
        .collect();
    if failed != case.fails {
        return Err(format!(
            "{}\nfailed: {failed:?}, wanted: {:?}\n{text}",
            case.why, case.fails
        ));
    }
    if let Some(missing) = case.says.iter().find(|part| !text.contains(*part)) {
        return Err(format!(
            "{}\nthe report does not say {missing:?}:\n{text}",
            case.why
        ));
    }
    match case.never.iter().find(|part| text.contains(*part)) {
        Some(wrong) => Err(format!("{}\nthe report says {wrong:?}:\n{text}", case.why)),
        None => Ok(()),
    }
}

fn apply(tree: &mut Tree, edit: &Edit) -> Result<(), String> {
    let mut text = tree.read_if_any(&edit.file);
    for coordinate in &edit.remove {
        text = removed(&text, coordinate)?;
    }
    for [from, to] in &edit.replace {
        if !text.contains(from) {
            return Err(format!("{} has no {from:?}", edit.file));
        }
        text = text.replace(from, to);
    }
    text.push_str(&edit.append);
    tree.put(&edit.file, text);
    Ok(())
}

/// The SDL without one element.
fn removed(sdl: &str, coordinate: &str) -> Result<String, String> {
    let mut document = Document::parse(sdl, "schema.graphql").map_err(|error| error.errors.to_string())?;
    let (path, argument) = match coordinate.split_once('(') {
        Some((path, rest)) => (path, Some(rest.trim_end_matches(":)"))),
        None => (coordinate, None),
    };
    let before = document.to_string();
    match path.split_once('.') {
        None => document
            .definitions
            .retain(|definition| definition.name().is_none_or(|name| name != path)),
        Some((name, member)) => {
            let own = document
                .definitions
                .iter_mut()
                .filter(|definition| definition.name().is_some_and(|found| found == name));
            own.for_each(|definition| remove_member(definition, member, argument));
        }
    }
    let after = document.to_string();
    if after == before {
        return Err(format!("there is no {coordinate} to remove"));
    }
    Ok(after)
}

fn remove_member(definition: &mut Definition, member: &str, argument: Option<&str>) {
    match definition {
        Definition::ObjectTypeDefinition(object) => {
            let fields = &mut object.make_mut().fields;
            match argument {
                None => fields.retain(|field| field.name != member),
                Some(argument) => {
                    for field in fields.iter_mut().filter(|field| field.name == member) {
                        Node::make_mut(field)
                            .arguments
                            .retain(|found| found.name != argument);
                    }
                }
            }
        }
        Definition::InputObjectTypeDefinition(input) => {
            input.make_mut().fields.retain(|field| field.name != member);
        }
        Definition::EnumTypeDefinition(values) => {
            values.make_mut().values.retain(|value| value.value != member);
        }
        _ => {}
    }
}

#[test]
fn every_deliberate_change_gets_its_verdict() {
    let base = Base::new("this checkout", Tree::new(root()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changes");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    let mut wrong = Vec::new();
    for name in &names {
        match judge(name, &base) {
            Ok(()) => println!("as expected: {name}"),
            Err(error) => wrong.push(format!("=== {name}\n{error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compared with itself, the graph of this checkout has nothing to complain about but what a test may not demand:
/// whether its snapshots are fresh is the check's own business.
#[test]
fn nothing_changed_is_no_change() {
    let base = Base::new("this checkout", Tree::new(root()));
    let report = check::run(&Tree::new(root()), Some(&base), &Options::default()).unwrap();
    let changes = report.steps.iter().find(|step| step.title == "changes").unwrap();
    assert_eq!(changes.state, State::Ok, "{report}");
    assert_eq!(changes.summary, "0 breaking, 0 dangerous, 0 safe");
}
