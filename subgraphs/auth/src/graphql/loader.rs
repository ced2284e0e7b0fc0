//! Users by id, many in one statement.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use contracts::UserId;

use crate::App;
use crate::app::{self, Error};
use crate::domain::User;

/// Loads users; lives as long as one request.
pub(crate) struct UserLoader(App);

impl UserLoader {
    pub(crate) const fn new(app: App) -> Self {
        Self(app)
    }
}

impl Loader<UserId> for UserLoader {
    type Value = User;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, User>, Arc<Error>> {
        let users = app::users_by_ids(&self.0, ids).await.map_err(Arc::new)?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }
}
