//! What of an answer is a refusal, for the log.

use std::collections::BTreeSet;
use std::fmt;

use async_graphql::{Context, PathSegment, Response, ServerError, Value};
use service_auth::CurrentUser;
use service_kit::refusal::{Door, refused};

use crate::error::Code;
use crate::viewer::{ClientIp, client_ip, viewer};

/// Names in a line are cut here: the client chooses them.
const MAX_NAME_LEN: usize = 80;

/// Who asks, as a line of the log names them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a>(pub(crate) Option<&'a CurrentUser>, pub(crate) ClientIp);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1.0) {
            (Some(user), _) => write!(f, "{}", user.id),
            (None, Some(address)) => write!(f, "{address}"),
            (None, None) => f.write_str("anonymous"),
        }
    }
}

/// Notes that something there is hidden from who asks for it, such as another customer's order.
pub fn hidden(ctx: &Context<'_>, what: impl fmt::Display) {
    let who = Who(viewer(ctx), ClientIp(client_ip(ctx)));
    refused(
        Door::Ownership,
        who,
        what,
        Code::NotFound.as_str(),
        "it is somebody else's",
    );
}

/// Notes the refusals of an operation that ran, each code once.
pub(crate) fn note(response: &Response, who: Who<'_>, operation: &str) {
    let mut seen = BTreeSet::new();
    for error in &response.errors {
        let Some(code) = code_of(error) else { continue };
        let door = match code {
            "UNAUTHENTICATED" | "FORBIDDEN" => Door::Role,
            "RATE_LIMITED" => Door::Limit,
            _ => continue,
        };
        if seen.insert(code) {
            refused(door, who, place(operation, error), code, &error.message);
        }
    }
}

/// Notes a document that may not run. Only our own words say why: others' quote it.
pub(crate) fn note_document(error: &ServerError, who: Who<'_>, operation: Option<&str>) {
    let (code, why) = match code_of(error) {
        Some(code) => (code, error.message.as_str()),
        None => (
            Code::BadUserInput.as_str(),
            "it is no document that fits the schema",
        ),
    };
    refused(
        Door::Document,
        who,
        shortened(operation.unwrap_or("anonymous")),
        code,
        why,
    );
}

/// The code of an error that has one.
pub(crate) fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// The operation and the field in it, without the positions in lists.
fn place(operation: &str, error: &ServerError) -> String {
    let fields = error.path.iter().filter_map(|segment| match segment {
        PathSegment::Field(name) => Some(name.as_str()),
        PathSegment::Index(_) => None,
    });
    let path: Vec<&str> = std::iter::once(shortened(operation))
        .chain(fields.map(shortened))
        .collect();
    path.join(".")
}

fn shortened(name: &str) -> &str {
    let end = name
        .char_indices()
        .nth(MAX_NAME_LEN)
        .map_or(name.len(), |(at, _)| at);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    #[test]
    fn a_place_is_an_operation_and_a_path() {
        let mut error = crate::http::server_error(ApiError::forbidden());
        error.path = vec![
            PathSegment::Field("me".into()),
            PathSegment::Field("orders".into()),
            PathSegment::Index(3),
        ];
        assert_eq!(place("Home", &error), "Home.me.orders");
        assert_eq!(code_of(&error), Some("FORBIDDEN"));
        assert_eq!(shortened(&"ä".repeat(200)).chars().count(), MAX_NAME_LEN);
    }

    #[test]
    fn whoever_is_not_signed_in_is_an_address() {
        assert_eq!(Who(None, ClientIp(None)).to_string(), "anonymous");
        let from = ClientIp("192.0.2.7".parse().ok());
        assert_eq!(Who(None, from).to_string(), "192.0.2.7");
    }
}
