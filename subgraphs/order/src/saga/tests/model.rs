//! Random schedules of one order against a model of inventory, payment and the wires between: answers get lost,
//! calls arrive late or twice, events are delayed, repeated and reordered. Then everything heals, and the order
//! must be final with its books in balance.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stock {
    None,
    Held,
    Confirmed,
    Released,
    Expired,
    Restocked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    None,
    Initiated,
    Failed,
    Voided,
    Captured,
    Refunded,
}

/// What can happen next; the numbers choose among what is on the wire.
#[derive(Debug, Clone)]
enum Move {
    Perform { call: usize },
    PerformLost { call: usize },
    Lose { call: usize },
    Repeat { call: usize },
    Reply { reply: usize },
    Silence,
    Deliver { event: usize },
    Redeliver { event: usize },
    ProviderCaptures,
    ProviderDeclines,
    HoldExpires,
    SellElsewhere,
    Deadline,
    Cancel,
    Refund { restock: bool },
}

struct World {
    saga: Saga,
    stock: Stock,
    /// Units on the shelf; the order wants one.
    shelf: i32,
    money: Money,
    refund_keys: BTreeSet<&'static str>,
    captures: u32,
    calls: Vec<Action>,
    replies: Vec<Reply>,
    events: Vec<Input>,
    seen: Vec<Input>,
    transitions: Vec<Transition>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            saga: at(State::Created),
            stock: Stock::None,
            shelf: 1,
            money: Money::None,
            refund_keys: BTreeSet::new(),
            captures: 0,
            calls: Vec::new(),
            replies: Vec::new(),
            events: Vec::new(),
            seen: Vec::new(),
            transitions: Vec::new(),
        };
        world.input(Input::Begin);
        world
    }

    fn input(&mut self, input: Input) {
        let Ok((saga, effects)) = advance(self.saga.clone(), input, now()) else {
            return;
        };
        self.saga = saga;
        for effect in effects {
            match effect {
                Effect::Start(action) => self.calls.push(action),
                Effect::Record(transition) => self.transitions.push(transition),
                Effect::End { .. } | Effect::Alarm { .. } => {}
            }
        }
    }

    /// What the called service does and answers, as its contract says.
    fn perform(&mut self, action: Action) -> Reply {
        match action {
            Action::Reserve => self.hold(Stock::None, Stock::Held, Reply::Held, Reply::StockRefused),
            Action::Confirm => match self.stock {
                Stock::Confirmed => Reply::Confirmed,
                Stock::Held => {
                    self.stock = Stock::Confirmed;
                    Reply::Confirmed
                }
                before => self.hold(before, Stock::Confirmed, Reply::Confirmed, Reply::StockGone),
            },
            Action::Release => match self.stock {
                Stock::Confirmed => Reply::AlreadyConfirmed,
                Stock::Restocked => Reply::Released,
                Stock::Held => {
                    self.shelf += 1;
                    self.stock = Stock::Released;
                    Reply::Released
                }
                _ => {
                    self.stock = Stock::Released;
                    Reply::Released
                }
            },
            Action::Restock => {
                if self.stock == Stock::Confirmed {
                    self.shelf += 1;
                    self.stock = Stock::Restocked;
                }
                Reply::Restocked
            }
            Action::Pay => match self.money {
                Money::None => {
                    self.money = Money::Initiated;
                    Reply::PaymentStarted
                }
                Money::Failed => Reply::Declined,
                Money::Voided => Reply::PaymentRefused,
                _ => Reply::PaymentStarted,
            },
            Action::Void => match self.money {
                Money::Captured | Money::Refunded => Reply::AlreadyCaptured,
                Money::Failed => Reply::Voided,
                _ => {
                    self.money = Money::Voided;
                    Reply::Voided
                }
            },
            Action::Refund => self.refund(),
        }
    }

    fn hold(&mut self, from: Stock, to: Stock, yes: Reply, no: Reply) -> Reply {
        if self.stock == to {
            return yes;
        }
        if self.stock == from && self.shelf > 0 {
            self.shelf -= 1;
            self.stock = to;
            return yes;
        }
        no
    }

    fn refund(&mut self) -> Reply {
        let late = match self.saga.refund.map(|refund| refund.reason) {
            Some(RefundReason::LatePayment) | None => "late_payment",
            Some(RefundReason::StockGone) => "stock_gone",
            Some(RefundReason::Operator) => "operator",
        };
        self.refund_keys.insert(late);
        if self.money == Money::Captured {
            self.money = Money::Refunded;
            self.events.push(Input::RefundCompleted {
                late: late == "late_payment",
                full: true,
            });
            return Reply::RefundPending;
        }
        Reply::RefundSucceeded
    }

    fn capture(&mut self) {
        match self.money {
            Money::Initiated => {
                self.captures += 1;
                self.money = Money::Captured;
                self.events.push(SUCCEEDED);
            }
            // Captured after the void: payment sends it back on its own.
            Money::Voided if self.captures == 0 => {
                self.captures += 1;
                self.money = Money::Refunded;
                self.refund_keys.insert("late_payment");
                self.events.push(Input::PaymentSucceeded { late: true });
                self.events.push(Input::RefundCompleted {
                    late: true,
                    full: true,
                });
            }
            _ => {}
        }
    }

    fn play(&mut self, next: &Move) {
        let pick = |index: usize, len: usize| (len > 0).then(|| index % len);
        match *next {
            Move::Perform { call } => {
                if let Some(call) = pick(call, self.calls.len()) {
                    let action = self.calls.remove(call);
                    let reply = self.perform(action);
                    self.replies.push(reply);
                }
            }
            Move::PerformLost { call } => {
                if let Some(call) = pick(call, self.calls.len()) {
                    let action = self.calls.remove(call);
                    self.perform(action);
                }
            }
            Move::Lose { call } => {
                if let Some(call) = pick(call, self.calls.len()) {
                    self.calls.remove(call);
                }
            }
            Move::Repeat { call } => {
                if let Some(call) = pick(call, self.calls.len()) {
                    self.calls.push(self.calls[call]);
                }
            }
            // An answer reaches the saga only while the worker that asked holds its place; a late one of the
            // same call is as good, since the call bears the same key.
            Move::Reply { reply } => {
                if let Some(reply) = pick(reply, self.replies.len()) {
                    let reply = self.replies.remove(reply);
                    if reply != Reply::StockRefused || self.saga.attempt == 1 {
                        self.input(Input::Replied(reply));
                    }
                }
            }
            Move::Silence => self.silence(),
            Move::Deliver { event } => {
                if let Some(event) = pick(event, self.events.len()) {
                    let event = self.events.remove(event);
                    self.seen.push(event.clone());
                    self.input(event);
                }
            }
            Move::Redeliver { event } => {
                if let Some(event) = pick(event, self.seen.len()) {
                    self.input(self.seen[event].clone());
                }
            }
            Move::ProviderCaptures => self.capture(),
            Move::ProviderDeclines => {
                if self.money == Money::Initiated {
                    self.money = Money::Failed;
                    self.events.push(Input::PaymentFailed);
                }
            }
            Move::HoldExpires => {
                if self.stock == Stock::Held {
                    self.stock = Stock::Expired;
                    self.shelf += 1;
                    self.events.push(Input::ReservationExpired { at: now() });
                }
            }
            Move::SellElsewhere => self.shelf = (self.shelf - 1).max(0),
            Move::Deadline => self.input(Input::DeadlineReached),
            Move::Cancel => self.input(BY_CUSTOMER),
            Move::Refund { restock } => self.input(Input::RefundAsked { restock }),
        }
    }

    /// The worker hears nothing, and makes the call again.
    fn silence(&mut self) {
        if let Some(action) = self.saga.pending {
            self.replies.retain(|reply| reply.answers() != action);
            let reason = "timed out".to_owned();
            self.input(Input::NoAnswer { action, reason });
            if self.saga.due == Due::Backoff {
                self.saga.attempt += 1;
                self.saga.due = Due::Now;
                self.calls.push(action);
            }
        }
    }

    /// No more faults: late calls arrive, events are delivered, whatever is pending is answered, and an order
    /// that nobody pays meets its deadline.
    fn heal(&mut self) {
        for action in std::mem::take(&mut self.calls) {
            self.perform(action);
        }
        self.replies.clear();
        for round in 0..40 {
            while let Some(event) = self.events.pop() {
                self.input(event);
            }
            if let Some(action) = self.saga.pending {
                self.saga.attempt += 1;
                let reply = self.perform(action);
                self.input(Input::Replied(reply));
                self.calls.clear();
            } else if round > 20 {
                self.input(Input::DeadlineReached);
            }
        }
    }

    fn check(&self) {
        let saga = &self.saga;
        assert!(saga.state.is_final(), "not final: {saga:?}");
        assert_eq!((saga.pending, saga.due), (None, Due::Never));
        assert!(
            self.refund_keys.len() <= 1,
            "refunded twice: {:?}",
            self.refund_keys
        );
        assert!(self.captures <= 1);
        match saga.state {
            State::Paid => assert_eq!((self.stock, self.money), (Stock::Confirmed, Money::Captured)),
            State::Cancelled => {
                assert!(
                    !matches!(self.stock, Stock::Held | Stock::Confirmed),
                    "{:?}",
                    self.stock
                );
                assert!(matches!(self.money, Money::None | Money::Failed | Money::Voided));
            }
            State::Refunded => {
                assert_eq!(self.money, Money::Refunded);
                assert_ne!(self.stock, Stock::Held);
            }
            other => panic!("{other} was never asked for"),
        }
        let mut at: Option<State> = None;
        for (transition, sequence) in self.transitions.iter().zip(1..) {
            assert_eq!((transition.sequence, transition.from), (sequence, at));
            assert!(at.is_none_or(|from| from.may_become(transition.to)));
            at = Some(transition.to);
        }
        assert_eq!(saga.attention, None, "{:?}", saga.last_error);
    }
}

fn moves() -> impl Strategy<Value = Move> {
    let index = || 0_usize..8;
    prop_oneof![
        8 => index().prop_map(|call| Move::Perform { call }),
        2 => index().prop_map(|call| Move::PerformLost { call }),
        1 => index().prop_map(|call| Move::Lose { call }),
        1 => index().prop_map(|call| Move::Repeat { call }),
        8 => index().prop_map(|reply| Move::Reply { reply }),
        2 => Just(Move::Silence),
        6 => index().prop_map(|event| Move::Deliver { event }),
        2 => index().prop_map(|event| Move::Redeliver { event }),
        4 => Just(Move::ProviderCaptures),
        1 => Just(Move::ProviderDeclines),
        1 => Just(Move::HoldExpires),
        1 => Just(Move::SellElsewhere),
        1 => Just(Move::Deadline),
        1 => Just(Move::Cancel),
        1 => any::<bool>().prop_map(|restock| Move::Refund { restock }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_schedule_ends_with_the_books_in_balance(
        schedule in proptest::collection::vec(moves(), 0..40)
    ) {
        let mut world = World::new();
        for next in &schedule {
            world.play(next);
        }
        world.heal();
        world.check();
    }
}
