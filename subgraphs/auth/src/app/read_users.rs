//! Reads users.

use contracts::UserId;

use super::Error;
use crate::App;
use crate::domain::User;
use crate::store::users;

/// The users with these ids, in any order; missing ones are left out.
pub(crate) async fn users_by_ids(app: &App, ids: &[UserId]) -> Result<Vec<User>, Error> {
    Ok(users::by_ids(&app.pool, ids).await?)
}

/// A page of users, newest first.
pub(crate) async fn users_page(
    app: &App,
    after: Option<UserId>,
    search: Option<&str>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let search = search.map(str::trim).filter(|search| !search.is_empty());
    Ok(users::page(&app.pool, after, search, limit).await?)
}
