//! What changes the sums beside events: guard, one use case, translate.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use graphql_kit::{ApiError, Result, require_role};
use service_auth::Role;

use super::fault;
use super::rebuild::SalesRebuild;
use super::user_error::{SalesErrorCode, SalesUserError};
use crate::app::App;

/// Longest reason.
const MAX_REASON: usize = 500;

/// Why the sums are made again.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RebuildSalesInput {
    /// Why, for the record: 1 to 500 characters.
    reason: String,
}

impl RebuildSalesInput {
    fn parse(&self) -> Result<&str> {
        let reason = self.reason.trim();
        let fits = (1..=MAX_REASON).contains(&reason.chars().count()) && !reason.contains('\0');
        fits.then_some(reason).ok_or_else(|| {
            let why = format!("a reason has 1 to {MAX_REASON} characters");
            ApiError::bad_input(why).at(&["input", "reason"])
        })
    }
}

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
    async fn rebuild_sales(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Why.")] input: RebuildSalesInput,
    ) -> Result<RebuildSalesPayload> {
        let by = require_role(ctx, Role::Admin)?.id;
        let begun = ctx
            .data_unchecked::<App>()
            .begin_rebuild(by, input.parse()?)
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
