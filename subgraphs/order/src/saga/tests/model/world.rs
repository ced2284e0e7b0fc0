//! The order, its runner, the services and what is under way between them; and what each move does to it.

use contracts::order::CancelReason;

use super::bag::{Bag, Call, News};
use super::invariant::Checked;
use super::inventory::{Answer, Hold, Inventory};
use super::payment::{Luck, Payment, Stage};
use super::row::Row;
use super::{
    Defect, Due, Effect, Input, Invariant, Move, RefundReason, Reply, Rules, Saga, State, Transition,
    advance, at, now,
};

/// Whoever holds the lease, with the one call it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) call: Call,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Saved as STARTED; the call may be about to be sent, or be under way.
    Unsent,
    /// Carried out; the answer is not saved.
    Answered(Answer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) row: Row,
    pub(super) worker: Option<Worker>,
    /// Only with a defect: a runner that lost its lease, with the saga as it read it.
    pub(super) zombie: Option<(Row, Worker)>,
    /// Calls whose runner has gone, and which may still arrive.
    pub(super) wire: Bag<Call>,
    pub(super) news: Bag<News>,
    pub(super) inventory: Inventory,
    pub(super) payment: Payment,
    /// Whether the deadline has passed.
    pub(super) late: bool,
    /// Whether the order's timer is set.
    pub(super) timer: bool,
    /// Where the last row of the history leads.
    pub(super) told: State,
    pub(super) faults: u8,
}

impl World {
    pub(super) fn new(rules: Rules) -> Self {
        let fresh = at(State::Created);
        let mut world = Self {
            row: Row::save(&fresh, rules.attempts),
            worker: None,
            zombie: None,
            wire: Bag::empty(),
            news: Bag::empty(),
            inventory: Inventory::new(),
            payment: Payment::new(),
            late: false,
            timer: true,
            told: State::Created,
            faults: 0,
        };
        let (saga, _) = advance(fresh, Input::Begin, now()).unwrap();
        world.told = saga.state;
        world.save(&saga, rules);
        world
    }

    /// Plays a move that [`World::moves`] offers.
    pub(super) fn play(&mut self, next: Move, rules: Rules) -> Checked {
        if next.is_fault() && rules.faults.is_some() {
            self.faults += 1;
        }
        match next {
            Move::Perform(luck) => self.perform(luck, rules),
            Move::Save => self.save_answer(rules)?,
            Move::TimeOut => self.time_out(rules)?,
            Move::Crash => self.lose_worker(rules),
            Move::Claim => {
                self.row.claim(rules.attempts);
                self.worker = self.row.call().map(Worker::new);
            }
            Move::Arrive(call) | Move::ArriveTwice(call) => {
                if matches!(next, Move::Arrive(_)) {
                    self.wire.take(call);
                }
                self.carry_out(call, Luck::Usual, rules);
            }
            Move::Lose(call) => self.wire.take(call),
            Move::Hear(news) | Move::HearTwice(news) => {
                if matches!(next, Move::Hear(_)) {
                    self.news.take(news);
                }
                self.take(news.input(), rules)?;
            }
            Move::Forget(news) => self.news.take(news),
            Move::Capture => self.payment.capture(rules, &mut self.news),
            Move::Decline => self.payment.decline(&mut self.news),
            Move::CancelCharge => self.payment.cancel(),
            Move::GiveBack => self.payment.give_back(&mut self.news),
            Move::Expire => self.inventory.expire(&mut self.news),
            Move::SellElsewhere => self.inventory.sell_elsewhere(),
            Move::ReturnElsewhere => self.inventory.return_elsewhere(),
            Move::PassDeadline => self.late = true,
            Move::FireTimer => {
                self.timer = false;
                self.take(Input::DeadlineReached, rules)?;
            }
            Move::Cancel => {
                let by = CancelReason::Customer;
                self.take(Input::Cancel { by }, rules)?;
            }
            Move::AskRefund { restock } => self.take(Input::RefundAsked { restock }, rules)?,
            Move::Ship => self.take(Input::Ship, rules)?,
            Move::Deliver => self.take(Input::Deliver, rules)?,
            Move::Retry => self.take(Input::Retry, rules)?,
            Move::SaveLate => self.save_late(rules)?,
        }
        if rules.brief {
            self.forget_spent_calls();
        }
        self.check()
    }

    /// Takes calls off the wire that will do nothing, whenever they arrive: the states they would change never return.
    fn forget_spent_calls(&mut self) {
        for call in self.wire.iter() {
            let spent = match call {
                Call::Reserve | Call::Confirm | Call::Release => self.inventory.hold.is_over(),
                Call::Restock => self.inventory.hold == Hold::Restocked,
                Call::Pay => self.payment.stage != Stage::None,
                Call::Void => !self.payment.stage.is_open() && self.payment.stage != Stage::None,
                Call::RefundLate | Call::RefundGone | Call::RefundAsked => self.payment.refund.is_some(),
            };
            if spent {
                self.wire.take(call);
            }
        }
    }

    fn perform(&mut self, luck: Luck, rules: Rules) {
        if let Some(worker) = self.worker {
            let answer = self.carry_out(worker.call, luck, rules);
            self.worker = Some(Worker {
                phase: Phase::Answered(answer),
                ..worker
            });
        }
    }

    /// What the called service does and answers.
    fn carry_out(&mut self, call: Call, luck: Luck, rules: Rules) -> Answer {
        let Self {
            inventory,
            payment,
            news,
            ..
        } = self;
        match call {
            Call::Reserve => Some(inventory.reserve()),
            Call::Confirm => inventory.confirm(rules),
            Call::Release => Some(inventory.release(rules)),
            Call::Restock => inventory.restock(),
            Call::Pay => Some(payment.start(luck, rules, news)),
            Call::Void => {
                if rules.broken(Defect::ReleaseBeforeVoid) {
                    inventory.release(rules);
                }
                payment.void(luck, rules)
            }
            Call::RefundLate => payment.refund(RefundReason::LatePayment, luck, rules, news),
            Call::RefundGone => payment.refund(RefundReason::StockGone, luck, rules, news),
            Call::RefundAsked => payment.refund(RefundReason::Operator, luck, rules, news),
        }
    }

    fn save_answer(&mut self, rules: Rules) -> Checked {
        let Some(worker) = self.worker.take() else {
            return Ok(());
        };
        let answer = match worker.phase {
            Phase::Answered(answer) => answer,
            Phase::Unsent => None,
        };
        self.take(worker.says(answer, rules), rules)
    }

    fn time_out(&mut self, rules: Rules) -> Checked {
        let Some(worker) = self.worker.take() else {
            return Ok(());
        };
        if worker.phase == Phase::Unsent {
            self.wire.put(worker.call);
        }
        self.take(worker.says(None, rules), rules)
    }

    /// Nobody saves what the runner heard. With the defect it will, later.
    fn lose_worker(&mut self, rules: Rules) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        if rules.broken(Defect::NoCompareAndSet) && self.zombie.is_none() {
            self.zombie = Some((self.row, worker));
        } else if worker.phase == Phase::Unsent {
            self.wire.put(worker.call);
        }
    }

    fn save_late(&mut self, rules: Rules) -> Checked {
        let Some((row, worker)) = self.zombie.take() else {
            return Ok(());
        };
        let answer = match worker.phase {
            Phase::Answered(answer) => answer,
            Phase::Unsent => self.carry_out(worker.call, Luck::Usual, rules),
        };
        self.row = row;
        self.take(worker.says(answer, rules), rules)
    }

    /// An input, as the store and `saga.rs` take it: a row that changes is saved under a new version, which ends the
    /// lease of whoever held it.
    fn take(&mut self, input: Input, rules: Rules) -> Checked {
        let before = self.row.load();
        let time = if self.late { before.deadline_at } else { now() };
        let Ok((saga, effects)) = advance(before.clone(), input, time) else {
            return Ok(());
        };
        if effects.is_empty() && saga == before {
            return Ok(());
        }
        self.tell(&before, &saga, &effects)?;
        self.lose_worker(rules);
        self.save(&saga, rules);
        Ok(())
    }

    fn save(&mut self, saga: &Saga, rules: Rules) {
        self.row = Row::save(saga, rules.attempts);
        self.timer &= !saga.state.is_final();
        if saga.due == Due::Now {
            self.worker = self.row.call().map(Worker::new);
        }
    }

    /// Follows the history, row by row.
    fn tell(&mut self, before: &Saga, after: &Saga, effects: &[Effect]) -> Checked {
        let mut sequence = before.sequence;
        for effect in effects {
            if let Effect::Record(row) = effect {
                sequence += 1;
                self.tell_step(row, sequence)?;
            }
        }
        if sequence == after.sequence {
            Ok(())
        } else {
            Err(Invariant::HistoryIsAPath)
        }
    }

    fn tell_step(&mut self, row: &Transition, sequence: i64) -> Checked {
        let joins = row.from == Some(self.told) && row.sequence == sequence;
        if !joins || !self.told.may_become(row.to) {
            return Err(Invariant::HistoryIsAPath);
        }
        self.told = row.to;
        Ok(())
    }
}

impl Worker {
    const fn new(call: Call) -> Self {
        Self {
            call,
            phase: Phase::Unsent,
        }
    }

    /// What the runner makes of an answer, or of none.
    fn says(self, answer: Answer, rules: Rules) -> Input {
        let refusal = match self.call {
            Call::Reserve => Some(Reply::StockRefused),
            Call::Pay => Some(Reply::Declined),
            _ => None,
        };
        let mistaken = refusal.filter(|_| rules.broken(Defect::SilenceIsRefusal));
        answer.or(mistaken).map_or_else(
            || Input::NoAnswer {
                action: self.call.action(),
                reason: String::new(),
            },
            Input::Replied,
        )
    }
}
