//! What came back, in one word that a test can compare: `401 UNAUTHENTICATED`, `200 data`, `close 4403`.

use anyhow::Result;
use serde_json::Value;

/// An answer of any door.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status and code, or `data` when something was given.
    pub(crate) outcome: String,
    /// All of it, for people and for later looks.
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(outcome: impl Into<String>) -> Self {
        Self {
            outcome: outcome.into(),
            body: String::new(),
        }
    }

    /// Of an answer by HTTP: GraphQL, problem details, or neither.
    pub(crate) async fn read(response: reqwest::Response) -> Result<Self> {
        let status = response.status().as_u16();
        // Whoever refuses a body unread may cut the line after the answer's head.
        let body = response.text().await.unwrap_or_default();
        Ok(Self::of(status, body))
    }

    pub(crate) fn of(status: u16, body: String) -> Self {
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let outcome = format!("{status}{}", word(&json));
        Self { outcome, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The data of an answer that must have no fault.
    pub(crate) fn data(&self) -> Result<Value> {
        let mut json = self.json();
        anyhow::ensure!(
            json.get("errors").is_none() && json["data"].is_object(),
            "{}: {}",
            self.outcome,
            self.body
        );
        Ok(json["data"].take())
    }
}

fn word(json: &Value) -> String {
    let data = &json["data"];
    let given = if gives(data) { " data" } else { "" };
    if let Some(error) = json["errors"].get(0) {
        let code = error["extensions"]["code"].as_str().unwrap_or("WITHOUT_CODE");
        return format!(" {code}{given}");
    }
    if data.is_object() {
        let payload = data.as_object().and_then(|fields| fields.values().next());
        let user_error = payload.and_then(|payload| payload["userErrors"][0]["code"].as_str());
        return match user_error {
            Some(code) => format!(" {code}"),
            None if given.is_empty() => " null".to_owned(),
            None => given.to_owned(),
        };
    }
    match json["code"].as_str() {
        Some(code) => format!(" {code}"),
        None => String::new(),
    }
}

/// Whether there is any value in it at all, but for the names of types.
fn gives(data: &Value) -> bool {
    match data {
        Value::Null => false,
        Value::Object(fields) => fields.iter().any(|(_, value)| gives(value)),
        Value::Array(items) => items.iter().any(gives),
        _ => true,
    }
}
