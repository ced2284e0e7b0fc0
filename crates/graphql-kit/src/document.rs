//! Looks at a document before it runs: size, nesting, spread of fragments, aliases, representations.
//!
//! async-graphql checks depth and complexity itself, but only after walking every fragment spread, which a few
//! fragments can make exponential; and its parser recurses per bracket. So both are bounded here, first.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Request, Value, Variables};

use crate::error::{ApiError, Code};
use crate::nulls::Asked;
use crate::omitted;

const MAX_TOKENS: usize = 4000;
const MAX_NESTING: usize = 64;
const MAX_FIELDS: usize = 2000;
const MAX_ALIASES: usize = 100;
const MAX_DIRECTIVES: usize = 100;
const MAX_MUTATIONS: usize = 10;
const MAX_REPRESENTATIONS: usize = 200;

/// What a checked document does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Query, mutation or subscription.
    pub(crate) operation_type: OperationType,
    /// The name of the chosen operation.
    pub(crate) name: Option<String>,
    /// Fields at its root: so many changes it would make.
    pub(crate) roots: usize,
}

impl Checked {
    /// The operation's name, for logs and metrics.
    pub(crate) fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or("anonymous")
    }

    /// What the request asks, to be kept while it runs.
    pub(crate) fn asked(&self, request: &Request) -> Asked {
        Asked {
            query: request.query.clone(),
            operation_name: self.name.clone(),
            operation_type: self.operation_type,
        }
    }

    /// The span in which it runs.
    pub(crate) fn span(&self) -> tracing::Span {
        let name = self.shown_name();
        let kind = self.operation_type;
        tracing::info_span!("graphql", otel.name = format!("{kind} {name}"), operation = name, %kind)
    }
}

/// Parses the request's document, leaves the parsed form in it, without arguments that were not given, and checks it
/// against the limits.
pub(crate) fn check(
    request: &mut Request,
    introspection: bool,
) -> Result<Checked, async_graphql::ServerError> {
    scan(&request.query).map_err(refusal)?;
    let wanted = request.operation_name.clone();
    // The parsed document is borrowed of the whole request, so the variables step aside for a moment.
    let variables = std::mem::take(&mut request.variables);
    let looked_at = request.parsed_query().and_then(|document| {
        let checked =
            check_document(document, wanted.as_deref(), &variables, introspection).map_err(refusal)?;
        Ok((checked, omitted::without(document, &variables)))
    });
    request.variables = variables;
    let (checked, shorter) = looked_at?;
    if let Some(shorter) = shorter {
        request.set_parsed_query(shorter);
    }
    Ok(checked)
}

fn refusal(error: ApiError) -> async_graphql::ServerError {
    let mut refused = async_graphql::ServerError::new(error.message(), None);
    refused.extensions = Some(error.extensions());
    refused
}

fn refuse(message: &str) -> ApiError {
    ApiError::bad_input(message)
}

/// Counts tokens and brackets of the text, without parsing it.
fn scan(query: &str) -> Result<(), ApiError> {
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    let mut rest = query.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = tail;
                continue;
            }
            b'#' => {
                let end = rest
                    .iter()
                    .position(|&b| b == b'\n' || b == b'\r')
                    .unwrap_or(rest.len());
                rest = &rest[end..];
                continue;
            }
            b'"' => string_length(rest),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            _ if is_word(byte) => rest.iter().position(|&b| !is_word(b)).unwrap_or(rest.len()),
            _ => 1,
        };
        tokens += 1;
        if tokens > MAX_TOKENS {
            return Err(refuse("The document has too many tokens"));
        }
        if nesting > MAX_NESTING {
            return Err(refuse("The document is nested too deeply"));
        }
        rest = &rest[length..];
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bytes of the string token at the start, up to the end of the text if it is never closed.
fn string_length(text: &[u8]) -> usize {
    let (quote, start): (&[u8], usize) = if text.starts_with(b"\"\"\"") {
        (b"\"\"\"", 3)
    } else {
        (b"\"", 1)
    };
    let mut at = start;
    while at < text.len() {
        if text[at] == b'\\' {
            at += 2;
        } else if text[at..].starts_with(quote) {
            return at + quote.len();
        } else {
            at += 1;
        }
    }
    text.len()
}

fn check_document(
    document: &ExecutableDocument,
    wanted: Option<&str>,
    variables: &Variables,
    introspection: bool,
) -> Result<Checked, ApiError> {
    let (name, operation) = choose(document, wanted)?;
    let mut walk = Walk {
        document,
        known: HashMap::new(),
    };
    let cost = walk.selections(&operation.selection_set.node)?;
    if cost.fields > MAX_FIELDS {
        return Err(refuse("The document selects too many fields"));
    }
    if cost.aliases > MAX_ALIASES {
        return Err(refuse("The document has too many aliases"));
    }
    if cost.directives + operation.directives.len() > MAX_DIRECTIVES {
        return Err(refuse("The document has too many directives"));
    }
    let mut roots = Vec::new();
    root_fields(document, &operation.selection_set.node, &mut roots);
    check_roots(operation, &roots, variables, introspection)?;
    Ok(Checked {
        operation_type: operation.ty,
        name,
        roots: roots.len(),
    })
}

fn choose<'d>(
    document: &'d ExecutableDocument,
    wanted: Option<&str>,
) -> Result<(Option<String>, &'d OperationDefinition), ApiError> {
    match (&document.operations, wanted) {
        (DocumentOperations::Single(operation), None) => Ok((None, &operation.node)),
        (DocumentOperations::Multiple(all), None) => match all.iter().next() {
            Some((name, operation)) if all.len() == 1 => Ok((Some(name.to_string()), &operation.node)),
            _ => Err(refuse("Say which operation to run by operationName")),
        },
        (DocumentOperations::Multiple(all), Some(name)) if all.contains_key(name) => {
            Ok((Some(name.to_owned()), &all[name].node))
        }
        _ => Err(refuse("The document has no operation of that operationName")),
    }
}

fn check_roots(
    operation: &OperationDefinition,
    roots: &[&Field],
    variables: &Variables,
    introspection: bool,
) -> Result<(), ApiError> {
    let introspects = roots
        .iter()
        .any(|field| matches!(field.name.node.as_str(), "__schema" | "__type"));
    if introspects && !introspection {
        return Err(ApiError::new(Code::Forbidden, "Introspection is off"));
    }
    if operation.ty == OperationType::Mutation && roots.len() > MAX_MUTATIONS {
        return Err(refuse("Too many mutations in one document"));
    }
    if operation.ty == OperationType::Subscription && roots.len() != 1 {
        return Err(refuse("A subscription has exactly one root field"));
    }
    let asked: usize = roots
        .iter()
        .filter(|field| field.name.node == "_entities")
        .map(|field| representations(field, variables))
        .sum();
    if asked > MAX_REPRESENTATIONS {
        return Err(refuse("Too many representations in _entities"));
    }
    Ok(())
}

fn representations(field: &Field, variables: &Variables) -> usize {
    let given = field
        .get_argument("representations")
        .map(|value| value.node.clone());
    let list = given.and_then(|value| {
        value
            .into_const_with(|name| variables.get(&name).cloned().ok_or(()))
            .ok()
    });
    match list {
        Some(Value::List(list)) => list.len(),
        _ => 1,
    }
}

/// The fields at the root, those of fragments included. Only called after the walk has refused cycles.
fn root_fields<'d>(document: &'d ExecutableDocument, set: &'d SelectionSet, into: &mut Vec<&'d Field>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => into.push(&field.node),
            Selection::InlineFragment(inline) => root_fields(document, &inline.node.selection_set.node, into),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    root_fields(document, &fragment.node.selection_set.node, into);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    fields: usize,
    aliases: usize,
    directives: usize,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
    }
}

/// Sums the cost of selections with every fragment spread counted, each fragment walked once.
struct Walk<'d> {
    document: &'d ExecutableDocument,
    /// `None` while the fragment is being walked: meeting it again is a cycle.
    known: HashMap<&'d Name, Option<Cost>>,
}

impl<'d> Walk<'d> {
    fn selections(&mut self, set: &'d SelectionSet) -> Result<Cost, ApiError> {
        let mut total = Cost::default();
        for selection in &set.items {
            total.directives = total.directives.saturating_add(selection.node.directives().len());
            match &selection.node {
                Selection::Field(field) => {
                    total.fields = total.fields.saturating_add(1);
                    total.aliases = total
                        .aliases
                        .saturating_add(usize::from(field.node.alias.is_some()));
                    total.add(self.selections(&field.node.selection_set.node)?);
                }
                Selection::InlineFragment(inline) => {
                    // Counted as a field, so that empty nesting has a price too.
                    total.fields = total.fields.saturating_add(1);
                    total.add(self.selections(&inline.node.selection_set.node)?);
                }
                Selection::FragmentSpread(spread) => {
                    total.fields = total.fields.saturating_add(1);
                    total.add(self.fragment(&spread.node.fragment_name.node)?);
                }
            }
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'d Name) -> Result<Cost, ApiError> {
        match self.known.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(refuse("The document's fragments form a cycle")),
            None => {}
        }
        // An unknown fragment is left to the validation, which names it.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Cost::default());
        };
        self.known.insert(name, None);
        let cost = self.selections(&fragment.node.selection_set.node)?;
        self.known.insert(name, Some(cost));
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn outcome(query: &str) -> Result<Checked, String> {
        check(&mut Request::new(query), true).map_err(|error| error.message)
    }

    #[test]
    fn ordinary_documents_pass() {
        let checked =
            outcome("query Me { me { ...u } } fragment u on User { id a: email @include(if: true) }")
                .unwrap();
        assert_eq!(checked.name.as_deref(), Some("Me"));
        assert_eq!(checked.operation_type, OperationType::Query);
        assert!(outcome("{ a(text: \"{{{{ \\\" [[\") # }}}\n }").is_ok());
    }

    #[test]
    fn deep_brackets_are_refused_before_the_parser_recurses() {
        for open in ["[", "{a", "{a(b:{c:"] {
            let query = format!("{{ f(x: {} ) }}", open.repeat(30_000));
            let refused = outcome(&query).unwrap_err();
            assert!(
                refused.contains("nested") || refused.contains("tokens"),
                "{refused}"
            );
        }
    }

    #[test]
    fn exponential_fragments_are_refused_at_once() {
        let mut query = String::from("{ ...f0 } ");
        for n in 0..30 {
            write!(query, "fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1).unwrap();
        }
        query.push_str("fragment f30 on Query { a }");
        assert!(outcome(&query).unwrap_err().contains("too many fields"));
    }

    #[test]
    fn cycles_are_refused() {
        let query = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
        assert!(outcome(query).unwrap_err().contains("cycle"));
    }

    #[test]
    fn aliases_directives_and_tokens_are_counted() {
        let many = |n: usize, item: &dyn Fn(usize) -> String| {
            format!("{{ {} }}", (0..n).map(item).collect::<Vec<_>>().join(" "))
        };
        assert!(
            outcome(&many(101, &|n| format!("a{n}: x")))
                .unwrap_err()
                .contains("aliases")
        );
        assert!(
            outcome(&many(101, &|_| "x @skip(if: false)".into()))
                .unwrap_err()
                .contains("directives")
        );
        assert!(
            outcome(&many(20_000, &|_| "x".into()))
                .unwrap_err()
                .contains("tokens")
        );
    }

    #[test]
    fn mutations_are_counted_one_by_one() {
        let query = format!("mutation {{ {} }}", "login ".repeat(11));
        assert!(outcome(&query).unwrap_err().contains("mutations"));
    }

    #[test]
    fn representations_are_counted_in_variables_and_literals() {
        let query = "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }";
        let with = |n: usize| {
            let list = vec![serde_json::json!({"__typename": "User", "id": "1"}); n];
            let mut request =
                Request::new(query).variables(Variables::from_json(serde_json::json!({ "r": list })));
            check(&mut request, false).map_err(|error| error.message)
        };
        assert!(with(200).is_ok());
        assert!(with(201).unwrap_err().contains("representations"));
    }

    #[test]
    fn introspection_can_be_off_while_service_answers() {
        let off = |query: &str| check(&mut Request::new(query), false);
        assert!(off("{ __schema { types { name } } }").is_err());
        assert!(off("{ ...x } fragment x on Query { __type(name: \"A\") { name } }").is_err());
        assert!(off("{ _service { sdl } }").is_ok());
        assert!(off("{ me { __typename } }").is_ok());
    }
}
