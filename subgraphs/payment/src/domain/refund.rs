//! A refund and the total table of what the provider's word does to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::payment::{RefundState, RefundView};
use contracts::{Money, OrderId, PaymentId, RefundId};

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundStage {
    /// On its way.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider refused; needs a person.
    Failed,
}

/// What the provider says of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundNews {
    /// Undecided.
    Pending,
    /// The money went back.
    Succeeded,
    /// It did not.
    Failed,
}

/// What follows from the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundChange {
    /// Nothing new.
    None,
    /// Record that the money went back.
    Complete,
    /// Record that it did not.
    Fail,
    /// Impossible: raise the alarm, change nothing.
    Contradiction,
}

impl RefundStage {
    /// The total table.
    pub const fn hear(self, news: RefundNews) -> RefundChange {
        match (self, news) {
            (Self::Pending, RefundNews::Succeeded) => RefundChange::Complete,
            (Self::Pending, RefundNews::Failed) => RefundChange::Fail,
            (_, RefundNews::Pending)
            | (Self::Succeeded, RefundNews::Succeeded)
            | (Self::Failed, RefundNews::Failed) => RefundChange::None,
            (Self::Succeeded, RefundNews::Failed) | (Self::Failed, RefundNews::Succeeded) => {
                RefundChange::Contradiction
            }
        }
    }

    /// Where it stands, as others see it.
    pub const fn public(self) -> RefundState {
        match self {
            Self::Pending => RefundState::Pending,
            Self::Succeeded => RefundState::Succeeded,
            Self::Failed => RefundState::Failed,
        }
    }
}

/// A refund of a payment, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Also the idempotency key at the provider.
    pub id: RefundId,
    /// What is refunded.
    pub payment_id: PaymentId,
    /// Why; the key under which it is asked for.
    pub reason: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub stage: RefundStage,
    /// The provider's id of it.
    pub psp_ref: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// How often the provider was asked.
    pub checks: i32,
}

impl Refund {
    /// Answers order.
    pub fn view(&self, order_id: OrderId) -> RefundView {
        RefundView {
            refund_id: self.id,
            order_id,
            amount: self.amount,
            status: self.stage.public(),
        }
    }

    /// When to ask the provider again while the refund is on its way: soon, then hourly, for it may take days.
    pub fn recheck_after(&self) -> Duration {
        let checks = u32::try_from(self.checks).unwrap_or_default();
        Duration::from_secs(2 << checks.min(12)).min(Duration::from_hours(1))
    }
}

/// Whether a text may be a reason key.
pub fn is_reason(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
