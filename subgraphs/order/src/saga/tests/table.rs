//! Every cell: for each input, where it leads from each state.

use super::*;

type Row = [Cell; State::ALL.len()];

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

const RESERV: Cell = Cell::To(State::Reserving);
const PAYING: Cell = Cell::To(State::Paying);
const PENDIN: Cell = Cell::To(State::PaymentPending);
const CONFIR: Cell = Cell::To(State::Confirming);
const PAID__: Cell = Cell::To(State::Paid);
const SHIPPD: Cell = Cell::To(State::Shipped);
const DELIVD: Cell = Cell::To(State::Delivered);
const CANCLG: Cell = Cell::To(State::Cancelling);
const CANCLD: Cell = Cell::To(State::Cancelled);
const REFDNG: Cell = Cell::To(State::Refunding);
const REFDED: Cell = Cell::To(State::Refunded);
const ______: Cell = Cell::Nothing;
const NOTED_: Cell = Cell::Noted;
const ALARM_: Cell = Cell::Alarm;
const BEGUN_: Cell = Cell::No(InvalidInput::AlreadyBegun);
const LATE__: Cell = Cell::No(InvalidInput::TooLate);
const WRONG_: Cell = Cell::No(InvalidInput::WrongState);
const STALE_: Cell = Cell::No(InvalidInput::Stale);

/// Rows of a pattern, examples of it and their cells. From the patterns comes a `match`, so that the compiler misses a
/// row for any input that has none; from the cells an array, so that it misses any that is not there.
macro_rules! table {
    ($($pattern:pat $(if $guard:expr)?, [$($example:expr),+] => [$($cell:ident)+];)+) => {
        fn row(input: &Input) -> Row {
            match input {
                $($pattern $(if $guard)? => [$($cell),+],)+
            }
        }

        fn examples() -> Vec<Input> {
            vec![$($($example),+),+]
        }
    };
}

table! {
    // Created Reservg Reservd Paying  Pending Confirm Paid    Shipped Delivrd Canclng Cancled Refndng Refnded
    Input::Begin, [Input::Begin] =>
        [RESERV BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_ BEGUN_];
    // Before the stock is known to be held the money is only noted; the reservation goes on.
    Input::PaymentSucceeded { late: false }, [SUCCEEDED] =>
        [NOTED_ NOTED_ CONFIR CONFIR CONFIR ______ ______ ______ ______ NOTED_ REFDNG ______ ______];
    // Payment sends it back by itself: it pays for nothing.
    Input::PaymentSucceeded { late: true }, [Input::PaymentSucceeded { late: true }] =>
        [REFDNG REFDNG REFDNG REFDNG REFDNG ALARM_ ALARM_ ALARM_ ALARM_ NOTED_ REFDNG ______ ______];
    Input::PaymentFailed, [Input::PaymentFailed] =>
        [CANCLD CANCLG CANCLG CANCLG CANCLG ALARM_ ALARM_ ALARM_ ALARM_ ______ ______ ALARM_ ALARM_];
    Input::PaymentContradicts { .. }, [contradicts()] =>
        [ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_];
    Input::ReservationExpired { at } if *at <= now(), [expired(0)] =>
        [CANCLD CANCLG CANCLG CANCLG CANCLG ______ ______ ______ ______ ______ ______ ______ ______];
    // After the order was paid it can't.
    Input::ReservationExpired { .. }, [expired(1)] =>
        [CANCLD CANCLG CANCLG CANCLG CANCLG ______ ALARM_ ALARM_ ALARM_ ______ ______ ______ ______];
    Input::RefundCompleted { late: false, full: true }, [refunded(false, true)] =>
        [ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ REFDED ______];
    Input::RefundCompleted { full: false, .. }, [refunded(false, false), refunded(true, false)] =>
        [ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ALARM_ ______ ______];
    // Payment refunds late money by itself, and events come in any order.
    Input::RefundCompleted { late: true, full: true }, [refunded(true, true)] =>
        [REFDED REFDNG REFDNG REFDNG REFDNG ALARM_ ALARM_ ALARM_ ALARM_ NOTED_ REFDED REFDED ______];
    Input::DeadlineReached, [Input::DeadlineReached] =>
        [CANCLD CANCLG CANCLG CANCLG CANCLG ______ ______ ______ ______ ______ ______ ______ ______];
    Input::Cancel { .. }, [BY_CUSTOMER, Input::Cancel { by: CancelReason::Operator }] =>
        [CANCLD CANCLG CANCLG CANCLG CANCLG LATE__ LATE__ LATE__ LATE__ ______ ______ ______ ______];
    Input::RefundAsked { .. }, [Input::RefundAsked { restock: true }, Input::RefundAsked { restock: false }] =>
        [WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ REFDNG REFDNG REFDNG WRONG_ WRONG_ ______ ______];
    Input::Ship, [Input::Ship] =>
        [WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ SHIPPD ______ WRONG_ WRONG_ WRONG_ WRONG_ WRONG_];
    Input::Deliver, [Input::Deliver] =>
        [WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ WRONG_ DELIVD ______ WRONG_ WRONG_ WRONG_ WRONG_];
    Input::Retry, [Input::Retry] =>
        [WRONG_ NOTED_ WRONG_ NOTED_ WRONG_ NOTED_ WRONG_ WRONG_ WRONG_ NOTED_ WRONG_ NOTED_ WRONG_];
    // A call is awaited in one of these states; its answers and its silence are stale in all others.
    Input::NoAnswer { action: Action::Reserve, .. }, [silence(Action::Reserve)] =>
        [STALE_ NOTED_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::NoAnswer { action: Action::Pay, .. }, [silence(Action::Pay)] =>
        [STALE_ STALE_ STALE_ NOTED_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::NoAnswer { action: Action::Confirm, .. }, [silence(Action::Confirm)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ NOTED_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::NoAnswer { action: Action::Void, .. }, [silence(Action::Void)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ NOTED_ STALE_ STALE_ STALE_];
    Input::NoAnswer { action: Action::Refund, .. }, [silence(Action::Refund)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ NOTED_ STALE_];
    Input::NoAnswer { action: Action::Release | Action::Restock, .. },
    [silence(Action::Release), silence(Action::Restock)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::Held), [reply(Reply::Held)] =>
        [STALE_ PAYING STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    // Nothing was ever held and nothing paid: there is nothing to undo.
    Input::Replied(Reply::StockRefused), [reply(Reply::StockRefused)] =>
        [STALE_ CANCLD STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::PaymentStarted), [reply(Reply::PaymentStarted)] =>
        [STALE_ STALE_ STALE_ PENDIN STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::Declined | Reply::PaymentRefused), [reply(Reply::Declined), reply(Reply::PaymentRefused)] =>
        [STALE_ STALE_ STALE_ CANCLG STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::Confirmed), [reply(Reply::Confirmed)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ PAID__ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::StockGone), [reply(Reply::StockGone)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ REFDNG STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::Voided), [reply(Reply::Voided)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ NOTED_ STALE_ STALE_ STALE_];
    Input::Replied(Reply::AlreadyCaptured), [reply(Reply::AlreadyCaptured)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ REFDNG STALE_ STALE_ STALE_];
    Input::Replied(Reply::RefundPending), [reply(Reply::RefundPending)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ NOTED_ STALE_];
    Input::Replied(Reply::RefundSucceeded), [reply(Reply::RefundSucceeded)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ REFDED STALE_];
    Input::Replied(Reply::RefundFailed), [reply(Reply::RefundFailed)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ ALARM_ STALE_];
    Input::Replied(Reply::Released | Reply::AlreadyConfirmed | Reply::Restocked),
    [reply(Reply::Released), reply(Reply::AlreadyConfirmed), reply(Reply::Restocked)] =>
        [STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_ STALE_];
}

fn contradicts() -> Input {
    let reason = "10 USD instead of 20 USD".to_owned();
    Input::PaymentContradicts { reason }
}

fn expired(seconds: i64) -> Input {
    let at = now() + TimeDelta::seconds(seconds);
    Input::ReservationExpired { at }
}

fn refunded(late: bool, full: bool) -> Input {
    Input::RefundCompleted { late, full }
}

fn silence(action: Action) -> Input {
    let reason = "timed out".to_owned();
    Input::NoAnswer { action, reason }
}

fn seen(before: &Saga, input: &Input) -> Cell {
    match advance(before.clone(), input.clone(), now()) {
        Err(error) => Cell::No(error),
        Ok((_, effects)) if alarmed(&effects) => Cell::Alarm,
        Ok((after, _)) if after.state != before.state => Cell::To(after.state),
        Ok((after, effects)) if after == *before => {
            assert_eq!(effects, [], "{input:?} in {}", before.state);
            Cell::Nothing
        }
        Ok(_) => Cell::Noted,
    }
}

#[test]
fn every_cell() {
    for input in examples() {
        for (state, expected) in State::ALL.into_iter().zip(row(&input)) {
            assert_eq!(seen(&at(state), &input), expected, "{input:?} in {state}");
        }
    }
}

/// Each answer and the silence of each call is an example; the other inputs the compiler counts.
#[test]
fn every_answer_has_an_example() {
    let examples = examples();
    for answer in Reply::ALL {
        assert!(examples.contains(&reply(answer)), "{answer:?}");
    }
    for action in Action::ALL {
        assert!(examples.contains(&silence(action)), "{action:?}");
    }
}
