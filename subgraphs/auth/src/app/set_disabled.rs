//! Shuts a user out, and lets them in again.

use contracts::UserId;
use service_auth::CurrentUser;

use super::{Error, session};
use crate::App;
use crate::domain::{Refusal, User};
use crate::store::sessions::{self, Reason};
use crate::store::users;

/// Disables or enables a user. The caller must be an administrator now; one who can sign in must remain. A disabled
/// user's sessions end in the same transaction, and every service hears of their end with the signing keys.
pub(crate) async fn set_disabled(
    app: &App,
    caller: &CurrentUser,
    target: UserId,
    disabled: bool,
) -> Result<User, Error> {
    session::require_live(app, caller.id, caller.session).await?;
    let now = app.clock.now();
    let mut tx = app.pool.begin().await?;
    let admins = users::lock_admins(&mut tx).await?;
    if !admins.contains(&caller.id) {
        return Err(Error::RoleLost);
    }
    if disabled && admins == [target] {
        return Err(Refusal::LastAdmin.into());
    }
    let user = users::set_disabled(&mut tx, target, disabled.then_some(now))
        .await?
        .ok_or(Refusal::UserNotFound)?;
    if disabled {
        sessions::revoke_all(&mut tx, target, now, Reason::Disabled).await?;
    }
    tx.commit().await?;
    tracing::warn!(by = %caller.id, user = %target, disabled, "an account was disabled or enabled");
    Ok(user)
}
