//! Faults of transport, identity and input as top-level GraphQL errors with a stable `extensions.code`.
//!
//! Business outcomes are not errors: they stand in the payload's `userErrors` (see [`crate::user_error!`]).

use std::error::Error as StdError;

use async_graphql::{Error, ErrorExtensionValues, Value};

/// What a resolver returns.
pub type Result<T> = std::result::Result<T, ApiError>;

/// The stable codes of `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No token, or one that is not valid.
    Unauthenticated,
    /// The token is good and does not allow this.
    Forbidden,
    /// The input is wrong in itself.
    BadUserInput,
    /// What was asked for does not exist, or is hidden from the caller.
    NotFound,
    /// Too many requests.
    RateLimited {
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// Something this operation needs does not answer; try again.
    Unavailable,
    /// A fault of ours; the details are in the log under the correlation id.
    Internal,
}

impl Code {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status that says the same, told in `extensions.http.status`.
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::BadUserInput => 400,
            Self::NotFound => 404,
            Self::RateLimited { .. } => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// A fault as the client may see it.
///
/// It has no `Display` on purpose: with one, async-graphql would convert it by its text and lose the code.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    message: String,
    field: Vec<String>,
}

impl ApiError {
    /// A fault with a code and a message that is safe to show.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: Vec::new(),
        }
    }

    /// `BAD_USER_INPUT`: the input is wrong in itself.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// `NOT_FOUND`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// `UNAUTHENTICATED`: sign in first.
    pub fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "Sign in to do this")
    }

    /// `FORBIDDEN`: signed in, but not allowed.
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Not allowed")
    }

    /// `RATE_LIMITED`, with the wait in seconds.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        Self::new(Code::RateLimited { retry_after_s }, "Too many requests")
    }

    /// `UNAVAILABLE`: `what` (a noun such as "The cart") does not answer at present.
    pub fn unavailable(what: impl std::fmt::Display) -> Self {
        Self::new(
            Code::Unavailable,
            format!("{what} is not available at present, try again"),
        )
    }

    /// `INTERNAL`: logs the source with its whole chain, here and once, and shows none of it.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        tracing::error!(error = %chain(source.as_ref()), "internal error in a resolver");
        Self::new(Code::Internal, "Internal error")
    }

    /// Names the input field at fault, as a path from the argument down.
    #[must_use]
    pub fn at(mut self, field: &[&str]) -> Self {
        self.field = field.iter().map(ToString::to_string).collect();
        self
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The message that clients see.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn extensions(&self) -> ErrorExtensionValues {
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.code.as_str());
        let http = [("status".into(), Value::from(self.code.status()))];
        values.set(
            "http",
            Value::Object(
                http.into_iter()
                    .map(|(k, v): (String, _)| (async_graphql::Name::new(k), v))
                    .collect(),
            ),
        );
        if !self.field.is_empty() {
            values.set(
                "field",
                Value::List(self.field.iter().cloned().map(Value::String).collect()),
            );
        }
        if let Code::RateLimited { retry_after_s } = self.code {
            values.set("retryAfterSeconds", retry_after_s);
        }
        values
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let extensions = Some(error.extensions());
        Self {
            message: error.message,
            source: None,
            extensions,
        }
    }
}

/// The messages of an error and of all its sources, in one line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_field_reach_the_extensions() {
        let error = Error::from(ApiError::bad_input("too many").at(&["input", "quantity"]));
        let shown = serde_json::to_value(&error).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({
                "message": "too many",
                "extensions": {"code": "BAD_USER_INPUT", "field": ["input", "quantity"], "http": {"status": 400}},
            })
        );
    }

    #[test]
    fn an_internal_fault_shows_nothing_of_its_source() {
        let error = Error::from(ApiError::internal("password=hunter2 in postgres://db"));
        assert_eq!(error.message, "Internal error");
        assert!(!format!("{:?}", serde_json::to_value(&error)).contains("hunter2"));
    }

    #[test]
    fn a_limit_says_when_to_come_back() {
        let shown = serde_json::to_value(Error::from(ApiError::rate_limited(7))).unwrap();
        assert_eq!(shown["extensions"]["retryAfterSeconds"], 7);
    }
}
