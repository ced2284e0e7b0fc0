//! Gives and takes roles.

use contracts::UserId;
use service_auth::{CurrentUser, Role, Roles};

use super::{Error, session};
use crate::App;
use crate::domain::{Refusal, User};
use crate::store::users;

/// Replaces a user's roles. The caller must be an administrator now, not only when the token was signed; and one
/// administrator must remain.
pub(crate) async fn set_roles(
    app: &App,
    caller: &CurrentUser,
    target: UserId,
    roles: Roles,
) -> Result<User, Error> {
    session::require_live(app, caller.id, caller.session).await?;
    let mut tx = app.pool.begin().await?;
    let admins = users::lock_admins(&mut tx).await?;
    if !admins.contains(&caller.id) {
        return Err(Error::RoleLost);
    }
    if admins == [target] && !roles.has(Role::Admin) {
        return Err(Refusal::LastAdmin.into());
    }
    let user = users::set_roles(&mut tx, target, roles)
        .await?
        .ok_or(Refusal::UserNotFound)?;
    tx.commit().await?;
    tracing::info!(by = %caller.id, user = %target, ?roles, "roles changed");
    Ok(user)
}
