//! Makes the first administrator.

use contracts::UserId;
use service_auth::{Role, Roles};
use service_kit::Secret;

use super::Error;
use crate::App;
use crate::domain::{Email, Password, User};
use crate::store::users;

/// Makes the administrator if nobody has the address; an existing user stays as they are. True if made.
pub(crate) async fn bootstrap(app: &App, email: &str, password: &Secret) -> Result<bool, Error> {
    let email = Email::try_new(email)?;
    let password = Password::chosen(password.expose(), &email.key())?;
    if users::credentials(&app.pool, &email.key()).await?.is_some() {
        return Ok(false);
    }
    let hash = app.passwords.hash(password).await?;
    let user = User {
        id: UserId::generate(),
        email: email.as_str().to_owned(),
        display_name: "Administrator".to_owned(),
        roles: Roles::from([Role::Customer, Role::Admin].as_slice()),
        created_at: app.clock.now(),
        disabled_at: None,
    };
    let mut tx = app.pool.begin().await?;
    let made = users::insert(&mut tx, &user, &email.key(), &hash).await?;
    tx.commit().await?;
    if made {
        tracing::warn!(user = %user.id, "first administrator made from the environment: change its password");
    }
    Ok(made)
}
