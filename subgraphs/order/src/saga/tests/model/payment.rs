//! Payment with its provider, as order sees them: one charge, decided by the provider whenever it likes.

use super::bag::{Bag, News};
use super::inventory::Answer;
use super::{Defect, RefundReason, Reply, Rules};

/// Where the payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    None,
    Initiated,
    Voiding,
    Captured,
    Failed,
    Voided,
    /// Voided before it was started: the provider never heard of it.
    Tombstone,
    RefundPending,
    Refunded,
}

impl Stage {
    /// Whether the provider has yet to decide.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Initiated | Self::Voiding)
    }

    /// Whether no money was taken and none will be.
    pub(super) const fn is_free(self) -> bool {
        matches!(self, Self::None | Self::Failed | Self::Voided | Self::Tombstone)
    }
}

/// How a call that leaves the choice to the provider turns out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Luck {
    /// A start is under way, a void is carried out, a refund is accepted.
    Usual,
    /// A start is declined at once, a void is not decided in time, a refund is through at once.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Payment {
    pub(super) stage: Stage,
    /// The refund's key.
    pub(super) refund: Option<RefundReason>,
    pub(super) captures: u8,
    pub(super) returns: u8,
    /// The money came after the payment had been given up.
    pub(super) late: bool,
}

impl Payment {
    pub(super) const fn new() -> Self {
        Self {
            stage: Stage::None,
            refund: None,
            captures: 0,
            returns: 0,
            late: false,
        }
    }

    pub(super) fn start(&mut self, luck: Luck, rules: Rules, news: &mut Bag<News>) -> Reply {
        match self.stage {
            Stage::None | Stage::Initiated if luck == Luck::Other => self.decline(news),
            Stage::None => self.stage = Stage::Initiated,
            Stage::Captured if rules.broken(Defect::ChargeKeyRandom) => self.captures += 1,
            _ => {}
        }
        match self.stage {
            Stage::Failed => Reply::Declined,
            Stage::Voiding | Stage::Voided | Stage::Tombstone => Reply::PaymentRefused,
            _ => Reply::PaymentStarted,
        }
    }

    pub(super) fn void(&mut self, luck: Luck, rules: Rules) -> Answer {
        match self.stage {
            Stage::None if rules.broken(Defect::NoVoidTombstone) => {}
            Stage::None => self.stage = Stage::Tombstone,
            Stage::Initiated | Stage::Voiding if luck == Luck::Other => {
                self.stage = Stage::Voiding;
                return None;
            }
            Stage::Initiated | Stage::Voiding => self.stage = Stage::Voided,
            Stage::Failed | Stage::Voided | Stage::Tombstone => {}
            Stage::Captured | Stage::RefundPending | Stage::Refunded => {
                return Some(Reply::AlreadyCaptured);
            }
        }
        Some(Reply::Voided)
    }

    pub(super) fn refund(
        &mut self,
        key: RefundReason,
        luck: Luck,
        rules: Rules,
        news: &mut Bag<News>,
    ) -> Answer {
        if self.stage == Stage::Captured {
            self.stage = Stage::RefundPending;
            self.refund = Some(key);
        } else if rules.broken(Defect::RefundKeyRandom) && self.refund.is_some() {
            self.returns += 1;
        } else if self.refund != Some(key) {
            // Nothing was captured, or all of it is on its way back under another key.
            return None;
        }
        if self.stage == Stage::RefundPending && luck == Luck::Other {
            self.give_back(news);
        }
        Some(if self.stage == Stage::Refunded {
            Reply::RefundSucceeded
        } else {
            Reply::RefundPending
        })
    }

    /// The provider takes the money, perhaps of a payment that was given up.
    pub(super) fn capture(&mut self, rules: Rules, news: &mut Bag<News>) {
        self.captures += 1;
        if self.stage.is_open() {
            self.stage = Stage::Captured;
            news.put(News::Captured);
            return;
        }
        self.late = true;
        self.stage = Stage::RefundPending;
        self.refund = Some(RefundReason::LatePayment);
        match rules.defect {
            Some(Defect::LateMoneyUntold) => {}
            Some(Defect::LateMoneyUnmarked) => news.put(News::Captured),
            _ => news.put(News::CapturedLate),
        }
    }

    pub(super) fn decline(&mut self, news: &mut Bag<News>) {
        self.stage = Stage::Failed;
        news.put(News::Declined);
    }

    /// The provider carries out a void that it had not decided in time.
    pub(super) const fn cancel(&mut self) {
        self.stage = Stage::Voided;
    }

    /// The provider carries out the refund.
    pub(super) fn give_back(&mut self, news: &mut Bag<News>) {
        self.stage = Stage::Refunded;
        self.returns += 1;
        let late = self.refund == Some(RefundReason::LatePayment);
        news.put(if late { News::RefundedLate } else { News::Refunded });
    }
}
