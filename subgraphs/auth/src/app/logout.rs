//! Ends a session, or all of a user's.

use super::Error;
use crate::App;
use crate::domain::RefreshToken;
use crate::store::sessions::{self, Reason};

/// Ends the token's session; with `everywhere` all sessions of its user. A token that is none, or of a session that
/// has ended, changes nothing and is told so to nobody.
pub(crate) async fn logout(app: &App, token: &str, everywhere: bool) -> Result<(), Error> {
    let Some(token) = RefreshToken::parse(token) else {
        return Ok(());
    };
    let now = app.clock.now();
    let mut tx = app.pool.begin().await?;
    let Some(session) = sessions::lock_by_token(&mut tx, &token.hash()).await? else {
        return Ok(());
    };
    if session.revoke_reason.is_some() || session.expires_at <= now {
        return Ok(());
    }
    // Whoever holds only an old token may end its family, as any use of it does, but not the others.
    let is_present = sessions::used_at(&mut tx, &token.hash()).await? == Some(None);
    if everywhere && is_present {
        let ended = sessions::revoke_all(&mut tx, session.user_id, now, Reason::Everywhere).await?;
        tracing::info!(user = %session.user_id, ended, "logged out everywhere");
    } else {
        let reason = if is_present { Reason::Logout } else { Reason::Reuse };
        sessions::revoke(&mut tx, session.id, now, reason).await?;
    }
    tx.commit().await?;
    Ok(())
}
