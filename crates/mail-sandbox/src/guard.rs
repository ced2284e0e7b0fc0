//! What a client must do before it may send: go on encrypted, say who it is. As a process the sandbox wants neither; a
//! test may want both.

use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::session::{Answer, say};

/// How a sandbox is guarded; by default not at all.
#[derive(Clone, Default)]
pub struct Guard {
    pub(crate) tls: Tls,
    pub(crate) login: Option<Login>,
}

#[derive(Clone, Default)]
pub(crate) enum Tls {
    #[default]
    None,
    /// On demand, and nothing of importance before.
    Starttls(TlsAcceptor),
    /// From the first byte.
    Implicit(TlsAcceptor),
}

impl Guard {
    /// Encrypted after STARTTLS, with this chain of certificates and their key, both as PEM.
    pub fn starttls(chain: &str, key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            tls: Tls::Starttls(acceptor(chain, key)?),
            login: None,
        })
    }

    /// Encrypted from the first byte.
    pub fn implicit(chain: &str, key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            tls: Tls::Implicit(acceptor(chain, key)?),
            login: None,
        })
    }

    /// Lets in only whoever knows this, by one of `mechanisms`: `PLAIN`, `LOGIN` or both with a space between.
    #[must_use]
    pub fn with_login(mut self, user: &str, password: &str, mechanisms: &'static str) -> Self {
        self.login = Some(Login::new(user, password, mechanisms));
        self
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            starttls: matches!(self.tls, Tls::Starttls(_)),
            login: self.login.clone(),
        }
    }
}

fn acceptor(chain: &str, key: &str) -> anyhow::Result<TlsAcceptor> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .context("the chain of certificates")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("the key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What a session must know of its guard.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) starttls: bool,
    pub(crate) login: Option<Login>,
}

/// Who is let in.
#[derive(Clone)]
pub(crate) struct Login {
    user: String,
    password: String,
    pub(crate) mechanisms: &'static str,
}

/// What the next line of a login is.
pub(crate) enum Step {
    Both,
    User,
    Password(String),
}

impl Step {
    /// What asks for it: by custom, in base64.
    pub(crate) const fn prompt(&self) -> &'static str {
        match self {
            Self::Both => "",
            Self::User => "VXNlcm5hbWU6",
            Self::Password(_) => "UGFzc3dvcmQ6",
        }
    }
}

impl Login {
    pub(crate) fn new(user: &str, password: &str, mechanisms: &'static str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            mechanisms,
        }
    }

    /// Begins a login; `None` when it is through.
    pub(crate) fn begin(&self, rest: &str) -> Result<Option<Step>, Answer> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        if !self.mechanisms.split(' ').any(|offered| offered == mechanism) {
            return Err(say(504, "not this way"));
        }
        let step = if mechanism == "PLAIN" {
            Step::Both
        } else {
            Step::User
        };
        if first.is_empty() {
            return Ok(Some(step));
        }
        self.hear(step, first)
    }

    /// Takes the next line of a login.
    pub(crate) fn hear(&self, step: Step, line: &str) -> Result<Option<Step>, Answer> {
        let text = BASE64
            .decode(line)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else {
            return Err(say(501, "that is no base64, or you have changed your mind"));
        };
        let (user, password) = match step {
            Step::User => return Ok(Some(Step::Password(text))),
            Step::Password(user) => (user, text),
            Step::Both => {
                let mut parts = text.split('\0').skip(1).map(ToOwned::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
        };
        if user == self.user && password == self.password {
            return Ok(None);
        }
        // As the rudest servers do: what it was told stands in what it says.
        Err(say(535, &format!("not let in: {line} ({user}, {password})")))
    }
}
