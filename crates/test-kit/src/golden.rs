//! The golden files of what crosses a process boundary: who writes and who reads it are tested against the same ones.

use std::path::Path;

use contracts::{Event, EventData};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// `crates/contracts/golden/NAME.json`.
pub fn golden(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../contracts/golden/{name}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A golden body as a `T`, which holds all that is in the file and nothing else.
pub fn body<T: Serialize + DeserializeOwned>(name: &str) -> T {
    let golden = golden(name);
    let body: T = serde_json::from_value(golden.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(&body).unwrap(), golden, "{name}");
    body
}

/// A golden event of a `T`, called and about what `T` says.
pub fn event<T: EventData>(name: &str) -> Event<T> {
    let event: Event<T> = body(name);
    assert_eq!(
        (event.kind.as_str(), &event.subject),
        (T::TYPE, &event.data.subject()),
        "{name}"
    );
    event
}

/// Whether something that was really published has a golden file's fields, in name, kind and nesting.
pub fn assert_shaped(published: &Value, name: &str) {
    assert_eq!(shape(published), shape(&golden(name)), "{name}");
}

/// Names and kinds without the values; a trace and a correlation id stand only in what a request caused.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "traceparent" | "correlationid"))
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.first().map_or(Value::Null, shape),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}
