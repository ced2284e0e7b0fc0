//! Manifests of persisted operations, in Apollo's format: a router or gateway that takes no other operations reads them
//! as its safelist, and one that starts cold can plan them before it takes requests.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::operations::{Recorded, Recording};

#[derive(Serialize)]
struct Manifest<'a> {
    format: &'static str,
    version: u8,
    operations: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    /// SHA-256 of the body: the same by which automatic persisted queries are asked for.
    id: String,
    body: &'a str,
    name: &'a str,
    r#type: &'static str,
}

/// The files that are committed, with their text.
pub(crate) fn files(recording: &Recording) -> Vec<(String, String)> {
    let clients = recording.clients.iter().filter(|client| client.manifest);
    clients
        .map(|client| {
            let of_client = |operation: &&Recorded| operation.client == client.name;
            let mut operations: Vec<&Recorded> = recording.operations.iter().filter(of_client).collect();
            operations.sort_by(|a, b| a.name.cmp(&b.name));
            let manifest = Manifest {
                format: "apollo-persisted-query-manifest",
                version: 1,
                operations: operations.into_iter().map(entry).collect(),
            };
            let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
            (format!("router/persisted/{}.json", client.name), text + "\n")
        })
        .collect()
}

fn entry(operation: &Recorded) -> Entry<'_> {
    Entry {
        id: hex::encode(Sha256::digest(operation.text.as_bytes())),
        body: &operation.text,
        name: &operation.name,
        r#type: operation.kind.name(),
    }
}
