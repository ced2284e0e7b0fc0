//! Changes an input a little, or a lot.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Longest input tried: readers refuse longer ones unread.
const MAX_LEN: usize = 16 * 1024;

/// What tends to hurt readers of text and of JSON.
const WORDS: [&[u8]; 40] = [
    b"null",
    b"true",
    b"0",
    b"-0",
    b"-1",
    b"1e400",
    b"1e-400",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551616",
    b"2147483648",
    b"0.1",
    b"NaN",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\\u0000",
    b"\\ud800",
    b"\\\"",
    b"\"",
    b"'",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x92\xa9",
    b"1.0",
    b"2026-01-02T03:04:05Z",
    b"9999-12-31T23:59:60Z",
    b"-271821-04-20T00:00:00Z",
    b"=",
    b"==",
    b"..",
    b"#",
    b"\"\"\"",
];

/// A changed copy; `others` are inputs to take parts of.
pub(crate) fn mutate(input: &[u8], others: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 << rng.random_range(0..4) {
        change(&mut bytes, others, rng);
    }
    bytes.truncate(MAX_LEN);
    bytes
}

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=bytes.len());
    match rng.random_range(0..11) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = rng.random(),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 => bytes.insert(at, rng.random()),
        4 => insert(bytes, at, WORDS.choose(rng).copied().unwrap_or_default()),
        5 => {
            let end = span(bytes, at, rng);
            let word = WORDS.choose(rng).copied().unwrap_or_default();
            bytes.splice(at..end, word.iter().copied());
        }
        6 => {
            let end = span(bytes, at, rng);
            bytes.drain(at..end);
        }
        7 => {
            let end = span(bytes, at, rng);
            let part = bytes[at..end].to_vec();
            let to = rng.random_range(0..=bytes.len());
            for _ in 0..rng.random_range(1..8) {
                insert(bytes, to, &part);
            }
        }
        8 => bytes.truncate(at),
        9 => {
            let Some(other) = others.choose(rng) else { return };
            let from = rng.random_range(0..=other.len());
            let to = span(other, from, rng);
            let part = other[from..to].to_vec();
            insert(bytes, at, &part);
        }
        _ => token(bytes, rng),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    if bytes.len() + part.len() <= MAX_LEN {
        bytes.splice(at..at, part.iter().copied());
    }
}

/// The end of a part that begins at `at`: short ones more often than long ones.
fn span(bytes: &[u8], at: usize, rng: &mut StdRng) -> usize {
    let most = 1_usize << rng.random_range(0..10);
    at + rng.random_range(0..=most).min(bytes.len() - at)
}

/// Replaces a whole value of JSON by another, so that what is around it stays readable.
fn token(bytes: &mut Vec<u8>, rng: &mut StdRng) {
    let starts: Vec<usize> = (1..bytes.len())
        .filter(|&at| matches!(bytes[at - 1], b':' | b'[' | b','))
        .collect();
    let Some(&start) = starts.choose(rng) else { return };
    let mut end = start;
    let mut quoted = false;
    while end < bytes.len() && (quoted || !matches!(bytes[end], b',' | b'}' | b']')) {
        quoted ^= bytes[end] == b'"';
        end += 1;
    }
    let word = WORDS.choose(rng).copied().unwrap_or_default();
    bytes.splice(start..end, word.iter().copied());
}
