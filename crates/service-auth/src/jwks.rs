//! The user keys, cached: one fetch at a time, unknown key ids refetch rarely, the last good set outlives auth.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::SessionId;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use service_kit::Clock;
use url::Url;

use crate::keys;

/// A flood of tokens with made-up key ids costs one fetch in this time.
const UNKNOWN_KID_EVERY: TimeDelta = TimeDelta::seconds(30);
/// Before the first success, tries may come faster: nobody can log in until then.
const FIRST_LOAD_EVERY: TimeDelta = TimeDelta::seconds(1);
/// After this a withdrawn key is noticed.
const STALE_AFTER: TimeDelta = TimeDelta::seconds(60);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Ten thousand ended sessions take some 330 KiB.
const MAX_BODY: usize = 1024 * 1024;
const MAX_KEYS: usize = 16;

/// Member of the key set that lists sessions whose access tokens count no more.
pub const ENDED_SESSIONS: &str = "ended_sessions";

/// Keys by their id, and the sessions that were ended while a token of theirs may live.
pub(crate) struct Keys {
    by_id: HashMap<String, DecodingKey>,
    /// `None`: the publisher does not know at present, so what was known stays.
    ended: Option<Arc<HashSet<SessionId>>>,
}

impl Keys {
    pub(crate) fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.by_id.get(kid)
    }

    pub(crate) fn has_ended(&self, session: SessionId) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.contains(&session))
    }

    fn keeping_ends_of(mut self, former: Option<&Self>) -> Self {
        self.ended = self.ended.or_else(|| former?.ended.clone());
        self
    }
}

/// The cache; clones share it.
#[derive(Clone)]
pub(crate) struct Jwks(Arc<Inner>);

struct Inner {
    /// `None`: the keys are given and never change.
    source: Option<Source>,
    clock: Clock,
    state: RwLock<State>,
    flight: tokio::sync::Mutex<()>,
}

struct Source {
    url: Url,
    http: reqwest::Client,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<Keys>>,
    attempted_at: Option<DateTime<Utc>>,
}

impl Jwks {
    /// Keys from auth, fetched when first needed.
    pub(crate) fn remote(url: Url, clock: Clock) -> Self {
        let source = Source {
            url,
            http: service_kit::http::client(FETCH_TIMEOUT),
        };
        Self::new(Some(source), State::default(), clock)
    }

    /// Keys known from the start.
    pub(crate) fn fixed(keys: Keys, clock: Clock) -> Self {
        Self::new(
            None,
            State {
                keys: Some(Arc::new(keys)),
                attempted_at: None,
            },
            clock,
        )
    }

    fn new(source: Option<Source>, state: State, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            source,
            clock,
            state: RwLock::new(state),
            flight: tokio::sync::Mutex::new(()),
        }))
    }

    /// Replaces the keys, when their owner itself holds them.
    pub(crate) fn replace(&self, keys: Keys) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.keeping_ends_of(state.keys.as_deref());
        state.keys = Some(Arc::new(keys));
    }

    /// The keys, with `kid` among them if auth has it. `None`: never reached auth.
    pub(crate) async fn with(&self, kid: &str) -> Option<Arc<Keys>> {
        let known = self.keys();
        if known.as_ref().is_some_and(|keys| keys.get(kid).is_some()) {
            if self.may_fetch(STALE_AFTER) {
                let cache = self.clone();
                tokio::spawn(async move { cache.refresh(STALE_AFTER).await });
            }
            return known;
        }
        self.refresh(if known.is_some() {
            UNKNOWN_KID_EVERY
        } else {
            FIRST_LOAD_EVERY
        })
        .await;
        self.keys()
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        self.0
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys
            .clone()
    }

    fn may_fetch(&self, every: TimeDelta) -> bool {
        let last = self
            .0
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .attempted_at;
        let now = self.0.clock.now();
        // A clock that was set back must not stop fetching for ever.
        self.0.source.is_some() && last.is_none_or(|last| now >= last + every || now < last)
    }

    async fn refresh(&self, every: TimeDelta) {
        let Some(source) = &self.0.source else { return };
        let _flight = self.0.flight.lock().await;
        // Whoever waited for the flight finds its result.
        if !self.may_fetch(every) {
            return;
        }
        let fetched = source.fetch().await;
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.attempted_at = Some(self.0.clock.now());
        match fetched {
            Ok(keys) => {
                let keys = keys.keeping_ends_of(state.keys.as_deref());
                state.keys = Some(Arc::new(keys));
            }
            Err(error) => tracing::warn!(
                error,
                kept = state.keys.is_some(),
                "signing keys can't be fetched"
            ),
        }
    }
}

impl Source {
    async fn fetch(&self) -> Result<Keys, String> {
        let sent = self.http.get(self.url.clone()).send().await;
        let mut response = sent
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.without_url().to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| error.without_url().to_string())?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err("too large".to_owned());
            }
        }
        parse(&body)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Entry>,
    #[serde(default)]
    ended_sessions: Option<HashSet<SessionId>>,
}

#[derive(Deserialize)]
struct Entry {
    kid: Option<String>,
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    x: Option<String>,
}

/// The Ed25519 keys of a key set; other keys are skipped, a set without one is an error.
pub(crate) fn parse(body: &[u8]) -> Result<Keys, String> {
    let set: Set = serde_json::from_slice(body).map_err(|_| "not a key set".to_owned())?;
    let by_id: HashMap<String, DecodingKey> = set
        .keys
        .into_iter()
        .take(MAX_KEYS)
        .filter_map(Entry::into_key)
        .collect();
    if by_id.is_empty() {
        return Err("no Ed25519 key".to_owned());
    }
    let ended = set.ended_sessions.map(Arc::new);
    Ok(Keys { by_id, ended })
}

impl Entry {
    fn into_key(self) -> Option<(String, DecodingKey)> {
        let is = |value: &Option<String>, wanted: &str| value.as_deref().is_none_or(|value| value == wanted);
        if self.kty != "OKP"
            || self.crv.as_deref() != Some("Ed25519")
            || !is(&self.alg, "EdDSA")
            || !is(&self.usage, "sig")
        {
            return None;
        }
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(self.x?).ok()?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&bytes)
            .ok()
            .filter(|key| !key.is_weak())?;
        Some((self.kid?, keys::decoding(&key)))
    }
}
