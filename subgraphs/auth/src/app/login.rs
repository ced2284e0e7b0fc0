//! Checks a password and opens a session.

use std::net::IpAddr;
use std::time::Duration;

use super::passwords::Verdict;
use super::{Error, Issued, error, session};
use crate::App;
use crate::domain::{Email, Password, Refusal, Throttle};
use crate::store::throttles::Subject;
use crate::store::users::{self, Credentials};

/// What a user says to get in.
pub(crate) struct Login {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) from: Option<IpAddr>,
}

/// Logs a user in.
pub(crate) async fn login(app: &App, input: Login) -> Result<Issued, Error> {
    let from = error::from(input.from);
    let what = format!("login of account {}", error::mark(&input.email));
    let outcome = sign_in(app, input).await;
    error::note(&outcome, from, what);
    outcome
}

async fn sign_in(app: &App, input: Login) -> Result<Issued, Error> {
    // A text that is no address is counted and checked all the same: the answer and its time tell nothing.
    let email_key = Email::try_new(&input.email).map_or_else(|_| String::new(), |email| email.key());
    let password = Password::typed(&input.password)?;
    admit_address(app, input.from).await?;
    admit(app, Subject::Account(&email_key), Throttle::ACCOUNT).await?;
    let found = users::credentials(&app.pool, &email_key).await?;
    let (credentials, verdict) = check(app, found, password.clone()).await?;
    if credentials.user.disabled_at.is_some() {
        return Err(Refusal::AccountDisabled.into());
    }
    let fresh_hash = match verdict {
        Verdict::Outdated => Some(app.passwords.hash(password).await?),
        _ => None,
    };
    let issued = open(app, credentials, fresh_hash).await?;
    forgive(app, &email_key, input.from).await;
    Ok(issued)
}

/// Whose password it is; wrong and unknown are one answer.
pub(crate) async fn check(
    app: &App,
    found: Option<Credentials>,
    password: Password,
) -> Result<(Credentials, Verdict), Error> {
    let hash = found
        .as_ref()
        .map(|credentials| credentials.password_hash.clone());
    let verdict = app.passwords.verify(password, hash).await?;
    match found {
        Some(credentials) if verdict != Verdict::Wrong => Ok((credentials, verdict)),
        _ => Err(Refusal::InvalidCredentials.into()),
    }
}

async fn open(app: &App, credentials: Credentials, fresh_hash: Option<String>) -> Result<Issued, Error> {
    let Credentials { user, password_hash } = credentials;
    let mut tx = app.pool.begin().await?;
    // The password may have been changed, or the user disabled, and all sessions ended, while this one was checked.
    if !users::lock_if_password(&mut tx, user.id, &password_hash).await? {
        return Err(Refusal::InvalidCredentials.into());
    }
    if let Some(hash) = fresh_hash {
        users::set_password(&mut tx, user.id, &hash).await?;
    }
    let issued = session::open_in_tx(app, &mut tx, user).await?;
    tx.commit().await?;
    Ok(issued)
}

/// Counts an attempt from a network address, when the gateway knows it.
pub(crate) async fn admit_address(app: &App, from: Option<IpAddr>) -> Result<(), Error> {
    match from {
        Some(address) => admit(app, Subject::Address(&network(address)), Throttle::ADDRESS).await,
        None => Ok(()),
    }
}

/// Counts an attempt, or refuses it.
pub(crate) async fn admit(app: &App, subject: Subject<'_>, throttle: Throttle) -> Result<(), Error> {
    match app.throttles.admit(subject, throttle, app.clock.now()).await? {
        None => Ok(()),
        Some(wait) => Err(Refusal::TooManyAttempts {
            retry_after_s: seconds(wait),
        }
        .into()),
    }
}

/// A good login: earlier failures of the account count no more.
pub(crate) async fn forgive(app: &App, email_key: &str, from: Option<IpAddr>) {
    let address = from.map(network);
    let address = address.as_deref().map(Subject::Address);
    for subject in [Some(Subject::Account(email_key)), address].into_iter().flatten() {
        // The user is in; a counter that stays high only slows the next mistake.
        if let Err(error) = app.throttles.forgive(subject).await {
            tracing::warn!(%error, "a login counter could not be cleared");
        }
    }
}

/// An IPv6 user has 2^64 addresses: the network counts.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_one_subject() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn waits_are_told_in_whole_seconds_and_never_zero() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(2)), 2);
        assert_eq!(seconds(Duration::from_millis(2001)), 3);
    }
}
