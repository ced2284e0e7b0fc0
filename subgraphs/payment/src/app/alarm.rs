//! What must never happen, said loudly: a metric to page on and a line in the log.

/// Kinds of alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The provider reports another amount, currency or payment than ours.
    Mismatch,
    /// The provider contradicts what it said before.
    Contradiction,
    /// The provider reports a payment that is not ours.
    UnknownPayment,
    /// Somebody refunded behind our back.
    ForeignRefund,
    /// A refund failed; a person must see to it.
    RefundFailed,
    /// A payment is open for so long that the provider may have forgotten its key; a person must see to it.
    TooOld,
}

impl Alarm {
    /// Its label in the metric, and the outcome noted with a webhook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mismatch => "mismatch",
            Self::Contradiction => "contradiction",
            Self::UnknownPayment => "unknown_payment",
            Self::ForeignRefund => "foreign_refund",
            Self::RefundFailed => "refund_failed",
            Self::TooOld => "too_old",
        }
    }

    /// Raises it; `about` names the payment, `detail` says what is wrong.
    pub(crate) fn raise(self, about: impl std::fmt::Display, detail: impl std::fmt::Display) {
        let help = "Things that must never happen; each needs a person.";
        service_kit::metrics::counter("payment_alarms_total", help, &["kind"])
            .with_label_values(&[self.as_str()])
            .inc();
        tracing::error!(alarm = self.as_str(), %about, %detail, "payment alarm");
    }
}
