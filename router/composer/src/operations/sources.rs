//! Where operations stand: in GraphQL files, in blocks of Markdown, in strings of Rust.

use std::path::Path;

use apollo_compiler::ast::Document;

/// The documents in a file, each as GraphQL.
pub(super) fn documents(file: &str, text: String) -> Vec<String> {
    match extension(file) {
        "md" => blocks(&text),
        "rs" => strings(&text),
        _ => vec![text],
    }
}

pub(super) fn is_rust(file: &str) -> bool {
    extension(file) == "rs"
}

fn extension(file: &str) -> &str {
    Path::new(file)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

/// The fenced blocks of GraphQL in Markdown.
fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in markdown.lines() {
        match &mut open {
            None if line.trim_end() == "```graphql" => open = Some(String::new()),
            Some(block) if line.trim_end() == "```" => {
                blocks.push(std::mem::take(block));
                open = None;
            }
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// String literals that are one operation. A string that a program puts together (`{{`) is not; neither is one that
/// is not GraphQL: what a test sends on purpose to be refused.
fn strings(rust: &str) -> Vec<String> {
    // A quote as a letter opens nothing.
    let rust = rust.replace("'\"'", "' '");
    let mut found = Vec::new();
    let mut rest = rust.as_str();
    while let Some(start) = rest.find('"') {
        let (before, inside) = (&rest[..start], &rest[start + 1..]);
        let read = if before.ends_with("r#") {
            inside
                .split_once("\"#")
                .map(|(text, after)| (text.to_owned(), after))
        } else {
            literal(inside)
        };
        let Some((text, after)) = read else {
            break;
        };
        if is_operation(&text) {
            found.push(text);
        }
        rest = after;
    }
    found
}

fn is_operation(text: &str) -> bool {
    let begins = ["query", "mutation", "subscription"].iter().any(|word| {
        text.strip_prefix(word)
            .is_some_and(|more| more.starts_with([' ', '(', '{']))
    });
    begins && !text.contains("{{") && Document::parse(text, "source.rs").is_ok()
}

/// The text of a literal whose opening quote was read, and what follows it.
fn literal(rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, &rest[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => text.push('\n'),
                // The line goes on without the indent; spaces mean nothing to GraphQL.
                '\n' => text.push(' '),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_in_strings_are_found() {
        let rust = r##"let a = "query A($id: ID!) { order(id: $id) { id } }"; let b = "a \"quoted\" word"; let c = '"';
            ask("mutation ($i: I!) { x(i: $i, y: \"z\") {\n id } }"); format!("query {{ {} }}"); "query of a database";
            ask(r#"query { y(z: "w") }"#); ask("subscription { z }")"##;
        let found = strings(rust);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[1].contains("y: \"z\""), "{found:?}");
        assert!(found[2].contains("z: \"w\""), "{found:?}");
    }
}
