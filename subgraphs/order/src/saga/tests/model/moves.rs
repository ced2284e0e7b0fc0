//! What can happen next.

use super::bag::{Call, News};
use super::inventory::Hold;
use super::payment::{Luck, Stage};
use super::world::{Phase, World};
use super::{Defect, Rules, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// The runner's call is carried out; its answer is on the way.
    Perform(Luck),
    /// The runner saves the answer, and goes on.
    Save,
    /// The runner hears nothing in time, and saves that. The call may still arrive.
    TimeOut,
    /// The runner dies, or is paused for longer than its lease. The call may still arrive.
    Crash,
    /// Somebody takes up a saga that is due.
    Claim,
    /// A call whose runner is gone arrives after all.
    Arrive(Call),
    /// It arrives, and will once more.
    ArriveTwice(Call),
    /// It never arrives.
    Lose(Call),
    /// An event is applied.
    Hear(News),
    /// It is applied, and will be once more.
    HearTwice(News),
    /// The provider takes the money; if the payment was given up, too late.
    Capture,
    /// The provider declines.
    Decline,
    /// The provider carries out a void.
    CancelCharge,
    /// The provider carries out a refund.
    GiveBack,
    /// Inventory ends the hold.
    Expire,
    /// Somebody else buys the unit.
    SellElsewhere,
    /// Somebody else gives it back.
    ReturnElsewhere,
    /// The time to pay is over.
    PassDeadline,
    /// The order's timer tells it so.
    FireTimer,
    /// The buyer gives it up.
    Cancel,
    /// An operator sends the money back.
    AskRefund { restock: bool },
    /// It is handed to the carrier.
    Ship,
    /// It has arrived.
    Deliver,
    /// An operator wants the call to be made now.
    Retry,
    /// Only with a defect: a runner that lost its lease saves what it heard.
    SaveLate,
    /// Only with a defect: an event is gone.
    Forget(News),
}

impl Move {
    /// Whether it counts against the faults that are allowed.
    pub(super) const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::TimeOut | Self::Crash | Self::ArriveTwice(_) | Self::HearTwice(_) | Self::Retry
        )
    }

    /// How often it is drawn in a random schedule, in comparison.
    pub(super) const fn weight(self) -> u64 {
        match self {
            Self::Perform(Luck::Usual) | Self::Save | Self::Claim => 160,
            Self::Hear(_) | Self::Capture | Self::GiveBack | Self::CancelCharge => 60,
            Self::TimeOut | Self::Crash | Self::Arrive(_) | Self::HearTwice(_) => 30,
            Self::Perform(Luck::Other) | Self::Forget(_) | Self::SaveLate => 25,
            Self::Lose(_) | Self::ArriveTwice(_) | Self::FireTimer | Self::Ship | Self::Deliver => 20,
            Self::Decline | Self::Expire | Self::Retry | Self::AskRefund { .. } => 10,
            Self::PassDeadline | Self::Cancel | Self::SellElsewhere | Self::ReturnElsewhere => 6,
        }
    }

    /// Its name, without what it is about.
    pub(super) fn kind(self) -> String {
        let text = format!("{self:?}");
        let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        text[..end].to_owned()
    }
}

impl World {
    /// All that can happen now.
    pub(super) fn moves(&self, rules: Rules, out: &mut Vec<Move>) {
        out.clear();
        self.runner_moves(rules, out);
        self.service_moves(out);
        self.people_moves(out);
        for news in self.news.iter() {
            out.push(Move::Hear(news));
            out.push(Move::HearTwice(news));
            if rules.broken(Defect::AcknowledgesFirst) {
                out.push(Move::Forget(news));
            }
        }
        for call in self.wire.iter() {
            out.extend([Move::Arrive(call), Move::ArriveTwice(call), Move::Lose(call)]);
        }
        if rules.faults.is_some_and(|most| self.faults >= most) {
            out.retain(|next| !next.is_fault());
        }
    }

    fn runner_moves(&self, rules: Rules, out: &mut Vec<Move>) {
        match self.worker {
            Some(worker) => {
                match worker.phase {
                    Phase::Unsent => {
                        out.push(Move::Perform(Luck::Usual));
                        if self.has_other_luck(worker.call) {
                            out.push(Move::Perform(Luck::Other));
                        }
                    }
                    Phase::Answered(_) => out.push(Move::Save),
                }
                out.extend([Move::TimeOut, Move::Crash]);
            }
            None if self.can_claim(rules) => out.push(Move::Claim),
            None => {}
        }
        if self.row.pending.is_some() {
            out.push(Move::Retry);
        }
        if self.zombie.is_some() {
            out.push(Move::SaveLate);
        }
    }

    fn can_claim(&self, rules: Rules) -> bool {
        let abandoned = self.row.leased && rules.broken(Defect::NoRecovery);
        self.row.pending.is_some() && !abandoned
    }

    fn has_other_luck(&self, call: Call) -> bool {
        match call {
            Call::Pay => matches!(self.payment.stage, Stage::None | Stage::Initiated),
            Call::Void => self.payment.stage.is_open(),
            Call::RefundLate | Call::RefundGone | Call::RefundAsked => {
                matches!(self.payment.stage, Stage::Captured | Stage::RefundPending)
            }
            _ => false,
        }
    }

    fn service_moves(&self, out: &mut Vec<Move>) {
        match self.payment.stage {
            Stage::Initiated => out.extend([Move::Capture, Move::Decline]),
            Stage::Voiding => out.extend([Move::Capture, Move::Decline, Move::CancelCharge]),
            Stage::Failed | Stage::Voided => out.push(Move::Capture),
            Stage::RefundPending => out.push(Move::GiveBack),
            Stage::None | Stage::Captured | Stage::Tombstone | Stage::Refunded => {}
        }
        if self.inventory.hold == Hold::Held {
            out.push(Move::Expire);
        }
        if self.inventory.shelf > 0 {
            out.push(Move::SellElsewhere);
        }
        if self.inventory.elsewhere > 0 {
            out.push(Move::ReturnElsewhere);
        }
    }

    /// Buyers and operators, and the clock. What changes nothing is left out, except where a refusal is to be seen.
    fn people_moves(&self, out: &mut Vec<Move>) {
        if !self.late {
            out.push(Move::PassDeadline);
        } else if self.timer && !self.row.state.is_final() {
            out.push(Move::FireTimer);
        }
        match self.row.state {
            State::Paid | State::Shipped | State::Delivered => {
                out.extend([false, true].map(|restock| Move::AskRefund { restock }));
                out.extend((self.row.state == State::Paid).then_some(Move::Ship));
                out.extend((self.row.state == State::Shipped).then_some(Move::Deliver));
            }
            state if state.is_before_payment() || state == State::Confirming => out.push(Move::Cancel),
            _ => {}
        }
    }

    /// What happens next once nothing fails any more; none at rest. The buyer does not pay.
    pub(super) fn heal(&self, rules: Rules) -> Option<Move> {
        if let Some(worker) = self.worker {
            return Some(match worker.phase {
                Phase::Unsent => Move::Perform(Luck::Usual),
                Phase::Answered(_) => Move::Save,
            });
        }
        if let Some(call) = self.wire.iter().next() {
            return Some(Move::Arrive(call));
        }
        if let Some(news) = self.news.iter().next() {
            return Some(Move::Hear(news));
        }
        match self.payment.stage {
            Stage::RefundPending => return Some(Move::GiveBack),
            Stage::Voiding => return Some(Move::CancelCharge),
            _ => {}
        }
        if self.can_claim(rules) {
            return Some(Move::Claim);
        }
        let waits = !self.row.state.is_final() && self.timer;
        waits.then_some(if self.late {
            Move::FireTimer
        } else {
            Move::PassDeadline
        })
    }
}
