use contracts::{Currency, ProductId, UserId, VariantId};
use proptest::prelude::*;

use super::*;
use crate::domain::{Discount, OrderNumber};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Three mugs at 10.00 and a tea at 5.00, less 3.50.
fn bought(state: State) -> (Order, Vec<Line>) {
    let line = |line_no, minor, quantity| Line {
        line_no,
        variant_id: VariantId::generate(),
        product_id: ProductId::generate(),
        sku: format!("SKU-{line_no}"),
        title: "Mug".to_owned(),
        unit_price: usd(minor),
        quantity,
        returned: 0,
    };
    let order = Order {
        id: OrderId::generate(),
        number: OrderNumber(1),
        user_id: UserId::generate(),
        state,
        version: 9,
        total: usd(3150),
        discount: Some(Discount {
            code: "TEN".parse().unwrap(),
            amount: usd(350),
        }),
        returned: usd(0),
        cancel_reason: None,
        placed_at: DateTime::UNIX_EPOCH,
    };
    (order, vec![line(1, 1000, 3), line(2, 500, 1)])
}

fn of_line(line_no: i32, quantity: u32) -> WantedLine {
    WantedLine {
        line_no,
        quantity,
        restock: true,
    }
}

#[test]
fn what_may_come_back() {
    let (order, lines) = bought(State::Shipped);
    let left = usd(3150);
    for (wanted, promised) in [
        (Wanted::Lines(vec![of_line(1, 1)]), Ok(900)),
        (Wanted::Lines(vec![of_line(2, 1), of_line(1, 3)]), Ok(3150)),
        (
            Wanted::Lines(vec![of_line(1, 4)]),
            Err(ReturnProblem::TooManyUnits { index: 0, left: 3 }),
        ),
        (
            Wanted::Lines(vec![of_line(2, 1), of_line(1, 0)]),
            Err(ReturnProblem::TooManyUnits { index: 1, left: 3 }),
        ),
        (
            Wanted::Lines(vec![of_line(3, 1)]),
            Err(ReturnProblem::NoSuchLine { index: 0 }),
        ),
        (
            Wanted::Lines(vec![of_line(1, 1), of_line(1, 1)]),
            Err(ReturnProblem::NoSuchLine { index: 1 }),
        ),
        (Wanted::Amount(usd(3150)), Ok(3150)),
        (
            Wanted::Amount(usd(3151)),
            Err(ReturnProblem::TooMuchMoney { left }),
        ),
        (Wanted::Amount(usd(0)), Err(ReturnProblem::TooMuchMoney { left })),
        (Wanted::Amount(usd(-1)), Err(ReturnProblem::TooMuchMoney { left })),
        (
            Wanted::Amount(Money::new(1, Currency::EUR)),
            Err(ReturnProblem::OtherCurrency(Currency::USD)),
        ),
    ] {
        let found = promise(&order, &lines, &wanted).map(|promise| promise.amount_minor);
        assert_eq!(found, promised, "{wanted:?}");
    }
}

#[test]
fn only_what_is_paid_for_can_be_returned() {
    for state in State::ALL {
        let (order, lines) = bought(state);
        let found = promise(&order, &lines, &Wanted::Amount(usd(1)));
        let may = matches!(state, State::Paid | State::Shipped | State::Delivered);
        assert_eq!(found.is_ok(), may, "{state}");
        assert_eq!(order.returnable().amount_minor > 0, may, "{state}");
    }
}

#[test]
fn what_went_back_as_an_amount_is_taken_off_last() {
    let (mut order, mut lines) = bought(State::Paid);
    order.returned = usd(3000);
    let all = Wanted::Lines(vec![of_line(1, 3), of_line(2, 1)]);
    let promised = promise(&order, &lines, &all).unwrap();
    assert_eq!((promised.amount_minor, promised.money), (150, MoneyBack::Due));
    order.returned = order.total;
    let promised = promise(&order, &lines, &all).unwrap();
    assert_eq!(
        promised,
        Promise {
            amount_minor: 0,
            money: MoneyBack::Nothing,
            units: UnitsBack::Due
        }
    );
    lines[0].returned = 3;
    assert_eq!(
        promise(&order, &lines, &all),
        Err(ReturnProblem::TooManyUnits { index: 0, left: 0 })
    );
    let refused = promise(&order, &lines, &Wanted::Amount(usd(1)));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "Only 0.00 USD of what was paid is left"
    );
}

fn asked(money: MoneyBack, units: UnitsBack) -> Return {
    Return {
        order_id: OrderId::generate(),
        number: 2,
        amount: usd(500),
        money,
        units,
        refund_try: 1,
        attempt: 1,
        due: Due::Now,
        needs_attention: false,
        last_error: None,
        ended_at: None,
    }
}

const MONEY: [MoneyBack; 5] = [
    MoneyBack::Nothing,
    MoneyBack::Due,
    MoneyBack::Asked,
    MoneyBack::Done,
    MoneyBack::Refused,
];
const UNITS: [UnitsBack; 4] = [
    UnitsBack::Nothing,
    UnitsBack::Due,
    UnitsBack::Done,
    UnitsBack::Refused,
];

fn heard() -> [Heard; 6] {
    [
        Heard::MoneyWentBack,
        Heard::MoneyOnItsWay,
        Heard::UnitsOnShelf,
        Heard::Refused(Call::Refund, "no".to_owned()),
        Heard::Refused(Call::Restock, "no".to_owned()),
        Heard::NoAnswer("timeout".to_owned()),
    ]
}

#[test]
fn every_cell_of_the_table() {
    use MoneyBack::{Asked, Done, Due, Nothing, Refused};
    use UnitsBack as U;
    #[rustfmt::skip]
    let money = [
        // MoneyWentBack, MoneyOnItsWay, UnitsOnShelf, refund refused, restock refused, no answer
        (Nothing, [Nothing, Nothing, Nothing, Nothing, Nothing, Nothing]),
        (Due,     [Done,    Asked,   Due,     Refused, Due,     Due]),
        (Asked,   [Done,    Asked,   Asked,   Refused, Asked,   Asked]),
        (Done,    [Done,    Done,    Done,    Done,    Done,    Done]),
        (Refused, [Done,    Refused, Refused, Refused, Refused, Refused]),
    ];
    #[rustfmt::skip]
    let units = [
        (U::Nothing, [U::Nothing, U::Nothing, U::Nothing, U::Nothing, U::Nothing, U::Nothing]),
        (U::Due,     [U::Due,     U::Due,     U::Done,    U::Due,     U::Refused, U::Due]),
        (U::Done,    [U::Done,    U::Done,    U::Done,    U::Done,    U::Done,    U::Done]),
        (U::Refused, [U::Refused, U::Refused, U::Done,    U::Refused, U::Refused, U::Refused]),
    ];
    for (before, row) in money {
        for (stock, columns) in units {
            for (index, news) in heard().into_iter().enumerate() {
                let mut state = asked(before, stock);
                state.hear(news.clone(), DateTime::UNIX_EPOCH);
                let place = format!("{before:?} {stock:?} {news:?}");
                assert_eq!(
                    (state.money, state.units),
                    (row[index], columns[index]),
                    "{place}"
                );
                assert_eq!(
                    state.ended_at.is_some(),
                    state.status() == ReturnStatus::Done && index != 5,
                    "{place}"
                );
                assert_eq!(
                    state.due == crate::saga::Due::Never,
                    state.call().is_none(),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn the_calls_follow_each_other() {
    let mut state = asked(MoneyBack::Due, UnitsBack::Due);
    assert_eq!(
        (state.call(), state.status()),
        (Some(Call::Refund), ReturnStatus::Requested)
    );
    state.hear(Heard::MoneyOnItsWay, DateTime::UNIX_EPOCH);
    assert_eq!(
        (state.call(), state.due),
        (Some(Call::Restock), Due::Now),
        "units don't wait for the bank"
    );
    state.hear(Heard::UnitsOnShelf, DateTime::UNIX_EPOCH);
    assert_eq!(
        (state.call(), state.due),
        (Some(Call::Refund), Due::Recheck),
        "the event may get lost"
    );
    assert_eq!(state.status(), ReturnStatus::Restocked);
    state.hear(Heard::MoneyWentBack, DateTime::UNIX_EPOCH);
    assert_eq!((state.call(), state.status()), (None, ReturnStatus::Done));
}

#[test]
fn a_person_is_called_when_it_lasts_and_when_it_is_refused() {
    let mut state = asked(MoneyBack::Due, UnitsBack::Due);
    for attempt in 1..=ATTENTION_AFTER {
        assert!(!state.needs_attention);
        state.attempt = attempt;
        state.hear(Heard::NoAnswer("timeout".to_owned()), DateTime::UNIX_EPOCH);
    }
    assert!(state.needs_attention && state.due == Due::Backoff);
    state.hear(Heard::MoneyOnItsWay, DateTime::UNIX_EPOCH);
    assert!(!state.needs_attention, "it was answered");
    state.hear(
        Heard::Refused(Call::Restock, "never sold".to_owned()),
        DateTime::UNIX_EPOCH,
    );
    assert!(state.needs_attention);
    state.hear(Heard::MoneyWentBack, DateTime::UNIX_EPOCH);
    assert_eq!(
        state.last_error.as_deref(),
        Some("never sold"),
        "the other half is still refused"
    );
    assert!(state.needs_attention && state.ended_at.is_none());
    assert!(state.retry() && !state.needs_attention);
    assert_eq!(state.call(), Some(Call::Restock));
    state.hear(Heard::UnitsOnShelf, DateTime::UNIX_EPOCH);
    assert_eq!(state.status(), ReturnStatus::Done);
    assert!(!state.retry(), "nothing is open");
}

#[test]
fn a_refused_refund_is_made_anew_under_another_key() {
    let mut state = asked(MoneyBack::Due, UnitsBack::Nothing);
    assert_eq!(state.reason(), "return_2");
    assert!(state.retry());
    assert_eq!(
        state.reason(),
        "return_2",
        "not refused, so it is the same refund"
    );
    state.hear(
        Heard::Refused(Call::Refund, "account closed".to_owned()),
        DateTime::UNIX_EPOCH,
    );
    assert!(state.retry());
    assert_eq!(state.reason(), "return_2_2");
    for (reason, number) in [
        ("return_2", Some(2)),
        ("return_2_2", Some(2)),
        ("return_", None),
        ("return_x", None),
        ("operator", None),
    ] {
        assert_eq!(number_of(reason), number, "{reason}");
    }
}

proptest! {
    /// Whatever is asked for and however often: what is promised is never more than was paid, what came back never
    /// more than was bought, and when all is back all money is.
    #[test]
    fn no_sum_of_returns_passes_what_was_paid(
        wishes in proptest::collection::vec((0u8..3, 0u32..4, 1i64..1500), 1..20),
    ) {
        let (mut order, mut lines) = bought(State::Delivered);
        for (what, quantity, minor) in wishes {
            let wanted = match what {
                0 => Wanted::Amount(usd(minor)),
                line => Wanted::Lines(vec![of_line(line.into(), quantity)]),
            };
            if let Ok(promised) = promise(&order, &lines, &wanted) {
                order.returned.amount_minor += promised.amount_minor;
                if let Wanted::Lines(wanted) = wanted {
                    let index = usize::try_from(wanted[0].line_no - 1).unwrap();
                    lines[index].returned += wanted[0].quantity;
                }
            }
            prop_assert!(order.returned.amount_minor <= order.total.amount_minor);
            prop_assert!(lines.iter().all(|line| line.returned <= line.quantity));
        }
        for line_no in [2, 1] {
            let line = &lines[usize::try_from(line_no - 1).unwrap()];
            let wanted = Wanted::Lines(vec![of_line(line_no, line.quantity - line.returned)]);
            if let Ok(promised) = promise(&order, &lines, &wanted) {
                order.returned.amount_minor += promised.amount_minor;
            }
        }
        prop_assert_eq!(order.returned.amount_minor, order.total.amount_minor);
    }

    /// Any news in any order: nothing is called for twice that is done, and what ended stays so.
    #[test]
    fn what_is_done_stays_done(news in proptest::collection::vec(0usize..6, 0..12), money in 0usize..5, units in 0usize..4) {
        let mut state = asked(MONEY[money], UNITS[units]);
        for index in news {
            let before = state.clone();
            state.hear(heard()[index].clone(), DateTime::UNIX_EPOCH);
            prop_assert!(before.money != MoneyBack::Done || state.money == MoneyBack::Done);
            prop_assert!(before.units != UnitsBack::Done || state.units == UnitsBack::Done);
            prop_assert!(before.ended_at.is_none() || state.call().is_none());
        }
    }
}
