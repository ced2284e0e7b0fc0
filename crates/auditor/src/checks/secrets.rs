//! Logs: searched for what must never be in them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};

use crate::{Expectations, Finding};

/// I15.
pub(super) fn logs_hold_none(expected: &Expectations) -> Result<Finding> {
    let title = "logs hold no token, password or card number";
    let Some(folder) = &expected.logs else {
        return Ok(Finding::unchecked("I15", title, "no folder of logs given"));
    };
    let mut finding = Finding::new("I15", title);
    let (mut files, mut lines) = (0, 0);
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            files += 1;
            lines += search(&path, &mut finding)?;
        }
    }
    finding.count("files", files);
    finding.count("lines", lines);
    Ok(finding)
}

fn search(path: &Path, finding: &mut Finding) -> Result<usize> {
    let mut lines = BufReader::new(fs::File::open(path)?);
    let (mut buffer, mut number) = (Vec::new(), 0);
    while lines.read_until(b'\n', &mut buffer)? > 0 {
        number += 1;
        if let Some(what) = secret(&buffer) {
            // The place, never the line: the report is a log too.
            finding.violated(format!("{}:{number} holds {what}", path.display()));
        }
        buffer.clear();
    }
    Ok(number)
}

fn secret(line: &[u8]) -> Option<&'static str> {
    if has_jwt(line) {
        Some("a token")
    } else if has_card_number(line) {
        Some("a card number")
    } else if has_password(line) || contains(line, b"PRIVATE KEY-----") {
        Some("a password or key")
    } else {
        None
    }
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    line.windows(what.len()).any(|window| window == what)
}

/// A field called password with a value in quotes, in JSON or in JSON within a text, or after an equals sign.
fn has_password(line: &[u8]) -> bool {
    let name = b"password";
    let mut rest = line;
    while let Some(at) = rest
        .windows(name.len())
        .position(|window| window.eq_ignore_ascii_case(name))
    {
        rest = &rest[at + name.len()..];
        let quote = |byte: &u8| matches!(byte, b'"' | b'\\' | b' ');
        let after = |bytes: &[u8]| bytes.iter().position(|byte| !quote(byte)).unwrap_or(bytes.len());
        let sign = after(rest);
        let Some(value) = rest.get(sign + 1..) else {
            continue;
        };
        let shown = value
            .get(after(value))
            .is_some_and(|byte| !matches!(byte, b'*' | b',' | b'}' | b']'));
        let quoted = value[..after(value)].contains(&b'"');
        if shown && ((rest[sign] == b':' && quoted) || (rest[sign] == b'=' && !value.starts_with(b" "))) {
            return true;
        }
    }
    false
}

/// Two base64url JSON objects joined by a dot, and a signature: `eyJ... . eyJ... . ...`.
fn has_jwt(line: &[u8]) -> bool {
    let words = line.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')));
    words.into_iter().any(|word| {
        let mut parts = word.split(|byte| *byte == b'.');
        let mut object = || {
            parts
                .next()
                .is_some_and(|part| part.starts_with(b"eyJ") && part.len() > 8)
        };
        object() && object() && parts.next().is_some_and(|part| part.len() > 8)
    })
}

/// Before a span's id, whose 16 hexadecimal digits are all decimal once in 1,800 times.
const SPAN: &[u8] = b"span_id\":\"";

/// 15 or 16 digits, alone or in groups of four, that start like a card's and pass its check digit. Digits within a
/// word or a fraction are parts of ids and measurements.
fn has_card_number(line: &[u8]) -> bool {
    let in_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
    let in_word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    let mut start = 0;
    while let Some(skip) = line[start..].iter().position(u8::is_ascii_digit) {
        start += skip;
        let length = line[start..]
            .iter()
            .position(|byte| !in_number(byte))
            .unwrap_or(line.len() - start);
        let end = start + length;
        let alone =
            !in_word(start.checked_sub(1).and_then(|before| line.get(before))) && !in_word(line.get(end));
        let span = line[..start].ends_with(SPAN);
        if alone && !span && is_card_number(line[start..end].trim_ascii_end()) {
            return true;
        }
        start = end;
    }
    false
}

fn is_card_number(group: &[u8]) -> bool {
    let digits: Vec<u8> = group
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect();
    let separators = group.len() - digits.len();
    matches!(digits.len(), 15 | 16)
        && matches!(separators, 0 | 2 | 3)
        && matches!(digits[0], 3..=6)
        && luhn(&digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match u32::from(*digit) {
            digit if index % 2 == 0 => digit,
            digit => (digit * 2) / 10 + (digit * 2) % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_must_not_be_logged() {
        for (line, what) in [
            ("pay with 4242424242424242", "a card number"),
            ("card: 4242 4242 4242 4242", "a card number"),
            ("{\"number\":\"4242-4242-4242-4242\"}", "a card number"),
            (
                "{\"token\":\"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl\"}",
                "a token",
            ),
            ("{\"password\":\"hunter2\"}", "a password or key"),
            ("{\"currentPassword\": \"hunter2\"}", "a password or key"),
            (
                "{\"body\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}",
                "a password or key",
            ),
            ("login email=a@b.c password=hunter2", "a password or key"),
        ] {
            assert_eq!(secret(line.as_bytes()), Some(what), "{line}");
        }
    }

    #[test]
    fn leaves_the_rest_alone() {
        for line in [
            "order ord_01h455vb4pex5vsknk084sn02q paid",
            "4242424242424241 fails its check digit",
            "at 2026-11-22T16:28:19.629932Z after 1795364900123456 ns",
            "id a4242424242424242 and 0.4242424242424242 s",
            "{\"span_id\":\"4242424242424242\"}",
            "eyJhbGciOiJFZERTQSJ9 alone is no token",
            "{\"password\":\"***\"}",
            "{\"password\":null,\"note\":\"x\"}",
            "the password: it has too few characters",
            "{\"message\":\"a password has 12 characters\",\"field\":\"password\"}",
        ] {
            assert_eq!(secret(line.as_bytes()), None, "{line}");
        }
    }
}
