//! A payment and the total table of what the provider's word does to it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::payment::{PaymentState, PaymentView, StartPayment};
use contracts::{Money, OrderId, PaymentId, Problem, ProblemCode, UserId};

/// Where a payment stands. Finer than [`PaymentState`]: a void that waits for the provider is a stage of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Recorded; the provider has not decided.
    Initiated,
    /// Recorded, and asked to be given up; the provider has not decided.
    Voiding,
    /// The money is ours.
    Captured,
    /// The provider declined.
    Failed,
    /// Given up before capture.
    Voided,
    /// A refund is on its way.
    RefundPending,
    /// All of it went back.
    Refunded,
    /// A part of it went back.
    PartiallyRefunded,
}

/// What the provider says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum News {
    /// Undecided.
    Processing,
    /// The money was taken.
    Captured,
    /// The card was declined.
    Declined,
    /// It was cancelled.
    Cancelled,
}

/// What follows from the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Nothing: known before, or older than what is known.
    None,
    /// Record the capture.
    Capture,
    /// Record the capture of a payment already given up, and give the money back.
    CaptureLate,
    /// Record that it failed.
    Fail,
    /// Record that it is void.
    Void,
    /// Impossible: raise the alarm, change nothing.
    Contradiction,
}

impl Stage {
    /// The total table. News may be late, repeated or out of order; only a capture can follow an end.
    pub const fn hear(self, news: News) -> Change {
        match (self, news) {
            (Self::Initiated | Self::Voiding, News::Captured) => Change::Capture,
            (Self::Failed | Self::Voided, News::Captured) => Change::CaptureLate,
            // Cancelled behind our back: for the order it is a failure like any other.
            (Self::Initiated | Self::Voiding, News::Declined) | (Self::Initiated, News::Cancelled) => {
                Change::Fail
            }
            (Self::Voiding, News::Cancelled) => Change::Void,
            (
                Self::Captured | Self::RefundPending | Self::Refunded | Self::PartiallyRefunded,
                News::Declined,
            ) => Change::Contradiction,
            // Undecided, known, or older than what is known: a cancel read just before a late capture comes after it.
            (_, News::Processing)
            | (Self::Failed | Self::Voided, News::Declined | News::Cancelled)
            | (
                Self::Captured | Self::RefundPending | Self::Refunded | Self::PartiallyRefunded,
                News::Captured | News::Cancelled,
            ) => Change::None,
        }
    }

    /// Whether the money was taken, whatever became of it since.
    pub const fn is_captured(self) -> bool {
        matches!(
            self,
            Self::Captured | Self::RefundPending | Self::Refunded | Self::PartiallyRefunded
        )
    }

    /// Whether the provider's word is awaited.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Initiated | Self::Voiding)
    }

    /// Where it stands, as others see it.
    pub const fn public(self) -> PaymentState {
        match self {
            Self::Initiated | Self::Voiding => PaymentState::Initiated,
            Self::Captured => PaymentState::Captured,
            Self::Failed => PaymentState::Failed,
            Self::Voided => PaymentState::Voided,
            Self::RefundPending => PaymentState::RefundPending,
            Self::Refunded => PaymentState::Refunded,
            Self::PartiallyRefunded => PaymentState::PartiallyRefunded,
        }
    }
}

/// What order asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The buyer.
    pub user_id: UserId,
    /// The order's exact total.
    pub amount: Money,
    /// The provider's payment method.
    pub method: String,
}

impl Terms {
    /// Checks the request; `Invalid` if it can't be paid at all.
    pub fn try_new(request: StartPayment) -> Result<Self, Problem> {
        let StartPayment {
            user_id,
            amount,
            method,
        } = request;
        if amount.amount_minor < 1 {
            return Err(Problem::new(ProblemCode::Invalid, "the amount must be positive"));
        }
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if method.is_empty() || method.len() > 255 || !method.bytes().all(known) {
            return Err(Problem::new(
                ProblemCode::Invalid,
                "the method is not the id of a payment method",
            ));
        }
        Ok(Self {
            user_id,
            amount,
            method,
        })
    }
}

/// A payment of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Also the idempotency key at the provider.
    pub id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
    /// What was asked for; `None` is a tombstone, voided before it was started.
    pub terms: Option<Terms>,
    /// Where it stands.
    pub stage: Stage,
    /// The provider's id of it.
    pub psp_ref: Option<String>,
    /// Why the provider declined.
    pub decline_code: Option<String>,
    /// When the money was taken.
    pub captured_at: Option<DateTime<Utc>>,
    /// Minor units that went back.
    pub refunded_minor: i64,
    /// Rises with every change that is published.
    pub version: i64,
    /// The request that started it.
    pub correlation_id: Option<String>,
    /// The trace of that request.
    pub traceparent: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// How often the provider was asked since the last change.
    pub checks: i32,
}

impl Payment {
    /// Answers order: the view, or the refusal that the stage stands for.
    pub fn view(&self) -> Result<PaymentView, Problem> {
        let Some(terms) = &self.terms else {
            return Err(Problem::new(
                ProblemCode::NotFound,
                "the payment was voided before it was started",
            ));
        };
        Ok(PaymentView {
            payment_id: self.id,
            order_id: self.order_id,
            status: self.stage.public(),
            amount: terms.amount,
            decline_code: self.decline_code.clone(),
        })
    }

    /// Answers a repeated start: the same request gets the payment, another one is refused.
    pub fn answer_start(&self, asked: &Terms) -> Result<PaymentView, Problem> {
        if matches!(self.stage, Stage::Voided | Stage::Voiding) {
            return Err(Problem::new(ProblemCode::Voided, "the payment was voided before"));
        }
        if self.terms.as_ref() != Some(asked) {
            return Err(Problem::new(
                ProblemCode::BodyMismatch,
                "the payment was started with other terms",
            ));
        }
        if self.stage == Stage::Failed {
            let mut declined = Problem::new(ProblemCode::Declined, "the provider declined");
            declined.decline_code.clone_from(&self.decline_code);
            return Err(declined);
        }
        self.view()
    }

    /// What may still be refunded, given what is on its way back.
    pub fn refundable_minor(&self, pending_minor: i64) -> i64 {
        match &self.terms {
            Some(terms) if self.stage.is_captured() => {
                terms.amount.amount_minor - self.refunded_minor - pending_minor
            }
            _ => 0,
        }
    }

    /// The stage of a captured payment, given what is on its way back.
    pub fn stage_after_refund(&self, pending_minor: i64) -> Stage {
        let captured = self.terms.as_ref().map_or(0, |terms| terms.amount.amount_minor);
        if pending_minor > 0 {
            Stage::RefundPending
        } else if self.refunded_minor == 0 {
            Stage::Captured
        } else if self.refunded_minor < captured {
            Stage::PartiallyRefunded
        } else {
            Stage::Refunded
        }
    }

    /// When to ask the provider again, if nothing is heard. A voided payment is asked about a few times more:
    /// money may have been taken all the same, and the webhook that says so may be lost.
    pub fn recheck_after(&self) -> Option<Duration> {
        let checks = u32::try_from(self.checks).unwrap_or_default();
        match self.stage {
            Stage::Initiated | Stage::Voiding => {
                Some(Duration::from_secs(1 << checks.min(6)).min(Duration::from_mins(1)))
            }
            Stage::Voided if self.psp_ref.is_some() => {
                let minutes = [1, 5, 30, 240].get(usize::try_from(checks).ok()?)?;
                Some(Duration::from_mins(*minutes))
            }
            _ => None,
        }
    }
}
