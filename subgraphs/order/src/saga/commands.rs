//! What buyers and operators ask of the saga. Asking again for what is done or under way is no error.

use contracts::order::{CancelReason, OrderStep};

use super::{Due, InvalidInput, RefundReason, Turn};
use crate::domain::State;

impl Turn {
    pub(super) fn cancel_asked(&mut self, by: CancelReason) -> Result<(), InvalidInput> {
        match self.saga.state {
            State::Cancelling | State::Cancelled | State::Refunding | State::Refunded => Ok(()),
            _ if self.is_past_pivot() => Err(InvalidInput::TooLate),
            _ => {
                self.give_up(by);
                Ok(())
            }
        }
    }

    pub(super) fn refund_asked(&mut self, restock: bool) -> Result<(), InvalidInput> {
        match self.saga.state {
            State::Paid | State::Shipped | State::Delivered => {
                self.send_back(RefundReason::Operator, restock);
                Ok(())
            }
            State::Refunding | State::Refunded => Ok(()),
            _ => Err(InvalidInput::WrongState),
        }
    }

    pub(super) fn ship(&mut self) -> Result<(), InvalidInput> {
        match self.saga.state {
            State::Paid => {
                self.step(State::Shipped, OrderStep::Shipped);
                Ok(())
            }
            State::Shipped => Ok(()),
            _ => Err(InvalidInput::WrongState),
        }
    }

    pub(super) fn deliver(&mut self) -> Result<(), InvalidInput> {
        match self.saga.state {
            State::Shipped => {
                self.step(State::Delivered, OrderStep::Delivered);
                Ok(())
            }
            State::Delivered => Ok(()),
            _ => Err(InvalidInput::WrongState),
        }
    }

    /// Makes the awaited call now and takes the call for a person back; it comes again if nothing is better.
    pub(super) fn retry(&mut self) -> Result<(), InvalidInput> {
        if self.saga.pending.is_none() && self.saga.attention.is_none() {
            return Err(InvalidInput::WrongState);
        }
        self.saga.attention = None;
        self.saga.last_error = None;
        if self.saga.pending.is_some() {
            self.start(Due::Now);
        }
        Ok(())
    }
}
