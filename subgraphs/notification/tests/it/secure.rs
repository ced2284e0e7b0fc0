//! Mail servers as they are outside: encrypted, with a login, and their certificates from an authority of their own.

use std::io;
use std::sync::{Arc, Mutex};

use mail_sandbox::Guard;
use notification::App;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::net::TcpListener;

use crate::stage::{ADDRESS, Stage, TRIES};

const USER: &str = "shop@mercato.example";
const PASSWORD: &str = "canary-of-the-mail-server";
/// As AUTH PLAIN and AUTH LOGIN write it.
const ENCODED: [&str; 2] = [
    "AHNob3BAbWVyY2F0by5leGFtcGxlAGNhbmFyeS1vZi10aGUtbWFpbC1zZXJ2ZXI=",
    "Y2FuYXJ5LW9mLXRoZS1tYWlsLXNlcnZlcg==",
];

/// Who signs certificates.
struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }

    /// Its own certificate.
    fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What a service is told that signs in and trusts this authority.
    fn login(&self) -> Vec<Setting> {
        let mut all = login();
        all.push(("SMTP_CA", self.pem()));
        all
    }

    /// A certificate for `host` with its key.
    fn sign(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.certificate, &self.key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A variable with its value.
type Setting = (&'static str, String);

fn login() -> Vec<Setting> {
    vec![
        ("SMTP_USER", USER.to_owned()),
        ("SMTP_PASSWORD", PASSWORD.to_owned()),
    ]
}

#[derive(Clone, Copy)]
enum Way {
    Starttls,
    Implicit,
}

const WAYS: [Way; 2] = [Way::Starttls, Way::Implicit];

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Implicit => "implicit",
        }
    }

    fn guard(self, (chain, key): &(String, String)) -> Guard {
        match self {
            Self::Starttls => Guard::starttls(chain, key),
            Self::Implicit => Guard::implicit(chain, key),
        }
        .unwrap()
    }
}

/// A mail server that keeps what it takes in the stage's sandbox; answers its port.
async fn server(stage: &Stage, guard: Guard) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = stage.host.shutdown.clone();
    tokio::spawn(mail_sandbox::serve_guarded(
        listener,
        stage.sandbox.clone(),
        guard,
        stop,
    ));
    port
}

/// A notification service that sends to that port.
fn sender(stage: &Stage, way: Way, port: u16, more: &[Setting]) -> App {
    let mut smtp = vec![
        ("SMTP_ADDR", format!("localhost:{port}")),
        ("SMTP_TLS", way.name().to_owned()),
    ];
    smtp.extend_from_slice(more);
    stage.replica_with(&smtp)
}

/// What this thread logs, all of it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

#[track_caller]
fn tells_no_password(text: &str) {
    for secret in [PASSWORD].iter().chain(&ENCODED) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn a_mail_goes_encrypted_and_with_a_login() {
    let authority = Authority::new("Mercato's own");
    let own = authority.sign("localhost");
    for way in WAYS {
        for mechanisms in ["PLAIN LOGIN", "LOGIN"] {
            let stage = Stage::new().await;
            let log = Log::default();
            let _listening = log.listen();
            stage.paid().await;
            let guard = way.guard(&own).with_login(USER, PASSWORD, mechanisms);
            let port = server(&stage, guard).await;
            let app = sender(&stage, way, port, &authority.login());
            assert_eq!(app.send_mails().await.unwrap(), 1);
            assert_eq!(stage.mail().await, ("SENT".to_owned(), 1, None));
            assert_eq!(stage.caught()[0].to, [ADDRESS], "{} {mechanisms}", way.name());
            assert!(log.text().contains("sent a mail"), "{}", log.text());
            tells_no_password(&log.text());
        }
    }
}

/// Stays as it was, and tells why; answers the reason.
async fn waits(stage: &Stage, app: &App) -> String {
    for _ in 0..=TRIES {
        assert_eq!(app.send_mails().await.unwrap(), 1);
        stage.later().await;
    }
    let (state, attempts, reason) = stage.mail().await;
    assert_eq!(
        (state.as_str(), attempts),
        ("PENDING", 0),
        "it is nobody's fault but ours"
    );
    assert_eq!(stage.caught().len(), 0);
    reason.unwrap()
}

#[tokio::test]
async fn who_is_not_let_in_waits_and_tells_no_password() {
    let authority = Authority::new("Mercato's own");
    let own = authority.sign("localhost");
    for (way, mechanisms) in [(Way::Starttls, "PLAIN LOGIN"), (Way::Implicit, "LOGIN")] {
        let stage = Stage::new().await;
        let log = Log::default();
        let _listening = log.listen();
        stage.paid().await;
        // The server repeats in its refusal what it was told.
        let guard = way.guard(&own).with_login(USER, "another", mechanisms);
        let port = server(&stage, guard).await;
        let app = sender(&stage, way, port, &authority.login());
        let reason = waits(&stage, &app).await;
        assert!(reason.contains("535") && reason.contains("***"), "{reason}");
        tells_no_password(&reason);
        assert!(log.text().contains("a mail is tried again"), "{}", log.text());
        tells_no_password(&log.text());
        // With the right one it goes, at its first try.
        let guard = way.guard(&own).with_login(USER, PASSWORD, mechanisms);
        let port = server(&stage, guard).await;
        assert_eq!(
            sender(&stage, way, port, &authority.login())
                .send_mails()
                .await
                .unwrap(),
            1
        );
        assert_eq!(stage.mail().await, ("SENT".to_owned(), 1, None));
    }
}

#[tokio::test]
async fn who_has_no_login_waits_for_one() {
    let authority = Authority::new("Mercato's own");
    let stage = Stage::new().await;
    stage.paid().await;
    let guard = Way::Starttls.guard(&authority.sign("localhost"));
    let port = server(&stage, guard.with_login(USER, PASSWORD, "PLAIN")).await;
    let app = sender(&stage, Way::Starttls, port, &[("SMTP_CA", authority.pem())]);
    let reason = waits(&stage, &app).await;
    assert!(reason.contains("530"), "{reason}");
}

#[tokio::test]
async fn a_stranger_learns_neither_mail_nor_password() {
    let (authority, other) = (Authority::new("Mercato's own"), Authority::new("Somebody's"));
    // Signed by somebody else; for another name; by one whom we do not ask; by one whom the machine does not know.
    let (ours, theirs) = (&authority.pem(), &other.pem());
    for way in WAYS {
        for (chain, trusted) in [
            (other.sign("localhost"), Some(ours)),
            (authority.sign("mail.example"), Some(ours)),
            (authority.sign("localhost"), Some(theirs)),
            (authority.sign("localhost"), None),
        ] {
            let stage = Stage::new().await;
            stage.paid().await;
            let guard = way.guard(&chain).with_login(USER, PASSWORD, "PLAIN");
            let port = server(&stage, guard).await;
            let mut login = login();
            login.extend(trusted.map(|pem| ("SMTP_CA", pem.clone())));
            let app = sender(&stage, way, port, &login);
            let reason = waits(&stage, &app).await;
            assert!(reason.contains("certificate"), "{reason}");
            tells_no_password(&reason);
        }
    }
}

#[tokio::test]
async fn what_is_not_encrypted_is_not_spoken_to() {
    let stage = Stage::new().await;
    stage.paid().await;
    // It knows no TLS, and would take everything.
    let port = server(&stage, Guard::default().with_login(USER, PASSWORD, "PLAIN")).await;
    for way in WAYS {
        let app = sender(&stage, way, port, &login());
        tells_no_password(&waits(&stage, &app).await);
    }
}
