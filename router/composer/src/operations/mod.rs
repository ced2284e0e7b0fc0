//! Recorded operations: every document that a known client sends, from the files its program is built from.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use apollo_compiler::ast::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
};
use apollo_compiler::{Name, Node, name};
use serde::Deserialize;

use crate::graph::Variant;
use crate::tree::Tree;

/// Where the clients are listed.
pub(crate) const FILE: &str = "router/clients.yaml";

#[derive(Debug, Deserialize)]
struct List {
    clients: Vec<Client>,
}

/// A program that asks the graph, or a page of documentation.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Client {
    pub(crate) name: String,
    /// Which graph it is served by.
    pub(crate) graph: Variant,
    /// Its documents: `folder/*.graphql`, Markdown with blocks of `graphql`, or Rust with operations in its strings.
    files: Vec<String>,
    /// Whether a manifest of its operations is made, for safelisting.
    #[serde(default)]
    pub(crate) manifest: bool,
    /// Whether it asks for `__typename` everywhere, as Apollo Client does without being told.
    #[serde(default)]
    typenames: bool,
}

/// One operation with the fragments it needs.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) client: String,
    pub(crate) graph: Variant,
    pub(crate) name: String,
    pub(crate) kind: OperationType,
    pub(crate) file: String,
    /// The document as the client sends it.
    pub(crate) text: String,
    /// Whether its plan is committed; what stands within a program's source has no lasting name.
    pub(crate) has_plan: bool,
}

impl Recorded {
    /// How reports name it.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.client, self.name)
    }
}

/// Everything recorded, and what can't be read.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) clients: Vec<Client>,
    pub(crate) operations: Vec<Recorded>,
    pub(crate) problems: Vec<String>,
}

/// Reads all clients' operations.
pub(crate) fn read(tree: &Tree) -> Result<Recording> {
    let list: List =
        serde_saphyr::from_str(&tree.read(FILE)?).with_context(|| format!("{FILE} can't be read"))?;
    let mut recording = Recording::default();
    for client in &list.clients {
        collect(tree, client, &mut recording);
    }
    recording.clients = list.clients;
    Ok(recording)
}

type Fragments = BTreeMap<String, Node<FragmentDefinition>>;

fn collect(tree: &Tree, client: &Client, recording: &mut Recording) {
    let mut operations: Vec<(String, Node<OperationDefinition>)> = Vec::new();
    let mut fragments = Fragments::new();
    for pattern in &client.files {
        let files = tree.matching(pattern);
        if files.is_empty() {
            recording
                .problems
                .push(format!("{}: no file is named {pattern}", client.name));
        }
        for file in files {
            match documents(tree, &file) {
                Ok(documents) => {
                    for document in documents {
                        sort_in(
                            &file,
                            document,
                            &mut operations,
                            &mut fragments,
                            &mut recording.problems,
                        );
                    }
                }
                Err(error) => recording.problems.push(format!("{file}: {error:#}")),
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut nameless = 0;
    for (file, mut operation) in operations {
        let is_source = sources::is_rust(&file);
        if operation.name.is_none() && is_source {
            nameless += 1;
            operation.make_mut().name = Name::new(&format!("Nameless{nameless}")).ok();
        }
        let Some(name) = operation.name.clone() else {
            let problem = format!("{file}: an operation has no name: give it one");
            recording.problems.push(problem);
            continue;
        };
        if !is_source && !seen.insert(name.clone()) {
            let problem = format!("{file}: {} has two operations called {name}", client.name);
            recording.problems.push(problem);
        }
        recording.operations.push(Recorded {
            client: client.name.clone(),
            graph: client.graph,
            name: name.to_string(),
            kind: operation.operation_type,
            file,
            text: whole(operation, &fragments, client.typenames),
            has_plan: !is_source,
        });
    }
}

fn documents(tree: &Tree, file: &str) -> Result<Vec<Document>> {
    let texts = sources::documents(file, tree.read(file)?);
    texts
        .iter()
        .map(|text| Document::parse(text, file).map_err(|error| anyhow!("{}", error.errors)))
        .collect()
}

fn sort_in(
    file: &str,
    document: Document,
    operations: &mut Vec<(String, Node<OperationDefinition>)>,
    fragments: &mut Fragments,
    problems: &mut Vec<String>,
) {
    for definition in document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => operations.push((file.to_owned(), operation)),
            Definition::FragmentDefinition(fragment) => {
                let name = fragment.name.to_string();
                let before = fragments.insert(name.clone(), fragment.clone());
                if before.is_some_and(|before| before != fragment) {
                    problems.push(format!("{file}: there is another fragment called {name}"));
                }
            }
            _ => problems.push(format!("{file}: something that is no operation and no fragment")),
        }
    }
}

/// The operation and, in the order of their names, the fragments it spreads, directly or not.
fn whole(operation: Node<OperationDefinition>, fragments: &Fragments, typenames: bool) -> String {
    let mut names = BTreeSet::new();
    spreads(&operation.selection_set, fragments, &mut names);
    let mut document = Document::new();
    document
        .definitions
        .push(Definition::OperationDefinition(operation));
    let needed = names.iter().filter_map(|name| fragments.get(name));
    document
        .definitions
        .extend(needed.cloned().map(Definition::FragmentDefinition));
    if typenames {
        document.definitions.iter_mut().for_each(add_typenames);
    }
    document.to_string()
}

fn spreads(selections: &[Selection], fragments: &Fragments, names: &mut BTreeSet<String>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => spreads(&field.selection_set, fragments, names),
            Selection::InlineFragment(inline) => spreads(&inline.selection_set, fragments, names),
            Selection::FragmentSpread(spread) => {
                let name = spread.fragment_name.to_string();
                if let Some(fragment) = fragments.get(&name)
                    && names.insert(name)
                {
                    spreads(&fragment.selection_set, fragments, names);
                }
            }
        }
    }
}

fn add_typenames(definition: &mut Definition) {
    match definition {
        // The root's own type is known.
        Definition::OperationDefinition(operation) => inside(&mut operation.make_mut().selection_set),
        Definition::FragmentDefinition(fragment) => {
            let fragment = fragment.make_mut();
            inside(&mut fragment.selection_set);
            ask_typename(&mut fragment.selection_set);
        }
        _ => {}
    }
}

fn inside(selections: &mut [Selection]) {
    for selection in selections {
        let set = match selection {
            Selection::Field(field) => &mut field.make_mut().selection_set,
            Selection::InlineFragment(inline) => &mut inline.make_mut().selection_set,
            Selection::FragmentSpread(_) => continue,
        };
        if !set.is_empty() {
            inside(set);
            ask_typename(set);
        }
    }
}

fn ask_typename(selections: &mut Vec<Selection>) {
    let asked = |selection: &Selection| {
        selection
            .as_field()
            .is_some_and(|field| field.name == "__typename")
    };
    if !selections.iter().any(asked) {
        selections.push(Selection::Field(Node::new(Field {
            alias: None,
            name: name!("__typename"),
            arguments: Vec::new(),
            directives: apollo_compiler::ast::DirectiveList::new(),
            selection_set: Vec::new(),
        })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(files: &[(&str, &str)], client: &str) -> Recording {
        let mut tree = Tree::new("/nowhere");
        tree.put(FILE, format!("clients: [{client}]"));
        for (path, text) in files {
            tree.put(path, *text);
        }
        read(&tree).unwrap()
    }

    #[test]
    fn an_operation_brings_its_fragments_and_typenames() {
        let files = [
            ("app/a.graphql", "query A { me { ...P other { id } } }"),
            (
                "app/b.graphql",
                "fragment P on User { ...Q }\nfragment Q on User { id }\nfragment R on User { x }",
            ),
        ];
        let client = "{ name: app, graph: public, files: [app/*.graphql], typenames: true }";
        let recording = recorded(&files, client);
        assert!(recording.problems.is_empty(), "{:?}", recording.problems);
        let text = recording.operations[0].text.replace('\n', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            text,
            "query A { me { ...P other { id __typename } __typename } } \
             fragment P on User { ...Q __typename } fragment Q on User { id __typename }"
        );
    }

    #[test]
    fn markdown_is_read_and_nameless_or_twofold_operations_are_told() {
        let markdown = "Ask:\n```graphql\nquery A { me { id } }\n```\n```js\nx\n```\n```graphql\n{ me { id } }\nquery A { x }\n```\n";
        let recording = recorded(
            &[("x.md", markdown)],
            "{ name: docs, graph: admin, files: [x.md, y/*.graphql] }",
        );
        assert_eq!(recording.operations.len(), 2);
        let problems = recording.problems.join("\n");
        for part in [
            "no name",
            "two operations called A",
            "no file is named y/*.graphql",
        ] {
            assert!(problems.contains(part), "{problems}");
        }
    }
}
