//! A user's own sessions: which there are, and the end of one from another device.

use chrono::TimeDelta;
use contracts::SessionId;
use service_auth::CurrentUser;
use service_kit::refusal::{Door, refused};

use super::{Error, session};
use crate::App;
use crate::domain::Refusal;
use crate::store::sessions::{self, LiveSession, Reason};

/// More than this many ends in the life of one access token are not told: then only the newest are.
const MOST_ENDED: i64 = 10_000;
/// Longer than the clocks of two services may be apart.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// The caller's sessions that have not ended, newest first.
pub(crate) async fn live_sessions(app: &App, caller: &CurrentUser) -> Result<Vec<LiveSession>, Error> {
    session::require_live(app, caller.id, caller.session).await?;
    Ok(sessions::live(&app.pool, caller.id, app.clock.now()).await?)
}

/// Ends one of the caller's sessions; another's is as good as none.
pub(crate) async fn end_session(app: &App, caller: &CurrentUser, id: SessionId) -> Result<(), Error> {
    session::require_live(app, caller.id, caller.session).await?;
    let now = app.clock.now();
    if !sessions::is_live(&app.pool, id, caller.id, now).await? {
        // Whose it is, if anybody's, is not looked up: the caller's it is not.
        let code = "SESSION_NOT_FOUND";
        refused(
            Door::Ownership,
            caller.id,
            id,
            code,
            "no live session of the caller's",
        );
        return Err(Refusal::SessionNotFound.into());
    }
    let mut tx = app.pool.begin().await?;
    sessions::revoke(&mut tx, id, now, Reason::Ended).await?;
    tx.commit().await?;
    tracing::info!(user = %caller.id, session = %id, by = %caller.session, "session ended by its user");
    Ok(())
}

/// Sessions that were ended while an access token of theirs may still live: every service refuses those.
pub(crate) async fn ended_sessions(app: &App) -> Result<Vec<SessionId>, Error> {
    let life = TimeDelta::from_std(app.tokens.access).unwrap_or(TimeDelta::hours(1));
    let since = app.clock.now() - life - MARGIN;
    let ended = sessions::ended_since(&app.pool, since, MOST_ENDED).await?;
    if ended.len() >= usize::try_from(MOST_ENDED).unwrap_or(usize::MAX) {
        tracing::warn!(told = MOST_ENDED, "more sessions ended lately than are told");
    }
    Ok(ended)
}
