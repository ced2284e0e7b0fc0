//! What changes the sums beside events: guard, one use case, translate.

use async_graphql::{Context, Object, SimpleObject};
use graphql_kit::{Result, require_role};
use service_auth::Role;

use super::fault;
use super::rebuild::SalesRebuild;
use super::user_error::{SalesErrorCode, SalesUserError};
use crate::app::App;

/// What was begun, or is at work already.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct RebuildSalesPayload {
    /// The one that is at work now.
    rebuild: Option<SalesRebuild>,
    /// Why nothing was begun; empty if it was.
    user_errors: Vec<SalesUserError>,
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Begins to make all sums again from what was heard, and does not wait for the end: `salesRebuild` tells. Reports
    /// show the sums as they were until then. For administrators. Repeats are harmless.
    #[graphql(tag = "internal")]
    async fn rebuild_sales(&self, ctx: &Context<'_>) -> Result<RebuildSalesPayload> {
        let by = require_role(ctx, Role::Admin)?.id;
        let begun = ctx
            .data_unchecked::<App>()
            .begin_rebuild(by)
            .await
            .map_err(fault)?;
        let user_errors = if begun.work.is_some() {
            Vec::new()
        } else {
            let why = "The sums are being made again already";
            vec![SalesUserError::new(SalesErrorCode::AlreadyRunning, why)]
        };
        Ok(RebuildSalesPayload {
            rebuild: Some(SalesRebuild(begun.rebuild)),
            user_errors,
        })
    }
}
