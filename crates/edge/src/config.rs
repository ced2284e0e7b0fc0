//! The edge's environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use service_auth::UserVerifierConfig;
use service_kit::{ConfigError, Env};

/// What the edge is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// `PUBLIC_ADDR`: where browsers come in.
    pub public: SocketAddr,
    /// `PAGE_DIR`: the built page, with `index.html` in it.
    pub page: PathBuf,
    /// `GRAPH_UPSTREAM`: host and port of the router.
    pub graph: String,
    /// `STAFF_UPSTREAM`: host and port of the staff's router.
    pub staff: String,
    /// `LIVE_UPSTREAMS`: host and port of each WebSocket, by the service that has it, as `NAME=HOST:PORT,...`.
    pub live: BTreeMap<String, String>,
    /// `KEYS_UPSTREAM`: host and port of auth's public keys.
    pub keys: String,
    /// `TRACE_VIEWER`: where a trace can be looked at, with `{traceId}` in it. The page links to it.
    pub trace_viewer: Option<String>,
    /// Only while developing.
    pub development: Option<Development>,
}

/// What the control room needs to pull plugs.
#[derive(Debug, Clone)]
pub struct Development {
    /// `STACK_DIR`: the data folder of the local system.
    pub folder: PathBuf,
    /// `JWKS_URL` and the rest: who is an administrator.
    pub users: UserVerifierConfig,
}

impl Config {
    /// Reads the variables named above. Plugs can be pulled only with `MERCATO_ENV=development` and `STACK_DIR`, and
    /// then the address must be a loopback address.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let public = env.required::<SocketAddr>("PUBLIC_ADDR");
        let page = env.required::<PathBuf>("PAGE_DIR");
        let graph = env.required("GRAPH_UPSTREAM");
        let staff = env.required("STAFF_UPSTREAM");
        let live = live(env);
        let keys = env.required("KEYS_UPSTREAM");
        let trace_viewer = env.maybe("TRACE_VIEWER");
        let development = development(env, public);
        if let Some(page) = page.as_ref().filter(|page| !page.join("index.html").is_file()) {
            env.fault(format!("PAGE_DIR has no index.html: {}", page.display()));
        }
        env.finish(|| {
            Some(Self {
                public: public?,
                page: page?,
                graph: graph?,
                staff: staff?,
                live: live?,
                keys: keys?,
                trace_viewer: trace_viewer?,
                development: development?,
            })
        })
    }
}

/// Every service that serves subscriptions must be named, and no other.
fn live(env: &mut Env) -> Option<BTreeMap<String, String>> {
    let text: String = env.required("LIVE_UPSTREAMS")?;
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let live: BTreeMap<String, String> = pairs
        .map(|(name, address)| (name.to_owned(), address.to_owned()))
        .collect();
    if live.keys().eq(roster::LIVE) {
        return Some(live);
    }
    env.fault(format!(
        "LIVE_UPSTREAMS must be NAME=HOST:PORT for each of {}",
        roster::LIVE.join(", ")
    ));
    None
}

#[expect(
    clippy::option_option,
    reason = "a fault, no plugs, or plugs: as Env::maybe reads"
)]
fn development(env: &mut Env, public: Option<SocketAddr>) -> Option<Option<Development>> {
    let mode = env.optional("MERCATO_ENV", "production".to_owned())?;
    let Some(folder) = env.maybe::<PathBuf>("STACK_DIR")? else {
        return Some(None);
    };
    if mode != "development" {
        env.fault("STACK_DIR is for MERCATO_ENV=development alone");
    }
    if public.is_some_and(|addr| !addr.ip().is_loopback()) {
        env.fault("with STACK_DIR, PUBLIC_ADDR must be a loopback address");
    }
    let users = UserVerifierConfig::from_env(env)?;
    Some(Some(Development { folder, users }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let page = tempfile::tempdir().unwrap();
        std::fs::write(page.path().join("index.html"), "").unwrap();
        let page = page.path().display().to_string();
        let mut pairs = vec![
            ("PUBLIC_ADDR", "127.0.0.1:8080"),
            ("PAGE_DIR", page.as_str()),
            ("GRAPH_UPSTREAM", "127.0.0.1:1"),
            ("STAFF_UPSTREAM", "127.0.0.1:4"),
            ("LIVE_UPSTREAMS", "notification=127.0.0.1:5,order=127.0.0.1:2"),
            ("KEYS_UPSTREAM", "127.0.0.1:3"),
        ];
        pairs.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        pairs.extend(more);
        Config::from_env(&mut Env::from_pairs(pairs))
    }

    #[test]
    fn plugs_are_for_development_on_the_loopback_address() {
        assert!(read(&[]).unwrap().development.is_none());
        let stack = [("STACK_DIR", "/data"), ("JWKS_URL", "http://127.0.0.1:3/keys")];
        let production = read(&stack).unwrap_err();
        assert!(production.faults[0].contains("MERCATO_ENV"), "{production}");
        let mut open = stack.to_vec();
        open.extend([("MERCATO_ENV", "development"), ("PUBLIC_ADDR", "0.0.0.0:8080")]);
        let open = read(&open).unwrap_err();
        assert!(open.faults[0].contains("loopback"), "{open}");
        let mut local = stack.to_vec();
        local.push(("MERCATO_ENV", "development"));
        assert!(read(&local).unwrap().development.is_some());
    }

    #[test]
    fn a_page_that_was_not_built_is_a_fault() {
        let error = read(&[("PAGE_DIR", "/nowhere")]).unwrap_err();
        assert!(error.faults[0].contains("index.html"), "{error}");
    }

    #[test]
    fn each_websocket_is_named_and_no_other() {
        for text in [
            "order=127.0.0.1:2",
            "127.0.0.1:2",
            "order=1,notification=2,cart=3",
        ] {
            let error = read(&[("LIVE_UPSTREAMS", text)]).unwrap_err();
            assert!(error.faults[0].contains("notification, order"), "{error}");
        }
    }
}
