//! Objects, enums and inputs: thin shapes over the domain's values.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use graphql_kit::PageInfoObject;
use graphql_kit::page::Page;

use super::user_error::InventoryUserError;
use crate::domain::stock::{self, Level, Movement};

/// Whether a variant can be bought now.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the names of the graph")]
pub(crate) enum AvailabilityStatus {
    /// Enough units are left.
    InStock,
    /// Few units are left.
    LowStock,
    /// None is left.
    OutOfStock,
}

impl From<stock::AvailabilityStatus> for AvailabilityStatus {
    fn from(status: stock::AvailabilityStatus) -> Self {
        match status {
            stock::AvailabilityStatus::Plenty => Self::InStock,
            stock::AvailabilityStatus::Few => Self::LowStock,
            stock::AvailabilityStatus::Nothing => Self::OutOfStock,
        }
    }
}

/// What a shopper may know of a variant's stock.
#[derive(SimpleObject)]
pub(crate) struct Availability {
    /// Whether it can be bought now.
    pub(crate) status: AvailabilityStatus,
    /// The most one order may hold now: what is left, at most 99.
    pub(crate) max_order_quantity: i32,
    /// When this was so; only an order makes it sure.
    pub(crate) as_of: DateTime<Utc>,
}

/// Where the units of a SKU are; received = available + reserved + sold.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct StockLevel {
    /// Units ever received, less those written off.
    received: i32,
    /// Units that can be bought.
    available: i32,
    /// Units held for orders that are not paid yet.
    reserved: i32,
    /// Units of paid orders.
    sold: i32,
}

impl From<Level> for StockLevel {
    fn from(level: Level) -> Self {
        let Level {
            received,
            available,
            reserved,
            sold,
        } = level;
        Self {
            received,
            available,
            reserved,
            sold,
        }
    }
}

/// What happened to units.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(tag = "internal", remote = "stock::MovementKind")]
pub(crate) enum StockMovementKind {
    /// Units came in.
    Receive,
    /// Units were written off; the quantity is negative.
    Adjust,
    /// Units were held for an order.
    Hold,
    /// Held units were sold.
    Confirm,
    /// Held units were given back.
    Release,
    /// Held units were given back because time was over.
    Expire,
    /// All sold units of an order came back after a refund.
    Restock,
    /// Some of an order's sold units came back.
    Return,
}

/// One entry of the stock ledger, which only grows.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct StockMovement {
    /// The entry's id.
    id: ID,
    /// The SKU whose units moved.
    sku: String,
    /// What happened to them.
    kind: StockMovementKind,
    /// How many units; negative only when written off.
    quantity: i32,
    /// The order they moved for, if any.
    order_id: Option<ID>,
    /// Why staff changed the stock.
    reason: Option<String>,
    /// When it happened.
    at: DateTime<Utc>,
}

impl From<Movement> for StockMovement {
    fn from(movement: Movement) -> Self {
        Self {
            id: movement.id.into(),
            sku: movement.sku,
            kind: movement.kind.into(),
            quantity: movement.quantity,
            order_id: movement.order_id.map(|id| id.to_string().into()),
            reason: movement.reason,
            at: movement.at,
        }
    }
}

/// A movement with its cursor.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct StockMovementEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The movement.
    node: StockMovement,
}

/// A page of movements, newest first.
pub(crate) struct StockMovementConnection(pub(crate) Page<Movement>);

/// A page of movements, newest first.
#[async_graphql::Object(tag = "internal")]
impl StockMovementConnection {
    /// The movements with their cursors.
    async fn edges(&self) -> Vec<StockMovementEdge> {
        let edge = |(cursor, node): &(String, Movement)| StockMovementEdge {
            cursor: cursor.clone(),
            node: node.clone().into(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The movements.
    async fn nodes(&self) -> Vec<StockMovement> {
        self.0.items.iter().map(|(_, node)| node.clone().into()).collect()
    }

    /// Where this page stands.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// What to change by hand.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct AdjustStockInput {
    /// The SKU; receiving units of a new one makes it known.
    pub(crate) sku: String,
    /// Units to receive, or, when negative, to write off.
    pub(crate) delta: i32,
    /// Why, for the ledger.
    pub(crate) reason: String,
    /// The same key and input answer the same and change nothing more.
    pub(crate) idempotency_key: ID,
}

/// What came of a change by hand.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct AdjustStockPayload {
    /// The SKU's units after the change; none when it was refused.
    pub(crate) level: Option<StockLevel>,
    /// Why it was refused.
    pub(crate) user_errors: Vec<InventoryUserError>,
}

/// The stock of part of a catalogue.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct ImportStockInput {
    /// At most 200 lines; a SKU named twice counts with its larger quantity.
    pub(crate) lines: Vec<ImportStockLineInput>,
    /// The same key and input answer the same and change nothing more.
    pub(crate) idempotency_key: ID,
}

/// A SKU and how many units of it there should be.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct ImportStockLineInput {
    /// The SKU; a new one becomes known.
    pub(crate) sku: String,
    /// At least so many units were received when the import is done.
    pub(crate) quantity: i32,
}

/// What came of an import.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct ImportStockPayload {
    /// SKUs that had fewer units before; none when the import was refused.
    pub(crate) raised: Option<i32>,
    /// SKUs that had as many already; none when the import was refused.
    pub(crate) unchanged: Option<i32>,
    /// Why it was refused.
    pub(crate) user_errors: Vec<InventoryUserError>,
}
