//! Refusals, in Stripe's error envelope.

use serde_json::{Value, json};

use crate::objects::{Decline, Intent};

/// A refusal: its HTTP status and the `error` object.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// The `error` object.
    pub error: Value,
}

impl Fault {
    fn new(status: u16, kind: &str, code: Option<&str>, message: &str) -> Self {
        let mut error = json!({"type": kind, "message": message});
        if let Some(code) = code {
            error["code"] = json!(code);
        }
        Self { status, error }
    }

    /// 400: a parameter is missing or wrong.
    pub fn param(param: &str, code: &str, message: &str) -> Self {
        let mut fault = Self::new(400, "invalid_request_error", Some(code), message);
        fault.error["param"] = json!(param);
        fault
    }

    /// 400: the request can't be read.
    pub fn unreadable(message: &str) -> Self {
        Self::new(400, "invalid_request_error", None, message)
    }

    /// 400: not in this state of the intent.
    pub fn unexpected_state(intent: &Intent, action: &str) -> Self {
        let message = format!(
            "This PaymentIntent could not be {action} because it has a status of {}.",
            intent.status.as_str()
        );
        let code = Some("payment_intent_unexpected_state");
        let mut fault = Self::new(400, "invalid_request_error", code, &message);
        fault.error["payment_intent"] = intent.to_json();
        fault
    }

    /// 400: the refund can't be made.
    pub fn refund(code: &str, message: &str) -> Self {
        Self::new(400, "invalid_request_error", Some(code), message)
    }

    /// 402: the card was declined.
    pub fn declined(decline: &Decline, intent: &Intent) -> Self {
        let mut error = decline.to_json();
        error["payment_intent"] = intent.to_json();
        Self { status: 402, error }
    }

    /// 404: no such object.
    pub fn missing(object: &str, id: &str) -> Self {
        let message = format!("No such {object}: '{id}'");
        let mut fault = Self::new(404, "invalid_request_error", Some("resource_missing"), &message);
        fault.error["param"] = json!("id");
        fault
    }

    /// 404: no such route.
    pub fn no_route() -> Self {
        Self::new(404, "invalid_request_error", None, "Unrecognized request URL.")
    }

    /// 401: no or a wrong key.
    pub fn unauthorised() -> Self {
        Self::new(401, "invalid_request_error", None, "Invalid API Key provided.")
    }

    /// 400: the key came before with other parameters.
    pub fn key_reused() -> Self {
        let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        Self::new(400, "idempotency_error", None, message)
    }

    /// 500: the sandbox itself failed; the effect is unknown.
    pub fn internal() -> Self {
        Self::new(500, "api_error", None, "An unknown error occurred")
    }

    /// The whole body.
    pub fn body(&self) -> Value {
        json!({"error": self.error})
    }
}
