//! Media types in and out.

use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `application/json`.
    Json,
    /// `application/graphql-response+json`.
    GraphqlResponse,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// The format the client likes best; without a wish, or with `*/*`, it is JSON. `None` if it takes neither.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Format> {
    let mut best: Option<(f32, Format)> = None;
    let mut asked = false;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().ok()?.split(',') {
            asked = true;
            let mut parts = range.split(';').map(str::trim);
            let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Format::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Format::Json,
                _ => continue,
            };
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, format));
            }
        }
    }
    if asked {
        best.map(|(_, format)| format)
    } else {
        Some(Format::Json)
    }
}

/// Whether the body is JSON in UTF-8 and not compressed. This also keeps out forms that a foreign page could send.
pub(crate) fn is_plain_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|part| {
        let part = part.to_ascii_lowercase();
        part.strip_prefix("charset=")
            .is_none_or(|set| set.trim_matches('"') == "utf-8")
    });
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity");
    json && utf8 && !encoded
}

/// Writes an answer.
pub(crate) fn write(status: StatusCode, body: &impl Serialize, format: Format) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, format.content_type())], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "a response could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accept(value: &'static str) -> Option<Format> {
        accepted(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_client_chooses() {
        assert_eq!(accepted(&HeaderMap::new()), Some(Format::Json));
        assert_eq!(accept("*/*"), Some(Format::Json));
        assert_eq!(accept("application/json"), Some(Format::Json));
        assert_eq!(
            accept("application/graphql-response+json"),
            Some(Format::GraphqlResponse)
        );
        assert_eq!(
            accept("application/graphql-response+json, application/json;q=0.9"),
            Some(Format::GraphqlResponse)
        );
        assert_eq!(
            accept("application/json;q=0.5, application/graphql-response+json;q=0.9"),
            Some(Format::GraphqlResponse)
        );
        assert_eq!(
            accept("application/json, application/graphql-response+json"),
            Some(Format::Json)
        );
        assert_eq!(accept("text/html"), None);
        assert_eq!(accept("application/json;q=0"), None);
        assert_eq!(
            accept("multipart/mixed;subscriptionSpec=1.0, application/json"),
            Some(Format::Json)
        );
    }

    #[test]
    fn only_plain_utf8_json_is_read() {
        let good = |value: &'static str| {
            is_plain_json(&HeaderMap::from_iter([(
                CONTENT_TYPE,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(good("application/json"));
        assert!(good("Application/JSON; charset=UTF-8"));
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=utf-16",
        ] {
            assert!(!good(bad), "{bad}");
        }
        assert!(!is_plain_json(&HeaderMap::new()));
    }
}
