//! The mail server, spoken to by SMTP.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use contracts::auth::Contact;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls as Encryption, TlsParameters};
use lettre::transport::smtp::{Error as SmtpError, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use service_kit::Secret;
use url::Url;

use super::template::{self, Templates};
use crate::domain::Mail;
use crate::domain::mail::Failure;

/// For one command.
const COMMAND: Duration = Duration::from_secs(10);
/// Mails handed over at the same time.
const CONNECTIONS: u32 = 8;

/// How a connection is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a server on the same machine or in a closed network.
    None,
    /// By STARTTLS, which must succeed.
    Starttls,
    /// From the first byte.
    Implicit,
}

impl FromStr for Tls {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "none" => Ok(Self::None),
            "starttls" => Ok(Self::Starttls),
            "implicit" => Ok(Self::Implicit),
            _ => Err(()),
        }
    }
}

/// `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl FromStr for HostPort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = text.rsplit_once(':').ok_or(())?;
        if host.is_empty() || host.contains(['/', '@']) {
            return Err(());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(drop)?,
        })
    }
}

/// Who vouches for the mail server: certificates as PEM.
#[derive(Debug, Clone)]
pub struct Authority(Certificate);

impl FromStr for Authority {
    type Err = ();

    fn from_str(pem: &str) -> Result<Self, ()> {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(());
        }
        let authority = Self(Certificate::from_pem(pem.as_bytes()).map_err(drop)?);
        // What is in it is only read when it is used.
        authority.vouch_for("localhost").map_err(drop)?;
        Ok(authority)
    }
}

impl Authority {
    /// What is trusted of a server: what this authority signed, and nothing else.
    fn vouch_for(&self, host: &str) -> Result<TlsParameters, SmtpError> {
        TlsParameters::builder(host.to_owned())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(self.0.clone())
            .build()
    }
}

/// Where mails go, and from whom they come.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// `SMTP_ADDR`.
    pub server: HostPort,
    /// `SMTP_TLS`.
    pub tls: Tls,
    /// `SMTP_CA` (or `SMTP_CA_FILE`).
    pub authority: Option<Authority>,
    /// `SMTP_USER` with `SMTP_PASSWORD` (or `SMTP_PASSWORD_FILE`).
    pub login: Option<(String, Secret)>,
    /// `MAIL_FROM`.
    pub from: Mailbox,
    /// `SHOP_URL`.
    pub shop: Url,
}

/// Hands mails over to the mail server; cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

/// What must not be kept of what a server says: some repeat what they were told.
struct Unspeakable(Vec<String>);

impl Unspeakable {
    /// The password, as it is and as the ways of logging in write it.
    fn of(login: Option<&(String, Secret)>) -> Self {
        let Some((user, password)) = login else {
            return Self(Vec::new());
        };
        let password = password.expose();
        let plain = BASE64.encode(format!("\0{user}\0{password}"));
        Self(vec![plain, BASE64.encode(password), password.to_owned()])
    }

    /// An error with its causes, in one line.
    fn text_of(&self, error: &SmtpError) -> String {
        let mut text = chain_of(error);
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret.as_str(), "***");
        }
        text
    }
}

struct Inner {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    templates: Templates,
    from: Mailbox,
    unspeakable: Unspeakable,
}

impl Mailer {
    /// A mailer that connects when it has something to send.
    pub fn try_new(config: SmtpConfig) -> anyhow::Result<Self> {
        let HostPort { host, port } = config.server;
        let trusted = || {
            let trusted = match &config.authority {
                Some(authority) => authority.vouch_for(&host),
                None => TlsParameters::new(host.clone()),
            };
            trusted.context("SMTP_TLS")
        };
        let encryption = match config.tls {
            Tls::None => Encryption::None,
            Tls::Starttls => Encryption::Required(trusted()?),
            Tls::Implicit => Encryption::Wrapper(trusted()?),
        };
        let unspeakable = Unspeakable::of(config.login.as_ref());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .tls(encryption)
            .port(port)
            .timeout(Some(COMMAND))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let Some((user, password)) = config.login {
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(Self(Arc::new(Inner {
            transport: builder.build(),
            templates: Templates::try_new(config.shop).context("the templates of mails")?,
            from: config.from,
            unspeakable,
        })))
    }

    /// Whether the server is there and lets us in.
    pub(crate) async fn reachable(&self) -> Result<(), Failure> {
        let away = |why: String| Failure::Away(format!("the mail server is away: {why}"));
        match self.0.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(away("it does not answer".to_owned())),
            Err(error) => Err(away(self.0.unspeakable.text_of(&error))),
        }
    }

    /// Hands a mail over. Each try has the same Message-ID, by which a receiver knows a repeat.
    pub(crate) async fn send(&self, mail: &Mail, contact: &Contact) -> Result<(), Failure> {
        let message = self.message(mail, contact)?;
        match self.0.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let reason = self.0.unspeakable.text_of(&error);
                Err(failure(&error, &reason.replace(&contact.email, "the address")))
            }
        }
    }

    fn message(&self, mail: &Mail, contact: &Contact) -> Result<Message, Failure> {
        let never = |what: &str| Failure::Never(what.to_owned());
        let address: Address = contact
            .email
            .parse()
            .map_err(|_| never("the address is not one that SMTP knows"))?;
        let words = self
            .0
            .templates
            .render(mail, contact)
            .map_err(|error| Failure::Later(format!("the template failed: {error:#}")))?;
        let id = format!("<{}@{}>", mail.id, self.0.from.email.domain());
        // Nobody's "out of office" should answer it (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(Some(template::name_of(contact)), address))
            .subject(words.subject)
            .message_id(Some(id))
            .date(mail.at.into())
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(words.text, words.html))
            .map_err(|error| Failure::Never(format!("this makes no mail: {error}")))
    }
}

/// What a failed try says of the mail. What the server says often repeats the address, which is nobody else's to keep.
fn failure(error: &SmtpError, reason: &str) -> Failure {
    let reason = reason.to_owned();
    let code = error.status().map(u16::from);
    match code {
        // It goes away, or it does not let us in.
        Some(421 | 530 | 534 | 535 | 538) => Failure::Away(reason),
        _ if error.is_permanent() => Failure::Never(reason),
        _ => Failure::Later(reason),
    }
}

/// An error with its causes, in one line.
fn chain_of(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.replace(['\r', '\n'], " ")
}
