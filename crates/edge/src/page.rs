//! The built page: files as they are, compressed ones where a browser takes them, and the page itself for every
//! address that is the page's own business.

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use tower_http::services::{ServeDir, ServeFile};

/// Everything from this origin alone. Styles are the exception: the component library sets some of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: https:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// GraphiQL's styles bring their fonts along.
const GRAPHIQL_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     font-src 'self' data:; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Named by their content: a new build has new names.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// Asked for each time, and answered with 304 while it is the same.
const ASK_AGAIN: &str = "no-cache";

/// Where GraphiQL is, in a built page that has it.
const GRAPHIQL: [&str; 3] = ["/graphiql", "/graphiql/", "/graphiql/{*file}"];

/// The page. GraphiQL is a part of it while developing; otherwise there is none, whatever lies in the folder.
pub(crate) fn routes(page: &Path, development: bool) -> Router {
    let index = ServeFile::new(page.join("index.html"))
        .precompressed_br()
        .precompressed_gzip();
    let files = ServeDir::new(page)
        .precompressed_br()
        .precompressed_gzip()
        .fallback(index);
    let router = Router::new().fallback_service(files);
    let router = if development {
        router
    } else {
        let nothing = || any(async || StatusCode::NOT_FOUND);
        GRAPHIQL
            .iter()
            .fold(router, |router, path| router.route(path, nothing()))
    };
    router.layer(middleware::from_fn(headers))
}

async fn headers(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut answer = next.run(request).await;
    // The page stands in for addresses, not for files that are gone: a script that is HTML is a riddle.
    if reads && is_file(&path) && is_html(&answer) && !is_page(&path) {
        answer = StatusCode::NOT_FOUND.into_response();
    }
    let caching = match (answer.status(), is_html(&answer)) {
        (StatusCode::OK | StatusCode::NOT_MODIFIED, false) if path.starts_with("/assets/") => FOR_EVER,
        (StatusCode::OK | StatusCode::NOT_MODIFIED, false) if is_file(&path) => FOR_AN_HOUR,
        _ => ASK_AGAIN,
    };
    let all = answer.headers_mut();
    all.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    all.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    for (name, value) in HEADERS {
        all.insert(name, HeaderValue::from_static(value));
    }
    if path.starts_with("/graphiql/") {
        let policy = HeaderValue::from_static(GRAPHIQL_SECURITY_POLICY);
        all.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// Whether the address names a file: its last part has an extension.
fn is_page(path: &str) -> bool {
    let extension = std::path::Path::new(path).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("html"))
}

fn is_file(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.contains('.'))
}

fn is_html(answer: &Response) -> bool {
    answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}
