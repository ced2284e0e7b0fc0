//! The rows of the matrix.
//!
//! C1 to C29 are the crash points of the saga's design, R1 to R6 those of a return beside it; rows with another letter
//! are faults of their own that a seeded bug needs to show itself.

use super::load::Buyer::{self, Cancels, Declined, Pays, PaysLate, PaysSlowly, Returns, SendsBack, Vanishes};
use super::row::{Act, Row};

/// Every story once or more.
const MIXED: &[Buyer] = &[
    Pays, Declined, Cancels, PaysLate, Pays, SendsBack, Pays, Declined, Cancels, PaysSlowly,
];
const PAYING: &[Buyer] = &[Pays, Pays, Declined, Pays, Pays, Pays, Declined, Pays, Pays, Pays];
const CANCELLING: &[Buyer] = &[
    Cancels, Cancels, PaysLate, Cancels, Pays, Cancels, PaysLate, Cancels, Declined, Pays,
];
const RETURNING: &[Buyer] = &[
    Returns, Pays, Returns, SendsBack, Returns, Declined, Returns, Pays, Returns, Pays,
];
const SLOW: &[Buyer] = &[PaysSlowly; 10];
const ALL_PAY: &[Buyer] = &[Pays; 10];
const VANISHING: &[Buyer] = &[Vanishes; 10];

const fn crash(id: &'static str, victim: &'static str, point: &'static str, what: &'static str) -> Row {
    Row {
        id,
        victim,
        point,
        nth: 2,
        what,
        act: Act::Crash,
        buyers: MIXED,
        units: 20,
        deadline_s: None,
        stock_at_crash: None,
    }
}

const fn outside(id: &'static str, victim: &'static str, act: Act, what: &'static str) -> Row {
    Row {
        act,
        ..crash(id, victim, "", what)
    }
}

const fn first(row: Row) -> Row {
    Row { nth: 1, ..row }
}

const fn with(buyers: &'static [Buyer], row: Row) -> Row {
    Row { buyers, ..row }
}

/// All rows, in the order they run.
pub(crate) const ROWS: &[Row] = &[
    outside("N", "", Act::Nothing, "nobody"),
    crash("C1", "order", "creating", "before the checkout commits"),
    crash(
        "C2",
        "order",
        "created",
        "after the checkout's commit, before its answer",
    ),
    crash(
        "C3",
        "order",
        "before-reserve",
        "STARTED (reserve) committed, before the call",
    ),
    crash("C4", "inventory", "moving-HELD", "units held, before the commit"),
    with(
        PAYING,
        crash(
            "C4b",
            "inventory",
            "moving-CONFIRMED",
            "units sold, before the commit",
        ),
    ),
    with(
        CANCELLING,
        crash(
            "C4c",
            "inventory",
            "moving-RELEASED",
            "units given back, before the commit",
        ),
    ),
    crash(
        "C5",
        "inventory",
        "moved-HELD",
        "hold committed, before the answer",
    ),
    crash(
        "C5b",
        "order",
        "after-reserve",
        "reservation answered, before it is saved",
    ),
    Row {
        act: Act::StayDown,
        deadline_s: Some(3),
        ..with(
            PAYING,
            crash(
                "C6",
                "order",
                "before-pay",
                "down for longer than reservations live",
            ),
        )
    },
    with(
        PAYING,
        crash(
            "C7",
            "order",
            "before-pay",
            "stock reserved, before the call of payment",
        ),
    ),
    with(
        PAYING,
        crash(
            "C8",
            "payment",
            "initiated",
            "INITIATED committed, before the call of the provider",
        ),
    ),
    with(
        PAYING,
        crash(
            "C9",
            "payment",
            "answered-Initiated",
            "provider charged, before it is recorded",
        ),
    ),
    first(crash(
        "C9b",
        "payment",
        "webhook",
        "webhook applied, before the commit",
    )),
    with(
        PAYING,
        crash(
            "C10",
            "payment",
            "recorded-Captured",
            "CAPTURED and its event committed",
        ),
    ),
    first(with(
        PAYING,
        crash(
            "C10b",
            "payment",
            "claimed",
            "event taken from the outbox, before it is published",
        ),
    )),
    with(
        PAYING,
        crash("C11", "payment", "published", "event sent, before the confirm"),
    ),
    crash("C11b", "order", "published", "events sent, before the confirm"),
    Row {
        act: Act::BrokerDies,
        // A broker takes its time.
        deadline_s: Some(120),
        ..first(with(
            PAYING,
            crash("C12", "payment", "published", "broker killed, before it confirms"),
        ))
    },
    with(
        PAYING,
        crash(
            "C13",
            "payment",
            "confirmed",
            "event confirmed, before it is marked as published",
        ),
    ),
    crash(
        "C13b",
        "order",
        "confirmed",
        "events confirmed, before they are marked as published",
    ),
    with(
        PAYING,
        crash(
            "C14",
            "order",
            "delivered",
            "event delivered, before the inbox commits",
        ),
    ),
    with(
        PAYING,
        crash(
            "C15",
            "order",
            "stored",
            "event in the inbox, before it is acknowledged",
        ),
    ),
    crash("C16", "order", "applied", "inbox worker, in its transaction"),
    with(
        PAYING,
        crash("C17", "order", "before-confirm", "CONFIRMING, before the call"),
    ),
    with(
        PAYING,
        crash("C18", "order", "after-confirm", "stock confirmed, before PAID"),
    ),
    with(
        PAYING,
        crash(
            "C18b",
            "inventory",
            "moved-CONFIRMED",
            "units sold, before the answer",
        ),
    ),
    with(
        PAYING,
        crash(
            "C19",
            "order",
            "saved-PAID",
            "PAID committed, before its event is out",
        ),
    ),
    with(
        CANCELLING,
        crash("C20", "order", "before-void", "CANCELLING, before the void"),
    ),
    with(
        CANCELLING,
        crash(
            "C20b",
            "payment",
            "voiding",
            "wish to void committed, before the call of the provider",
        ),
    ),
    Row {
        stock_at_crash: Some("HELD"),
        ..with(
            CANCELLING,
            crash(
                "C21",
                "payment",
                "answered-Voiding",
                "provider cancelled, before it is recorded; some money comes all the same",
            ),
        )
    },
    with(
        CANCELLING,
        crash(
            "C22",
            "order",
            "after-void",
            "payment voided, before that is saved",
        ),
    ),
    with(
        CANCELLING,
        crash(
            "C22b",
            "order",
            "before-release",
            "payment voided, before the release",
        ),
    ),
    with(
        CANCELLING,
        crash(
            "C23",
            "order",
            "after-release",
            "stock released, before CANCELLED",
        ),
    ),
    with(
        CANCELLING,
        crash(
            "C23b",
            "inventory",
            "moved-RELEASED",
            "units given back, before the answer",
        ),
    ),
    with(
        CANCELLING,
        first(crash(
            "C24",
            "order",
            "heard-late-payment",
            "late payment heard on a cancelled order, before the commit",
        )),
    ),
    Row {
        act: Act::WebhooksHeld,
        ..first(crash(
            "C25",
            "payment",
            "answered-refund",
            "provider refunded, before it is recorded; its webhooks come too late to help",
        ))
    },
    first(crash(
        "C25b",
        "order",
        "after-refund",
        "refund answered, before it is saved",
    )),
    first(crash(
        "C25c",
        "order",
        "before-restock",
        "money back, before the units are",
    )),
    Row {
        deadline_s: Some(3),
        ..with(
            VANISHING,
            crash("C26", "order", "timing-out", "deadline fired, before the commit"),
        )
    },
    Row {
        act: Act::Expiry,
        deadline_s: Some(3),
        ..with(
            VANISHING,
            first(crash(
                "C26b",
                "inventory",
                "moving-EXPIRED",
                "hold expired, before the commit",
            )),
        )
    },
    outside(
        "C27",
        "order",
        Act::CommitCut,
        "connection cut after COMMIT was sent",
    ),
    outside(
        "C27b",
        "payment",
        Act::CommitCut,
        "connection cut after COMMIT was sent",
    ),
    outside(
        "C27c",
        "inventory",
        Act::CommitCut,
        "connection cut after COMMIT was sent",
    ),
    outside(
        "C28",
        "postgres",
        Act::PostgresDies,
        "PostgreSQL killed and started again",
    ),
    Row {
        act: Act::Paused,
        ..with(
            PAYING,
            crash(
                "C29",
                "order",
                "before-confirm",
                "frozen before the call until a replica has finished the order; goes on to find inventory away",
            ),
        )
    },
    Row {
        act: Act::PausedAndCancelled,
        ..first(with(
            PAYING,
            crash(
                "C29b",
                "order",
                "before-reserve",
                "frozen before the call until the order is cancelled at a replica; then calls",
            ),
        ))
    },
    with(
        RETURNING,
        crash("R1", "order", "returning", "return promised, before the commit"),
    ),
    with(
        RETURNING,
        crash("R2", "order", "returned", "return committed, before its answer"),
    ),
    with(
        RETURNING,
        crash(
            "R3",
            "order",
            "before-return-refund",
            "return committed, before the call of payment",
        ),
    ),
    with(
        RETURNING,
        crash(
            "R4",
            "order",
            "after-return-refund",
            "money asked back, before that is saved",
        ),
    ),
    with(
        RETURNING,
        crash(
            "R5",
            "order",
            "before-return-restock",
            "money back, before the units are",
        ),
    ),
    with(
        RETURNING,
        crash(
            "R6",
            "order",
            "after-return-restock",
            "units back, before that is saved",
        ),
    ),
    Row {
        deadline_s: Some(60),
        ..with(
            SLOW,
            outside(
                "Q",
                "order",
                Act::QueueGone,
                "down, and its queue deleted, while payment publishes",
            ),
        )
    },
    Row {
        units: 6,
        ..with(
            ALL_PAY,
            outside("S", "", Act::Nothing, "nobody; ten buyers of six units"),
        )
    },
];

/// The row of that number.
pub(crate) fn find(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_row_has_its_own_number_and_ten_buyers() {
        let ids: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), ROWS.len());
        assert!(ROWS.iter().all(|row| row.buyers.len() == 10));
    }

    #[test]
    fn no_point_of_the_design_is_left_out() {
        let missing: Vec<String> = (1..=29)
            .map(|number| format!("C{number}"))
            .filter(|id| find(id).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
