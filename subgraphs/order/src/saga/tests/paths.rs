//! Whole ways through the saga, step by step.

use super::*;
use OrderStep as Step;
use contracts::order::OrderStatus;

fn walk(mut saga: Saga, inputs: &[Input]) -> (Saga, Vec<OrderStep>, Vec<Action>) {
    let (mut seen, mut calls) = (Vec::new(), Vec::new());
    for input in inputs {
        let effects;
        (saga, effects) = take(saga, input.clone());
        seen.extend(steps(&effects));
        calls.extend(started(&effects));
    }
    (saga, seen, calls)
}

fn fresh() -> Saga {
    at(State::Created)
}

#[test]
fn paid() {
    let (saga, seen, calls) = walk(
        fresh(),
        &[
            Input::Begin,
            reply(Reply::Held),
            reply(Reply::PaymentStarted),
            SUCCEEDED,
            reply(Reply::Confirmed),
        ],
    );
    assert_eq!(
        seen,
        [
            Step::Created,
            Step::ReservingStock,
            Step::StockReserved,
            Step::StartingPayment,
            Step::PaymentStarted,
            Step::PaymentCaptured,
            Step::StockConfirmed,
            Step::Paid,
        ]
    );
    assert_eq!(calls, [Action::Reserve, Action::Pay, Action::Confirm]);
    assert_eq!((saga.sequence, saga.settled_at), (8, Some(now())));
}

#[test]
fn sold_out_has_nothing_to_undo() {
    let (saga, seen, calls) = walk(begun(), &[reply(Reply::StockRefused)]);
    assert_eq!(seen, [Step::StockRefused, Step::Cancelling, Step::Cancelled]);
    assert_eq!(calls, []);
    assert_eq!(saga.cancel_reason, Some(CancelReason::OutOfStock));
}

/// A refused second try says nothing of the first, which may arrive later and hold stock.
#[test]
fn sold_out_after_a_lost_try_still_releases() {
    let lost = Saga {
        attempt: 2,
        ..begun()
    };
    let (saga, _, calls) = walk(lost, &[reply(Reply::StockRefused)]);
    assert_eq!((saga.state, calls), (State::Cancelling, vec![Action::Release]));
}

#[test]
fn declined_releases_the_stock() {
    let (saga, seen, calls) = walk(
        at(State::Paying),
        &[reply(Reply::Declined), reply(Reply::Released)],
    );
    assert_eq!(
        seen,
        [
            Step::PaymentFailed,
            Step::Cancelling,
            Step::StockReleased,
            Step::Cancelled
        ]
    );
    assert_eq!(calls, [Action::Release]);
    assert_eq!(saga.cancel_reason, Some(CancelReason::PaymentDeclined));
}

#[test]
fn cancelling_voids_before_it_releases() {
    for state in [State::Paying, State::PaymentPending] {
        let (saga, seen, calls) = walk(
            at(state),
            &[BY_CUSTOMER, reply(Reply::Voided), reply(Reply::Released)],
        );
        assert_eq!(calls, [Action::Void, Action::Release], "{state}");
        assert_eq!(
            seen,
            [
                Step::Cancelling,
                Step::PaymentVoided,
                Step::StockReleased,
                Step::Cancelled
            ]
        );
        assert_eq!(saga.state, State::Cancelled);
    }
}

#[test]
fn capture_that_wins_over_the_void_is_refunded() {
    for early in [false, true] {
        let mut inputs = vec![BY_CUSTOMER];
        inputs.extend(early.then_some(SUCCEEDED));
        inputs.extend([
            reply(Reply::AlreadyCaptured),
            reply(Reply::RefundPending),
            reply(Reply::Released),
            Input::RefundCompleted {
                late: true,
                full: true,
            },
        ]);
        let (saga, _, calls) = walk(at(State::PaymentPending), &inputs);
        assert_eq!(saga.state, State::Refunded);
        let calls: Vec<_> = calls.into_iter().filter(|call| *call != Action::Void).collect();
        assert_eq!(calls, [Action::Refund, Action::Release]);
        assert_eq!(saga.refund.unwrap().reason, RefundReason::LatePayment);
    }
}

#[test]
fn money_after_the_end_goes_back() {
    let (saga, seen, calls) = walk(
        at(State::Cancelled),
        &[
            Input::PaymentSucceeded { late: true },
            reply(Reply::RefundPending),
            Input::RefundCompleted {
                late: true,
                full: true,
            },
        ],
    );
    assert_eq!(seen, [Step::Refunding, Step::Refunded]);
    assert_eq!(calls, [Action::Refund]);
    assert_eq!((saga.pending, saga.attention), (None, None));
}

#[test]
fn money_during_the_release_goes_back_and_the_stock_too() {
    let (saga, _, calls) = walk(
        at(State::Cancelling),
        &[
            reply(Reply::Voided),
            Input::PaymentSucceeded { late: true },
            reply(Reply::RefundSucceeded),
            reply(Reply::Released),
        ],
    );
    assert_eq!(saga.state, State::Refunded);
    assert_eq!(calls, [Action::Release, Action::Refund, Action::Release]);
}

#[test]
fn money_before_the_stock_is_known() {
    let (saga, _, calls) = walk(begun(), &[SUCCEEDED, reply(Reply::Held), reply(Reply::Confirmed)]);
    assert_eq!(saga.state, State::Paid);
    assert_eq!(calls, [Action::Reserve, Action::Confirm]);
    let (saga, ..) = walk(begun(), &[SUCCEEDED, Input::DeadlineReached]);
    assert_eq!(
        saga.state,
        State::Reserving,
        "past the pivot the deadline is over"
    );
    assert_eq!(
        advance(saga, BY_CUSTOMER, now()).unwrap_err(),
        InvalidInput::TooLate
    );
}

#[test]
fn stock_gone_after_capture_is_refunded() {
    let (saga, seen, calls) = walk(
        at(State::Confirming),
        &[
            reply(Reply::StockGone),
            reply(Reply::RefundSucceeded),
            reply(Reply::Released),
        ],
    );
    assert_eq!(
        seen,
        [
            Step::StockRefused,
            Step::Refunding,
            Step::StockReleased,
            Step::Refunded
        ]
    );
    // Released too: a try of the reservation that is still on its way would hold the stock for nobody.
    assert_eq!(calls, [Action::Refund, Action::Release]);
    assert_eq!(saga.refund.unwrap().reason, RefundReason::StockGone);
}

/// Declined, then captured all the same, and the news come in any order: the order is given up, whatever is told
/// first, and nobody is called.
#[test]
fn money_after_a_decline_goes_back_in_any_order() {
    let late = Input::PaymentSucceeded { late: true };
    let back = Input::RefundCompleted {
        late: true,
        full: true,
    };
    let failed = Input::PaymentFailed;
    for news in [
        [&failed, &late, &back],
        [&failed, &back, &late],
        [&late, &failed, &back],
        [&late, &back, &failed],
        [&back, &failed, &late],
        [&back, &late, &failed],
    ] {
        for state in [State::Paying, State::PaymentPending] {
            let mut saga = after(at(state), &news.map(Clone::clone));
            assert_eq!(saga.cancel_reason, Some(CancelReason::PaymentDeclined));
            if saga.pending == Some(Action::Release) {
                saga = after(saga, &[reply(Reply::Released)]);
            }
            assert_eq!(
                (saga.state, saga.stock, saga.attention),
                (State::Refunded, StockFact::Released, None),
                "{news:?} in {state}"
            );
        }
    }
}

#[test]
fn a_confirmation_that_was_lost_on_the_way_is_put_back() {
    let confirming = Saga {
        attempt: 2,
        ..at(State::Confirming)
    };
    let (saga, _, calls) = walk(
        confirming,
        &[
            reply(Reply::StockGone),
            reply(Reply::RefundSucceeded),
            reply(Reply::AlreadyConfirmed),
            reply(Reply::Restocked),
        ],
    );
    assert_eq!(saga.state, State::Refunded);
    assert_eq!(calls, [Action::Refund, Action::Release, Action::Restock]);
}

#[test]
fn an_operator_refunds_with_and_without_restock() {
    for restock in [false, true] {
        for state in [State::Paid, State::Shipped, State::Delivered] {
            let mut inputs = vec![Input::RefundAsked { restock }, reply(Reply::RefundPending)];
            inputs.extend(restock.then_some(reply(Reply::Restocked)));
            inputs.push(Input::RefundCompleted {
                late: false,
                full: true,
            });
            let (saga, _, calls) = walk(at(state), &inputs);
            assert_eq!(saga.state, State::Refunded);
            assert_eq!(calls.contains(&Action::Restock), restock);
        }
    }
}

#[test]
fn a_refund_under_way_shows_what_was_before() {
    let (_, effects) = take(at(State::Paid), Input::RefundAsked { restock: false });
    let shown: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(transition) => Some(transition.status),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [OrderStatus::Paid]);
}

#[test]
fn silence_is_not_a_refusal() {
    let silence = |action| Input::NoAnswer {
        action,
        reason: "timed out".to_owned(),
    };
    let saga = after(begun(), &[silence(Action::Reserve)]);
    assert_eq!((saga.state, saga.due), (State::Reserving, Due::Backoff));
    let late = now() + TimeDelta::seconds(600);
    let (saga, _) = advance(begun(), silence(Action::Reserve), late).unwrap();
    assert_eq!(
        (saga.state, saga.pending),
        (State::Cancelling, Some(Action::Release))
    );
    // A compensation and what comes after the pivot is never given up.
    let (saga, _) = advance(saga, silence(Action::Release), late).unwrap();
    assert_eq!((saga.state, saga.due), (State::Cancelling, Due::Backoff));
    let (saga, _) = advance(at(State::Confirming), silence(Action::Confirm), late).unwrap();
    assert_eq!((saga.state, saga.due), (State::Confirming, Due::Backoff));
}

#[test]
fn long_silence_calls_a_person_until_there_is_an_answer() {
    let tired = Saga {
        attempt: ATTENTION_AFTER,
        ..at(State::Confirming)
    };
    let silence = Input::NoAnswer {
        action: Action::Confirm,
        reason: "timed out".to_owned(),
    };
    let saga = after(tired, &[silence]);
    assert_eq!(saga.attention, Some(Attention::Retries));
    assert_eq!(saga.last_error.as_deref(), Some("timed out"));
    let retried = take(saga.clone(), Input::Retry);
    assert_eq!(
        (retried.0.attention, started(&retried.1)),
        (None, vec![Action::Confirm])
    );
    let saga = after(saga, &[reply(Reply::Confirmed)]);
    assert_eq!((saga.attention, saga.last_error), (None, None));
}

#[test]
fn a_contradiction_stays_until_a_person_has_looked() {
    let saga = after(
        at(State::Confirming),
        &[Input::PaymentFailed, reply(Reply::Confirmed)],
    );
    assert_eq!(
        (saga.state, saga.attention),
        (State::Paid, Some(Attention::Contradiction))
    );
    assert_eq!(after(saga, &[Input::Retry]).attention, None);
}

/// Asking twice is answered alike: the second time nothing happens.
#[test]
fn every_input_twice_is_as_once() {
    let inputs = [
        SUCCEEDED,
        Input::DeadlineReached,
        BY_CUSTOMER,
        Input::RefundAsked { restock: true },
        Input::Ship,
        Input::RefundCompleted {
            late: true,
            full: true,
        },
        Input::ReservationExpired { at: now() },
    ];
    for state in State::ALL {
        for input in &inputs {
            let Ok((once, effects)) = advance(at(state), input.clone(), now()) else {
                continue;
            };
            if alarmed(&effects) {
                continue;
            }
            if let Ok((twice, effects)) = advance(once.clone(), input.clone(), now()) {
                assert_eq!((&twice, effects), (&once, vec![]), "{input:?} in {state}");
            }
        }
    }
}
