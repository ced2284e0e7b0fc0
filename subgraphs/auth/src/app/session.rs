//! What a user gets who proved who they are.

use chrono::{DateTime, Utc};
use contracts::{SessionId, UserId};
use sqlx::PgConnection;

use super::Error;
use crate::App;
use crate::domain::{RefreshToken, User};
use crate::store::sessions;

/// A session as its holder gets it.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: RefreshToken,
    /// When the access token ends.
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) user: User,
}

/// Opens a new session in the caller's transaction.
pub(crate) async fn open_in_tx(app: &App, tx: &mut PgConnection, user: User) -> Result<Issued, Error> {
    let (id, now) = (SessionId::generate(), app.clock.now());
    let refresh = RefreshToken::from_random(rand::random());
    let rotation_key: [u8; 32] = rand::random();
    sessions::insert(
        &mut *tx,
        id,
        user.id,
        &rotation_key,
        now,
        now + app.tokens.session,
    )
    .await?;
    sessions::insert_token(tx, &refresh.hash(), id, now).await?;
    Ok(issue(app, user, id, refresh))
}

/// A fresh access token beside a refresh token.
pub(crate) fn issue(app: &App, user: User, session: SessionId, refresh_token: RefreshToken) -> Issued {
    let (access_token, expires_at) = app.signer.mint(user.id, user.roles, session, app.tokens.access);
    Issued {
        access_token,
        refresh_token,
        expires_at,
        user,
    }
}

/// Refuses an access token whose session was ended: a logout takes effect at once where it matters most.
pub(crate) async fn require_live(app: &App, user: UserId, session: SessionId) -> Result<(), Error> {
    if sessions::is_live(&app.pool, session, user, app.clock.now()).await? {
        Ok(())
    } else {
        Err(Error::SessionEnded)
    }
}
