//! Rotates a refresh token.

use service_kit::refusal::{Door, refused};
use sqlx::PgConnection;

use super::{Error, Issued, error, session};
use crate::App;
use crate::domain::{RefreshToken, Refusal, Standing, User, standing};
use crate::store::sessions::{self, Reason, Session};
use crate::store::users;

/// Gives the successor of a refresh token and a new access token, or ends the family of a token that came twice.
pub(crate) async fn refresh(app: &App, token: &str) -> Result<Issued, Error> {
    let outcome = exchange(app, token).await;
    error::note(&outcome, "whoever has the token", "refreshSession");
    outcome
}

async fn exchange(app: &App, token: &str) -> Result<Issued, Error> {
    let token = RefreshToken::parse(token).ok_or(Refusal::TokenExpired)?;
    let mut tx = app.pool.begin().await?;
    let rotated = rotate_in_tx(app, &mut tx, &token).await;
    // A refusal is committed too: the end of a family must not be undone by the answer about it.
    if matches!(rotated, Ok(_) | Err(Error::Refused(_))) {
        tx.commit().await?;
    }
    let (session, successor) = rotated?;
    let user = owner(app, &session).await?;
    Ok(session::issue(app, user, session.id, successor))
}

async fn rotate_in_tx(
    app: &App,
    tx: &mut PgConnection,
    token: &RefreshToken,
) -> Result<(Session, RefreshToken), Error> {
    let now = app.clock.now();
    let session = sessions::lock_by_token(&mut *tx, &token.hash())
        .await?
        .ok_or(Refusal::TokenExpired)?;
    if session.ended_by_reuse() {
        return Err(Refusal::TokenReused.into());
    }
    if session.revoke_reason.is_some() || session.expires_at <= now {
        return Err(Refusal::TokenExpired.into());
    }
    let successor = token.successor(&session.rotation_key);
    let used_at = sessions::used_at(&mut *tx, &token.hash()).await?.flatten();
    let successor_used_at = sessions::used_at(&mut *tx, &successor.hash()).await?.flatten();
    match standing(used_at, successor_used_at, now) {
        Standing::Present => {
            sessions::mark_used(&mut *tx, &token.hash(), now).await?;
            sessions::insert_token(tx, &successor.hash(), session.id, now).await?;
            Ok((session, successor))
        }
        Standing::Repeat => Ok((session, successor)),
        Standing::Reused => {
            refused(
                Door::Login,
                session.user_id,
                session.id,
                "TOKEN_REUSED",
                "refresh token used twice, session ended",
            );
            sessions::revoke(tx, session.id, now, Reason::Reuse).await?;
            Err(Refusal::TokenReused.into())
        }
    }
}

/// The user as they are now: a role taken away is gone from the next access token on.
async fn owner(app: &App, session: &Session) -> Result<User, Error> {
    let found = users::by_ids(&app.pool, &[session.user_id]).await?;
    found
        .into_iter()
        .find(|user| user.disabled_at.is_none())
        .ok_or_else(|| Refusal::TokenExpired.into())
}
