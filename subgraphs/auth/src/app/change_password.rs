//! Replaces a password; every session ends and one new begins.

use service_auth::CurrentUser;

use super::{Error, Issued, error, login, session};
use crate::App;
use crate::domain::{Password, Refusal, Throttle};
use crate::store::sessions::{self, Reason};
use crate::store::throttles::Subject;
use crate::store::users;

/// Both passwords.
pub(crate) struct ChangePassword {
    pub(crate) current: String,
    pub(crate) new: String,
}

/// Changes the caller's password. Guesses at the current one count as login attempts.
pub(crate) async fn change_password(
    app: &App,
    caller: &CurrentUser,
    input: ChangePassword,
) -> Result<Issued, Error> {
    let outcome = replace(app, caller, input).await;
    error::note(&outcome, caller.id, "changePassword");
    outcome
}

async fn replace(app: &App, caller: &CurrentUser, input: ChangePassword) -> Result<Issued, Error> {
    session::require_live(app, caller.id, caller.session).await?;
    let email_key = users::email_key(&app.pool, caller.id)
        .await?
        .ok_or(Error::SessionEnded)?;
    let current = Password::typed(&input.current)?;
    let new = Password::chosen(&input.new, &email_key)?;
    login::admit(app, Subject::Account(&email_key), Throttle::ACCOUNT).await?;
    let found = users::credentials(&app.pool, &email_key).await?;
    let (credentials, _) = login::check(app, found, current).await?;
    let new_hash = app.passwords.hash(new).await?;

    let mut tx = app.pool.begin().await?;
    if !users::lock_if_password(&mut tx, caller.id, &credentials.password_hash).await? {
        return Err(Refusal::InvalidCredentials.into());
    }
    users::set_password(&mut tx, caller.id, &new_hash).await?;
    sessions::revoke_all(&mut tx, caller.id, app.clock.now(), Reason::Password).await?;
    let issued = session::open_in_tx(app, &mut tx, credentials.user).await?;
    tx.commit().await?;
    login::forgive(app, &email_key, None).await;
    tracing::info!(user = %caller.id, "password changed, other sessions ended");
    Ok(issued)
}
