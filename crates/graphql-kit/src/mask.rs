//! What leaves of a response: errors with a code keep their text, any other is logged and masked.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use crate::error::Code;

/// Texts by which async-graphql reports an argument that it could not read.
const INPUT_FAULTS: [&str; 5] = [
    "Failed to parse \"",
    "Expected input type \"",
    "Invalid value for argument \"",
    "\"__typename\" must be",
    "Variable ",
];

/// Whether the operation never began: no data, and no error that stands at a path.
pub(crate) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Gives each error its code and the correlation id, and hides what has none.
pub(crate) fn mask(response: &mut Response) {
    let request_error = is_request_error(response);
    let correlation_id = service_kit::correlation::current();
    for error in &mut response.errors {
        let code = error.extensions.as_ref().and_then(|values| values.get("code"));
        if code.is_none() {
            classify(error, request_error);
        }
        if let Some(id) = &correlation_id {
            let values = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
            values.set("correlationId", id.clone());
        }
    }
}

fn classify(error: &mut ServerError, request_error: bool) {
    let input_fault = INPUT_FAULTS.iter().any(|start| error.message.starts_with(start));
    let not_found = error.message == "Entity not found.";
    let code = if request_error || (input_fault && error.source.is_none()) || not_found {
        "BAD_USER_INPUT"
    } else {
        tracing::error!(error = %error.message, path = ?error.path, "an error without a code was masked");
        "Internal error".clone_into(&mut error.message);
        error.source = None;
        Code::Internal.as_str()
    };
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set("code", code);
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::PathSegment;

    fn masked(message: &str, path: bool) -> ServerError {
        let mut error = ServerError::new(message, None);
        if path {
            error.path = vec![PathSegment::Field("me".into())];
        }
        let mut response = Response::from_errors(vec![error]);
        mask(&mut response);
        response.errors.remove(0)
    }

    #[test]
    fn resolver_errors_without_a_code_are_hidden() {
        let error = masked("relation \"users\" does not exist at 10.0.0.1:5432", true);
        assert_eq!(error.message, "Internal error");
        assert_eq!(
            error.extensions.unwrap().get("code"),
            Some(&Value::from("INTERNAL"))
        );
    }

    #[test]
    fn bad_arguments_and_documents_are_the_callers() {
        for (message, path) in [
            ("Unknown field \"x\"", false),
            ("Failed to parse \"Decimal\": expected a number", true),
            ("Variable input is not defined.", true),
        ] {
            let error = masked(message, path);
            assert_eq!(error.message, message);
            assert_eq!(
                error.extensions.unwrap().get("code"),
                Some(&Value::from("BAD_USER_INPUT"))
            );
        }
    }
}
