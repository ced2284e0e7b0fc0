//! Mistakes that such systems are known for. With each of them the model must be found to break a promise, or else the
//! search would prove nothing.

use super::Invariant;

/// A mistake in a service, in the runner or in the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Inventory forgets a release of what was never held.
    NoTombstone,
    /// Payment forgets a void of what was never started.
    NoVoidTombstone,
    /// The stock is given back before the payment is given up.
    ReleaseBeforeVoid,
    /// Each try of a refund is another refund.
    RefundKeyRandom,
    /// Each try of a payment is another charge.
    ChargeKeyRandom,
    /// Payment doesn't tell of money that came after the void.
    LateMoneyUntold,
    /// Payment tells of it as if it had come in time.
    LateMoneyUnmarked,
    /// Inventory sells a hold that ended, without looking at the shelf.
    SellsExpired,
    /// No answer is taken for a refusal.
    SilenceIsRefusal,
    /// Whoever saves last wins.
    NoCompareAndSet,
    /// An event is acknowledged before its effect is committed.
    AcknowledgesFirst,
    /// A saga whose runner died is not taken up again.
    NoRecovery,
}

impl Defect {
    pub(super) const ALL: [Self; 12] = [
        Self::NoTombstone,
        Self::NoVoidTombstone,
        Self::ReleaseBeforeVoid,
        Self::RefundKeyRandom,
        Self::ChargeKeyRandom,
        Self::LateMoneyUntold,
        Self::LateMoneyUnmarked,
        Self::SellsExpired,
        Self::SilenceIsRefusal,
        Self::NoCompareAndSet,
        Self::AcknowledgesFirst,
        Self::NoRecovery,
    ];

    /// Promises of which one must be seen broken.
    pub(super) const fn breaks(self) -> &'static [Invariant] {
        use Invariant as I;
        match self {
            Self::NoVoidTombstone | Self::ReleaseBeforeVoid => &[I::PaymentDecidesFirst],
            Self::RefundKeyRandom | Self::ChargeKeyRandom => &[I::MoneyMovesOnce],
            Self::NoTombstone | Self::LateMoneyUntold | Self::AcknowledgesFirst => {
                &[I::CancelledKeepsNothing]
            }
            Self::LateMoneyUnmarked => &[I::NobodyIsCalled],
            Self::SellsExpired => &[I::UnitsAreConserved],
            Self::SilenceIsRefusal => &[I::CancelledKeepsNothing, I::PaymentDecidesFirst],
            Self::NoCompareAndSet => &[I::HistoryIsAPath],
            Self::NoRecovery => &[I::HealedEnds],
        }
    }
}
