//! Batches: one statement however many users an operation names.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Request};
use contracts::UserId;
use graphql_kit::{ApiError, Batcher, Result};

use super::SERVICE;
use crate::app::{App, AppError, Slice};
use crate::domain::{Notification, Preferences};

/// Loads for one operation. Doesn't ask who may see what.
pub(super) struct Loads(App);

/// A page of a user's notifications.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PageOf {
    pub(super) user: UserId,
    pub(super) slice: Slice,
}

/// How many notifications a user has not read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UnreadOf(pub(super) UserId);

/// What a user wants to be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PreferencesOf(pub(super) UserId);

type Loaded<K, V> = std::result::Result<HashMap<K, V>, Arc<AppError>>;

/// Fresh loaders for one operation.
pub(super) fn attach(request: Request, app: &App) -> Request {
    request.data(Batcher::new(Loads(app.clone())))
}

/// Loads one value, with all others asked for at about the same time.
pub(super) async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<Loads as Loader<K>>::Value>>
where
    K: Send + Sync + Clone + Eq + std::hash::Hash + 'static,
    Loads: Loader<K, Error = Arc<AppError>>,
{
    let batcher = ctx.data_unchecked::<Batcher<Loads>>();
    batcher.load_one(key).await.map_err(|error| match &*error {
        AppError::Store(source) if pg_kit::is_retryable(source) => ApiError::unavailable(SERVICE),
        _ => ApiError::internal(error),
    })
}

impl Loader<PageOf> for Loads {
    type Value = Vec<Notification>;
    type Error = Arc<AppError>;

    /// One statement for each cursor and size; an operation has one of them for each time it writes `notifications`.
    async fn load(&self, keys: &[PageOf]) -> Loaded<PageOf, Vec<Notification>> {
        let mut users: HashMap<_, Vec<UserId>> = HashMap::new();
        for key in keys {
            users.entry(key.slice).or_default().push(key.user);
        }
        let mut pages = HashMap::new();
        for (slice, users) in users {
            let told = self.0.notifications_of(&users, slice).await?;
            pages.extend(
                told.into_iter()
                    .map(|(user, page)| (PageOf { user, slice }, page)),
            );
        }
        Ok(pages)
    }
}

impl Loader<UnreadOf> for Loads {
    type Value = i64;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[UnreadOf]) -> Loaded<UnreadOf, i64> {
        let users: Vec<_> = keys.iter().map(|key| key.0).collect();
        let unread = self.0.unread_of(&users).await?;
        Ok(unread
            .into_iter()
            .map(|(user, count)| (UnreadOf(user), count))
            .collect())
    }
}

impl Loader<PreferencesOf> for Loads {
    type Value = Preferences;
    type Error = Arc<AppError>;

    async fn load(&self, keys: &[PreferencesOf]) -> Loaded<PreferencesOf, Preferences> {
        let users: Vec<_> = keys.iter().map(|key| key.0).collect();
        let said = self.0.preferences_of(&users).await?;
        Ok(said
            .into_iter()
            .map(|(user, said)| (PreferencesOf(user), said))
            .collect())
    }
}
