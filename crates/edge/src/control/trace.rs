//! What all processes wrote about one request: where nothing collects spans, this is the trace.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// Of each log, this much of its end is read.
const TAIL_BYTES: u64 = 64 << 20;
/// Beyond these nobody reads on.
const MOST_LINES: usize = 500;

/// The lines of `folder/logs` that carry the trace id or the correlation id `id`, the first first.
pub(super) async fn lines(folder: PathBuf, id: String) -> Result<Value> {
    tokio::task::spawn_blocking(move || search(&folder.join("logs"), &id)).await?
}

/// Hexadecimal digits and hyphens, as trace ids and our correlation ids are; nothing that could mean more.
pub(super) fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn search(logs: &Path, id: &str) -> Result<Value> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(logs).with_context(|| logs.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            collect(&path, id, &mut found).with_context(|| path.display().to_string())?;
        }
    }
    // Times are of one form and one zone: their text is in their order.
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = found.len() > MOST_LINES;
    let lines: Vec<Value> = found
        .into_iter()
        .take(MOST_LINES)
        .map(|(_, line)| Value::Object(line))
        .collect();
    Ok(json!({ "lines": lines, "more": more }))
}

fn collect(path: &Path, id: &str, found: &mut Vec<(String, Map<String, Value>)>) -> Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    // What is written from now on is not waited for.
    for line in BufReader::new(file.take(TAIL_BYTES)).split(b'\n') {
        let line = line?;
        let Ok(text) = std::str::from_utf8(&line) else {
            continue;
        };
        if !text.contains(id) {
            continue;
        }
        let Ok(Value::Object(line)) = serde_json::from_str(text) else {
            continue;
        };
        let carries = |name: &str| line.get(name).is_some_and(|value| value == id);
        if !carries("trace_id") && !carries("correlation_id") {
            continue;
        }
        if let Some(time) = line.get("time").and_then(Value::as_str) {
            found.push((time.to_owned(), line));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_trace_in_the_order_of_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, lines: &[&str]| {
            std::fs::write(folder.path().join(name), lines.join("\n")).unwrap();
        };
        write(
            "order.log",
            &[
                r#"{"time":"2026-01-01T00:00:02Z","service":"order","trace_id":"aaaabbbb","message":"second"}"#,
                r#"{"time":"2026-01-01T00:00:03Z","service":"order","trace_id":"ccccdddd","message":"not aaaabbbb"}"#,
                "aaaabbbb, but no JSON",
            ],
        );
        write(
            "payment.log",
            &[
                r#"{"time":"2026-01-01T00:00:01Z","service":"payment","correlation_id":"aaaabbbb","message":"first"}"#,
            ],
        );
        write("payment.pid", &["aaaabbbb"]);
        let found = search(folder.path(), "aaaabbbb").unwrap();
        let messages: Vec<&str> = found["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["message"].as_str().unwrap())
            .collect();
        assert_eq!(messages, ["first", "second"]);
        assert_eq!(found["more"], false);
    }

    #[test]
    fn an_id_is_letters_and_digits() {
        assert!(is_id("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(is_id("01890a5d-ac96-774b-bcce-b302099a8057"));
        for text in ["", "short", "../../../etc/passwd", "a b c d e f g h"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
