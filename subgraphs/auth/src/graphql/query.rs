//! The query root and the user as an entity.

use async_graphql::{Context, ID, Object};
use contracts::UserId;
use graphql_kit::page::{self, Page};
use graphql_kit::{ApiError, Batcher, Result, hidden, parse_id, require_staff, require_user, viewer};

use super::fault;
use super::loader::UserLoader;
use super::types::{ActiveSession, User, UserConnection};
use crate::App;
use crate::app;

const USERS: &str = "auth.users";
/// Longer than any address.
const MAX_SEARCH: usize = 254;

/// Query root.
pub struct Query;

#[Object]
impl Query {
    /// The signed-in user; none without a session.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        match viewer(ctx) {
            Some(user) => load(ctx, user.id).await,
            None => Ok(None),
        }
    }

    /// The signed-in user's sessions that have not ended, newest first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<ActiveSession>> {
        let caller = require_user(ctx)?;
        let live = app::live_sessions(ctx.data_unchecked::<App>(), caller)
            .await
            .map_err(fault)?;
        let shown = |session| ActiveSession::new(session, caller.session);
        Ok(live.into_iter().map(shown).collect())
    }

    /// A user by id; for staff.
    #[graphql(tag = "internal")]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's id.")] id: ID,
    ) -> Result<Option<User>> {
        require_staff(ctx)?;
        load(ctx, parse_id(&id, "id")?).await
    }

    /// All users, newest first; for staff.
    #[graphql(tag = "internal")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 20)] first: i32,
        #[graphql(desc = "The cursor to go on from.")] after: Option<String>,
        #[graphql(desc = "Part of an e-mail address or name.")] search: Option<String>,
    ) -> Result<UserConnection> {
        require_staff(ctx)?;
        let args = page::parse::<UserId>(USERS, first, after)?;
        if search
            .as_ref()
            .is_some_and(|search| search.len() > MAX_SEARCH || search.contains('\0'))
        {
            return Err(ApiError::bad_input("search must be a short text").at(&["search"]));
        }
        let app = ctx.data_unchecked::<App>();
        let rows = app::users_page(app, args.after, search.as_deref(), args.limit())
            .await
            .map_err(fault)?;
        Ok(UserConnection(Page::from_rows(
            USERS,
            rows,
            args.first,
            args.after.is_some(),
            |user| user.id,
        )))
    }

    /// Others than the user and staff get null, as for a user that does not exist.
    #[graphql(entity)]
    async fn find_user(&self, ctx: &Context<'_>, #[graphql(key)] id: ID) -> Result<Option<User>> {
        let Ok(id) = id.parse::<UserId>() else {
            return Ok(None);
        };
        match viewer(ctx) {
            Some(user) if user.id == id || user.is_staff() => load(ctx, id).await,
            _ => {
                hidden(ctx, id);
                Ok(None)
            }
        }
    }
}

async fn load(ctx: &Context<'_>, id: UserId) -> Result<Option<User>> {
    let loader = ctx.data_unchecked::<Batcher<UserLoader>>();
    let user = loader.load_one(id).await.map_err(ApiError::internal)?;
    Ok(user.map(User))
}
