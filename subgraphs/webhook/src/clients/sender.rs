//! Posts a signed body to an endpoint and reads the beginning of its answer.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};

use super::resolver::Within;
use crate::domain::Tried;
use crate::domain::address::{self, Reach};

/// For a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// What is kept of an answer.
const MAX_SAID: usize = 1024;

/// Posts to endpoints; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    http: Client,
    reach: Reach,
}

/// What one try sends.
pub(crate) struct Signed<'a> {
    pub(crate) url: &'a str,
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) signatures: String,
    pub(crate) body: String,
}

impl Sender {
    /// A sender that gives a try `patience`, follows no redirect, uses no proxy and keeps to `reach`.
    pub fn try_new(reach: Reach, patience: Duration) -> anyhow::Result<Self> {
        let http = service_kit::http::builder(patience)
            .connect_timeout(CONNECT)
            .user_agent("Mercato-Webhooks/1")
            .https_only(reach == Reach::Public)
            .dns_resolver(Arc::new(Within(reach)))
            .build()
            .context("the client of endpoints")?;
        Ok(Self { http, reach })
    }

    /// How far it goes.
    pub(crate) const fn reach(&self) -> Reach {
        self.reach
    }

    /// Tries once.
    pub(crate) async fn post(&self, signed: Signed<'_>) -> Tried {
        // Addresses in the URL itself are never resolved, and what was allowed once need not be now.
        let url = match address::checked(signed.url, self.reach) {
            Ok(url) => url,
            Err(fault) => return Tried::Failed(fault.to_string()),
        };
        let sent = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.at.timestamp())
            .header("webhook-signature", signed.signatures)
            .body(signed.body)
            .send()
            .await;
        match sent {
            Ok(response) => answered(response, signed.at).await,
            Err(error) => Tried::Failed(reason(&error)),
        }
    }
}

async fn answered(mut response: Response, now: DateTime<Utc>) -> Tried {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| wait(text, now));
    // What is said by one who has taken it is of no interest.
    let said = if status.is_success() {
        String::new()
    } else {
        beginning(&mut response).await
    };
    Tried::Answered {
        status: status.as_u16(),
        retry_after,
        said,
    }
}

/// The wait of a `Retry-After`: seconds, or until a date.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (until.with_timezone(&Utc) - now).to_std().ok()
}

/// As much of the body as is kept; what goes wrong on the way changes nothing.
async fn beginning(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_SAID
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MAX_SAID);
    printable(&String::from_utf8_lossy(&bytes))
}

/// In one line, without what a log or the database could not bear.
fn printable(text: &str) -> String {
    let clean = text.replace(char::is_control, " ");
    clean.trim().to_owned()
}

/// An error with its causes, in one line, without the address, which may hold a secret of theirs.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "took too long".to_owned();
    }
    let mut text = "could not be reached".to_owned();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now: DateTime<Utc> = "1994-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(wait(" 120 ", now), Some(Duration::from_mins(2)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(37))
        );
        for none in ["-1", "soon", "", "Sun, 06 Nov 1994 08:48:37 GMT"] {
            assert_eq!(wait(none, now), None, "{none}");
        }
    }

    /// Whatever let the name through before: the connection asks again.
    #[tokio::test]
    async fn a_name_is_judged_when_it_is_connected_to() {
        let patience = Duration::from_secs(5);
        let sender = Sender::try_new(Reach::Public, patience).unwrap();
        let refused = sender.http.post("https://localhost:1/").send().await.unwrap_err();
        assert!(
            reason(&refused).contains("no public address"),
            "{}",
            reason(&refused)
        );
        let sender = Sender::try_new(Reach::Anywhere, patience).unwrap();
        let refused = sender.http.post("https://localhost:1/").send().await.unwrap_err();
        assert!(
            !reason(&refused).contains("no public address"),
            "{}",
            reason(&refused)
        );
    }

    #[test]
    fn what_was_said_is_one_line() {
        assert_eq!(printable("\0no\r\nway \u{7}"), "no  way");
    }
}
