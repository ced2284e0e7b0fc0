//! The mutation root: guard, parse, one call, map.

use async_graphql::{Context, Object};
use graphql_kit::{Result, require_role};
use service_auth::Role;

use super::fault;
use super::types::{AdjustStockInput, AdjustStockPayload, ImportStockInput, ImportStockPayload, StockLevel};
use super::user_error::{InventoryErrorCode, InventoryUserError};
use crate::App;
use crate::app::Once;
use crate::app::adjust_stock::{Adjusted, Adjustment, adjust_stock};
use crate::app::import_stock::{Imported, import_stock};

/// Mutation root.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Receives units of a SKU or writes off available ones. Administrators only.
    #[graphql(tag = "internal")]
    async fn adjust_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: AdjustStockInput,
    ) -> Result<AdjustStockPayload> {
        let by = require_role(ctx, Role::Admin)?.id;
        let AdjustStockInput {
            sku,
            delta,
            reason,
            idempotency_key,
        } = input;
        let asked = Adjustment { sku, delta, reason };
        let pool = &ctx.data_unchecked::<App>().pool;
        let outcome = adjust_stock(pool, by, &idempotency_key, asked)
            .await
            .map_err(fault)?;
        Ok(outcome.into())
    }

    /// Sees to it that at least so many units of each SKU were received. Running it again, or resuming it, changes
    /// nothing more. Administrators only.
    #[graphql(tag = "internal")]
    async fn import_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to load.")] input: ImportStockInput,
    ) -> Result<ImportStockPayload> {
        let by = require_role(ctx, Role::Admin)?.id;
        let lines = input
            .lines
            .into_iter()
            .map(|line| (line.sku, line.quantity))
            .collect();
        let pool = &ctx.data_unchecked::<App>().pool;
        let outcome = import_stock(pool, by, &input.idempotency_key, lines)
            .await
            .map_err(fault)?;
        Ok(outcome.into())
    }
}

impl From<Once<Adjusted>> for AdjustStockPayload {
    fn from(outcome: Once<Adjusted>) -> Self {
        let refused = |error| Self {
            level: None,
            user_errors: vec![error],
        };
        match outcome {
            Once::Done(Adjusted::Level(level)) => Self {
                level: Some(StockLevel::from(level)),
                user_errors: Vec::new(),
            },
            Once::Done(Adjusted::InsufficientStock) => refused(
                InventoryUserError::new(
                    InventoryErrorCode::InsufficientStock,
                    "Too few units are available",
                )
                .at(&["input", "delta"]),
            ),
            Once::Done(Adjusted::UnknownSku) => refused(
                InventoryUserError::new(
                    InventoryErrorCode::UnknownSku,
                    "No unit of this SKU was ever received",
                )
                .at(&["input", "sku"]),
            ),
            Once::KeyReused => refused(InventoryUserError::key_reused()),
        }
    }
}

impl From<Once<Imported>> for ImportStockPayload {
    fn from(outcome: Once<Imported>) -> Self {
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        match outcome {
            Once::Done(Imported { raised, unchanged }) => Self {
                raised: Some(count(raised)),
                unchanged: Some(count(unchanged)),
                user_errors: Vec::new(),
            },
            Once::KeyReused => Self {
                raised: None,
                unchanged: None,
                user_errors: vec![InventoryUserError::key_reused()],
            },
        }
    }
}
