//! Products that are bought together.

use contracts::ProductId;

/// Fewer orders with both products say nothing.
pub const MIN_TOGETHER: i64 = 3;

/// A product that is bought with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoughtWith {
    /// The product.
    pub product: ProductId,
    /// Paid orders with both.
    pub together: i64,
    /// How many times as often both are in an order as they would be by chance.
    pub lift: f64,
}
