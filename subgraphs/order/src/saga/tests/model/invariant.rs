//! What must hold: at every instant, and at rest.

use std::fmt;

use super::inventory::Hold;
use super::payment::Stage;
use super::world::World;
use super::{Attention, RefundReason, State, bag::News};

/// A promise, named after the system's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Invariant {
    UnitsAreConserved,
    BooksBalance,
    HealedEnds,
    MoneyMovesOnce,
    PaidIsSoldAndCaptured,
    CancelledKeepsNothing,
    RefundedHoldsNothing,
    PaymentDecidesFirst,
    HistoryIsAPath,
    NobodyIsCalled,
}

impl Invariant {
    pub(super) const ALL: [Self; 10] = [
        Self::UnitsAreConserved,
        Self::BooksBalance,
        Self::HealedEnds,
        Self::MoneyMovesOnce,
        Self::PaidIsSoldAndCaptured,
        Self::CancelledKeepsNothing,
        Self::RefundedHoldsNothing,
        Self::PaymentDecidesFirst,
        Self::HistoryIsAPath,
        Self::NobodyIsCalled,
    ];
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnitsAreConserved => "I1/I3: every unit is on the shelf, with the order, or sold elsewhere",
            Self::BooksBalance => "I4: PAID keeps exactly its money, REFUNDED nets nothing",
            Self::HealedEnds => "I5: once the faults stop, the order ends",
            Self::MoneyMovesOnce => "I6: at most one capture and one full refund",
            Self::PaidIsSoldAndCaptured => "I7: PAID means sold and captured",
            Self::CancelledKeepsNothing => "I7: CANCELLED means nothing held, nothing sold, no money",
            Self::RefundedHoldsNothing => {
                "I7: REFUNDED gives the stock back, save what an operator leaves sold"
            }
            Self::PaymentDecidesFirst => "I7: stock is given back only once the payment is decided",
            Self::HistoryIsAPath => "I8: the history is a path of the graph, without gaps",
            Self::NobodyIsCalled => "I14: services that keep their contracts never need a person",
        })
    }
}

pub(super) type Checked = Result<(), Invariant>;

fn ensure(holds: bool, invariant: Invariant) -> Checked {
    if holds { Ok(()) } else { Err(invariant) }
}

const fn is_kept(hold: Hold) -> bool {
    matches!(hold, Hold::Held | Hold::Confirmed)
}

impl World {
    /// What holds at every instant.
    pub(super) fn check(&self) -> Checked {
        let (stock, money) = (self.inventory, self.payment);
        let mine = u8::from(is_kept(stock.hold));
        ensure(
            stock.shelf + stock.elsewhere + mine == 1,
            Invariant::UnitsAreConserved,
        )?;
        let once = money.captures <= 1 && money.returns <= money.captures;
        ensure(once, Invariant::MoneyMovesOnce)?;
        let given_back = matches!(stock.hold, Hold::Released | Hold::Tombstone);
        ensure(
            !(given_back && money.stage.is_open()),
            Invariant::PaymentDecidesFirst,
        )?;
        ensure(self.row.state == self.told, Invariant::HistoryIsAPath)?;
        ensure(
            self.row.attention != Some(Attention::Contradiction),
            Invariant::NobodyIsCalled,
        )?;
        let books = (money.captures, money.returns);
        match self.row.state {
            State::Paid | State::Shipped | State::Delivered => {
                ensure(books == (1, 0), Invariant::BooksBalance)?;
                let both = (stock.hold, money.stage) == (Hold::Confirmed, Stage::Captured);
                ensure(both, Invariant::PaidIsSoldAndCaptured)
            }
            State::Cancelled => {
                // Between the capture that came too late and the event that tells of it, order can't know.
                let untold = money.late && self.news.iter().any(News::is_of_money);
                let free = untold || (money.stage.is_free() && books == (0, 0));
                ensure(free && !is_kept(stock.hold), Invariant::CancelledKeepsNothing)
            }
            State::Refunded => {
                ensure(
                    books == (1, 1) && money.stage == Stage::Refunded,
                    Invariant::BooksBalance,
                )?;
                ensure(self.refunded_stock_is_right(), Invariant::RefundedHoldsNothing)
            }
            _ => Ok(()),
        }
    }

    fn refunded_stock_is_right(&self) -> bool {
        match (self.inventory.hold, self.row.refund) {
            (Hold::Held, _) => false,
            (Hold::Confirmed, refund) => {
                refund.is_some_and(|(reason, restock, _)| reason == RefundReason::Operator && !restock)
            }
            _ => true,
        }
    }

    /// What holds when nothing is left to happen by itself.
    pub(super) fn check_at_rest(&self) -> Checked {
        let idle = self.row.pending.is_none() && self.worker.is_none() && !self.row.leased;
        ensure(idle && self.row.state.is_final(), Invariant::HealedEnds)?;
        ensure(self.row.attention.is_none(), Invariant::NobodyIsCalled)?;
        // Late money has been told of by now, so the exception for it is over.
        let kept = self.row.state == State::Cancelled && self.payment.captures > 0;
        ensure(!kept, Invariant::CancelledKeepsNothing)?;
        self.check()
    }
}
