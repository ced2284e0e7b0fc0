//! The readers of this crate as the fuzzer calls them. No part of the interface.

use crate::{document, http, ws};

/// Reads a message of the WebSocket and checks the document in it; answers what became of it.
pub fn socket_message(text: &str) -> String {
    match ws::read_message(text) {
        None => "not of the protocol".to_owned(),
        Some(Err(what)) => what.to_owned(),
        Some(Ok(payload)) => match http::from_json(payload) {
            Ok(request) => checked(request),
            Err(why) => why.to_owned(),
        },
    }
}

/// Reads a body of `POST /graphql` and checks the document in it; answers why it is refused, nothing if it is not.
pub fn request(body: &[u8]) -> String {
    match http::read_body(body) {
        Ok(request) => checked(request),
        Err(why) => why.to_owned(),
    }
}

fn checked(mut request: async_graphql::Request) -> String {
    match document::check(&mut request, false) {
        Ok(_) => String::new(),
        Err(error) => error.message,
    }
}
