//! Makes a user and logs them in.

use std::net::IpAddr;

use contracts::UserId;
use service_auth::{Role, Roles};

use super::{Error, Issued, error, login, session};
use crate::App;
use crate::domain::{DisplayName, Email, Password, Refusal, User};
use crate::store::users;

/// What a newcomer says.
pub(crate) struct Register {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) display_name: String,
    pub(crate) from: Option<IpAddr>,
}

/// Registers a customer.
pub(crate) async fn register(app: &App, input: Register) -> Result<Issued, Error> {
    let email = Email::try_new(&input.email)?;
    let display_name = DisplayName::try_new(&input.display_name)?.into_string();
    let password = Password::chosen(&input.password, &email.key())?;
    let admitted = login::admit_address(app, input.from).await;
    error::note(&admitted, error::from(input.from), "register");
    admitted?;
    let hash = app.passwords.hash(password).await?;
    let user = User {
        id: UserId::generate(),
        email: email.as_str().to_owned(),
        display_name,
        roles: Roles::from([Role::Customer].as_slice()),
        created_at: app.clock.now(),
        disabled_at: None,
    };
    let mut tx = app.pool.begin().await?;
    if !users::insert(&mut tx, &user, &email.key(), &hash).await? {
        return Err(Refusal::EmailTaken.into());
    }
    let issued = session::open_in_tx(app, &mut tx, user).await?;
    tx.commit().await?;
    tracing::info!(user = %issued.user.id, "user registered");
    Ok(issued)
}
