//! Every cell: for each input, where it leads from each state.

use super::*;
use State as S;

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// Comes to rest in this state.
    To(State),
    /// Nothing changes, no effect.
    Nothing,
    /// The state is kept, a fact is remembered.
    Noted,
    /// The state is kept, a person is called.
    Alarm,
    /// Refused, nothing changes.
    No(InvalidInput),
}
use Cell::{Alarm, No, Noted, Nothing, To};

const LATE: InvalidInput = InvalidInput::TooLate;
const WRONG: InvalidInput = InvalidInput::WrongState;

fn check(input: &Input, row: [Cell; 13]) {
    for (state, expected) in State::ALL.into_iter().zip(row) {
        let before = at(state);
        let seen = match advance(before.clone(), input.clone(), now()) {
            Err(error) => No(error),
            Ok((_, effects)) if alarmed(&effects) => Alarm,
            Ok((after, _)) if after.state != state => To(after.state),
            Ok((after, effects)) if after == before => {
                assert_eq!(effects, [], "{input:?} in {state}");
                Nothing
            }
            Ok(_) => Noted,
        };
        assert_eq!(seen, expected, "{input:?} in {state}");
    }
}

// Columns: Created Reserving Reserved Paying PaymentPending Confirming Paid Shipped Delivered Cancelling Cancelled
// Refunding Refunded.

#[test]
fn begin() {
    let mut row = [No(InvalidInput::AlreadyBegun); 13];
    row[0] = To(S::Reserving);
    check(&Input::Begin, row);
}

#[test]
fn payment_succeeded() {
    let to = To(S::Confirming);
    // Before the stock is known to be held the money is only noted; the reservation goes on.
    let row = [
        Noted,
        Noted,
        to,
        to,
        to,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        Noted,
        To(S::Refunding),
        Nothing,
        Nothing,
    ];
    check(&SUCCEEDED, row);
}

#[test]
fn late_payment_succeeded() {
    let to = To(S::Confirming);
    let row = [
        Noted,
        Noted,
        to,
        to,
        to,
        Alarm,
        Alarm,
        Alarm,
        Alarm,
        Noted,
        To(S::Refunding),
        Nothing,
        Nothing,
    ];
    check(&Input::PaymentSucceeded { late: true }, row);
}

#[test]
fn payment_failed() {
    let cancel = To(S::Cancelling);
    let row = [
        To(S::Cancelled),
        cancel,
        cancel,
        cancel,
        cancel,
        Alarm,
        Alarm,
        Alarm,
        Alarm,
        Nothing,
        Nothing,
        Alarm,
        Alarm,
    ];
    check(&Input::PaymentFailed, row);
}

#[test]
fn payment_of_another_amount() {
    let reason = "10 USD instead of 20 USD".to_owned();
    check(&Input::PaymentContradicts { reason }, [Alarm; 13]);
}

#[test]
fn reservation_expired() {
    let cancel = To(S::Cancelling);
    let before = [To(S::Cancelled), cancel, cancel, cancel, cancel];
    let after = [Nothing; 4];
    let row = |paid: Cell| -> [Cell; 13] {
        let paid = [Nothing, paid, paid, paid];
        [&before[..], &paid, &after].concat().try_into().unwrap()
    };
    check(&Input::ReservationExpired { at: now() }, row(Nothing));
    let at = now() + TimeDelta::seconds(1);
    check(&Input::ReservationExpired { at }, row(Alarm));
}

#[test]
fn deadline() {
    let cancel = To(S::Cancelling);
    let row = [
        To(S::Cancelled),
        cancel,
        cancel,
        cancel,
        cancel,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
        Nothing,
    ];
    check(&Input::DeadlineReached, row);
}

#[test]
fn cancel() {
    let cancel = To(S::Cancelling);
    let row = [
        To(S::Cancelled),
        cancel,
        cancel,
        cancel,
        cancel,
        No(LATE),
        No(LATE),
        No(LATE),
        No(LATE),
        Nothing,
        Nothing,
        Nothing,
        Nothing,
    ];
    check(&BY_CUSTOMER, row);
    check(
        &Input::Cancel {
            by: CancelReason::Operator,
        },
        row,
    );
}

#[test]
fn refund_completed() {
    let mut row = [Alarm; 13];
    row[11] = To(S::Refunded);
    row[12] = Nothing;
    check(
        &Input::RefundCompleted {
            late: false,
            full: true,
        },
        row,
    );
    row[11] = Nothing;
    check(
        &Input::RefundCompleted {
            late: false,
            full: false,
        },
        row,
    );
    // Payment refunds late money by itself, and events come in any order.
    row[9] = Noted;
    row[10] = To(S::Refunded);
    row[11] = To(S::Refunded);
    check(
        &Input::RefundCompleted {
            late: true,
            full: true,
        },
        row,
    );
}

#[test]
fn refund_asked() {
    let to = To(S::Refunding);
    let no = No(WRONG);
    let row = [no, no, no, no, no, no, to, to, to, no, no, Nothing, Nothing];
    check(&Input::RefundAsked { restock: true }, row);
    check(&Input::RefundAsked { restock: false }, row);
}

#[test]
fn ship_and_deliver() {
    let no = No(WRONG);
    let mut row = [no; 13];
    row[6] = To(S::Shipped);
    row[7] = Nothing;
    check(&Input::Ship, row);
    let mut row = [no; 13];
    row[7] = To(S::Delivered);
    row[8] = Nothing;
    check(&Input::Deliver, row);
}

#[test]
fn retry() {
    let no = No(WRONG);
    let row = [no, Noted, no, Noted, no, Noted, no, no, no, Noted, no, Noted, no];
    check(&Input::Retry, row);
}

/// Each call is awaited in exactly these states; its answers and its silence are stale everywhere else.
#[test]
fn answers() {
    let awaited = |action: Action| match action {
        Action::Reserve => Some(S::Reserving),
        Action::Pay => Some(S::Paying),
        Action::Confirm => Some(S::Confirming),
        Action::Void => Some(S::Cancelling),
        Action::Refund => Some(S::Refunding),
        Action::Release | Action::Restock => None,
    };
    let leads_to = |reply: Reply| match reply {
        Reply::Held => To(S::Paying),
        // Nothing was ever held and nothing paid: there is nothing to undo.
        Reply::StockRefused => To(S::Cancelled),
        Reply::PaymentStarted => To(S::PaymentPending),
        Reply::Declined | Reply::PaymentRefused => To(S::Cancelling),
        Reply::Confirmed => To(S::Paid),
        Reply::StockGone | Reply::AlreadyCaptured => To(S::Refunding),
        Reply::RefundSucceeded => To(S::Refunded),
        Reply::RefundFailed => Alarm,
        _ => Noted,
    };
    for reply in Reply::ALL {
        let row = State::ALL.map(|state| {
            let fits = awaited(reply.answers()) == Some(state);
            if fits {
                leads_to(reply)
            } else {
                No(InvalidInput::Stale)
            }
        });
        check(&Input::Replied(reply), row);
    }
    for action in Action::ALL {
        let row = State::ALL.map(|state| {
            let fits = awaited(action) == Some(state);
            if fits { Noted } else { No(InvalidInput::Stale) }
        });
        let reason = "timed out".to_owned();
        check(&Input::NoAnswer { action, reason }, row);
    }
}
