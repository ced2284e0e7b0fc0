//! The saga on its own: every cell of the input x state table, its paths, and a model of it with the services it
//! calls, drawn from at random and explored whole.

mod model;
mod paths;
mod table;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::OrderId;
use contracts::order::{CancelReason, OrderStep};

use super::*;

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(super) fn begun() -> Saga {
    let saga = Saga::new(OrderId::generate(), now() + TimeDelta::seconds(600));
    take(saga, Input::Begin).0
}

pub(super) fn take(saga: Saga, input: Input) -> (Saga, Vec<Effect>) {
    advance(saga, input, now()).unwrap()
}

pub(super) fn after(mut saga: Saga, inputs: &[Input]) -> Saga {
    for input in inputs {
        saga = take(saga, input.clone()).0;
    }
    saga
}

pub(super) fn steps(effects: &[Effect]) -> Vec<OrderStep> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(transition) => Some(transition.step),
            _ => None,
        })
        .collect()
}

pub(super) fn started(effects: &[Effect]) -> Vec<Action> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start(action) => Some(*action),
            _ => None,
        })
        .collect()
}

pub(super) fn alarmed(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Alarm { .. }))
}

pub(super) const SUCCEEDED: Input = Input::PaymentSucceeded { late: false };
pub(super) const BY_CUSTOMER: Input = Input::Cancel {
    by: CancelReason::Customer,
};

pub(super) fn reply(reply: Reply) -> Input {
    Input::Replied(reply)
}

/// An order that came to `state` by the shortest way.
pub(super) fn at(state: State) -> Saga {
    let fresh = Saga::new(OrderId::generate(), now() + TimeDelta::seconds(600));
    let paid = [
        reply(Reply::Held),
        reply(Reply::PaymentStarted),
        SUCCEEDED,
        reply(Reply::Confirmed),
        Input::Ship,
        Input::Deliver,
    ];
    let refund = Input::RefundAsked { restock: false };
    match state {
        State::Created => fresh,
        State::Reserving => begun(),
        // Never at rest: put together by hand so that its cells are defined too.
        State::Reserved => Saga {
            state: State::Reserved,
            stock: StockFact::Held,
            sequence: 3,
            pending: None,
            due: Due::Never,
            ..begun()
        },
        State::Paying => after(begun(), &paid[..1]),
        State::PaymentPending => after(begun(), &paid[..2]),
        State::Confirming => after(begun(), &paid[..3]),
        State::Paid => after(begun(), &paid[..4]),
        State::Shipped => after(begun(), &paid[..5]),
        State::Delivered => after(begun(), &paid),
        State::Cancelling => after(at(State::PaymentPending), &[BY_CUSTOMER]),
        State::Cancelled => after(
            at(State::Cancelling),
            &[reply(Reply::Voided), reply(Reply::Released)],
        ),
        State::Refunding => after(at(State::Paid), &[refund]),
        State::Refunded => after(at(State::Refunding), &[reply(Reply::RefundSucceeded)]),
    }
}

#[test]
fn the_shortest_ways_lead_where_they_should() {
    for state in State::ALL {
        assert_eq!(at(state).state, state);
    }
}
