//! Every cell of both tables, and what a payment answers in each stage.

use chrono::DateTime;
use contracts::payment::StartPayment;
use contracts::{Currency, Money, OrderId, PaymentId, ProblemCode, UserId};

use super::*;

const STAGES: [Stage; 8] = [
    Stage::Initiated,
    Stage::Voiding,
    Stage::Captured,
    Stage::Failed,
    Stage::Voided,
    Stage::RefundPending,
    Stage::Refunded,
    Stage::PartiallyRefunded,
];
const NEWS: [News; 4] = [News::Processing, News::Captured, News::Declined, News::Cancelled];

#[test]
fn the_table_of_payments() {
    use Change::{Capture, CaptureLate, Contradiction, Fail, None, Void};
    //                        processing  captured     declined       cancelled
    let table = [
        (Stage::Initiated, [None, Capture, Fail, Fail]),
        (Stage::Voiding, [None, Capture, Fail, Void]),
        (Stage::Captured, [None, None, Contradiction, None]),
        (Stage::Failed, [None, CaptureLate, None, None]),
        (Stage::Voided, [None, CaptureLate, None, None]),
        (Stage::RefundPending, [None, None, Contradiction, None]),
        (Stage::Refunded, [None, None, Contradiction, None]),
        (Stage::PartiallyRefunded, [None, None, Contradiction, None]),
    ];
    assert_eq!(table.map(|(stage, _)| stage), STAGES);
    for (stage, row) in table {
        for (news, expected) in NEWS.into_iter().zip(row) {
            assert_eq!(stage.hear(news), expected, "{stage:?} x {news:?}");
        }
    }
}

#[test]
fn money_is_taken_at_most_once_and_never_forgotten() {
    for stage in STAGES {
        let captures = matches!(stage.hear(News::Captured), Change::Capture | Change::CaptureLate);
        assert_eq!(captures, !stage.is_captured(), "{stage:?}");
        if stage.is_captured() {
            for news in NEWS {
                assert!(
                    matches!(stage.hear(news), Change::None | Change::Contradiction),
                    "{stage:?} x {news:?}"
                );
            }
        }
    }
}

#[test]
fn the_table_of_refunds() {
    use RefundChange::{Complete, Contradiction, Fail, None};
    let news = [RefundNews::Pending, RefundNews::Succeeded, RefundNews::Failed];
    let table = [
        (RefundStage::Pending, [None, Complete, Fail]),
        (RefundStage::Succeeded, [None, None, Contradiction]),
        (RefundStage::Failed, [None, Contradiction, None]),
    ];
    for (stage, row) in table {
        for (news, expected) in news.into_iter().zip(row) {
            assert_eq!(stage.hear(news), expected, "{stage:?} x {news:?}");
        }
    }
}

fn terms(minor: i64) -> Terms {
    Terms {
        user_id: UserId::from_uuid(PaymentId::generate().uuid()),
        amount: Money::new(minor, Currency::USD),
        method: "pm_card_visa".to_owned(),
    }
}

fn payment(stage: Stage, terms: Terms) -> Payment {
    Payment {
        id: PaymentId::generate(),
        order_id: OrderId::generate(),
        terms: Some(terms),
        stage,
        psp_ref: Some("pi_1".to_owned()),
        decline_code: (stage == Stage::Failed).then(|| "generic_decline".to_owned()),
        captured_at: None,
        refunded_minor: 0,
        version: 1,
        correlation_id: None,
        traceparent: None,
        created_at: DateTime::UNIX_EPOCH,
        checks: 0,
    }
}

#[test]
fn a_repeated_start_is_answered_by_the_stage() {
    let asked = terms(1999);
    for stage in STAGES {
        let answer = payment(stage, asked.clone()).answer_start(&asked);
        let expected = match stage {
            Stage::Voiding | Stage::Voided => Err(ProblemCode::Voided),
            Stage::Failed => Err(ProblemCode::Declined),
            other => Ok(other.public()),
        };
        assert_eq!(
            answer.map(|view| view.status).map_err(|refusal| refusal.code),
            expected,
            "{stage:?}"
        );
    }
    let refusal = payment(Stage::Failed, asked.clone())
        .answer_start(&asked)
        .unwrap_err();
    assert_eq!(refusal.decline_code.as_deref(), Some("generic_decline"));
}

#[test]
fn other_terms_are_refused() {
    let asked = terms(1999);
    let known = payment(Stage::Captured, asked.clone());
    let others = [
        Terms {
            amount: Money::new(2000, Currency::USD),
            ..asked.clone()
        },
        Terms {
            amount: Money::new(1999, Currency::EUR),
            ..asked.clone()
        },
        Terms {
            method: "pm_card_amex".to_owned(),
            ..asked.clone()
        },
        Terms {
            user_id: UserId::from_uuid(PaymentId::generate().uuid()),
            ..asked
        },
    ];
    for other in others {
        assert_eq!(
            known.answer_start(&other).unwrap_err().code,
            ProblemCode::BodyMismatch,
            "{other:?}"
        );
    }
}

#[test]
fn a_report_must_be_about_the_payment() {
    let known = payment(Stage::Initiated, terms(1999));
    let report = Report {
        psp_ref: "pi_1".to_owned(),
        payment_id: Some(known.id),
        news: News::Captured,
        amount: Money::new(1999, Currency::USD),
        decline_code: None,
    };
    assert_eq!(report.check(&known), Ok(()));
    let without_id = Report {
        payment_id: None,
        ..report.clone()
    };
    assert_eq!(without_id.check(&known), Ok(()));
    let other_id = Report {
        payment_id: Some(PaymentId::generate()),
        ..report.clone()
    };
    assert_eq!(other_id.check(&known), Err(Mismatch::Identity));
    let other_ref = Report {
        psp_ref: "pi_2".to_owned(),
        ..report.clone()
    };
    assert_eq!(other_ref.check(&known), Err(Mismatch::Identity));
    for amount in [
        Money::new(1998, Currency::USD),
        Money::new(1999, Currency::EUR),
        Money::new(0, Currency::USD),
    ] {
        let other = Report {
            amount,
            ..report.clone()
        };
        assert!(
            matches!(other.check(&known), Err(Mismatch::Amount { .. })),
            "{amount:?}"
        );
    }
}

#[test]
fn what_cannot_be_paid_is_refused() {
    let request = |amount_minor, method: &str| StartPayment {
        user_id: UserId::from_uuid(PaymentId::generate().uuid()),
        amount: Money::new(amount_minor, Currency::USD),
        method: method.to_owned(),
    };
    assert!(Terms::try_new(request(1, "pm_card_visa")).is_ok());
    for (amount, method) in [
        (0, "pm_card_visa"),
        (-1, "pm_card_visa"),
        (1, ""),
        (1, "4242 4242"),
        (1, "a&b=c"),
    ] {
        assert_eq!(
            Terms::try_new(request(amount, method)).unwrap_err().code,
            ProblemCode::Invalid,
            "{method}"
        );
    }
}

#[test]
fn the_stage_follows_what_went_back() {
    let mut known = payment(Stage::Captured, terms(1999));
    assert_eq!(
        (known.stage_after_refund(0), known.refundable_minor(0)),
        (Stage::Captured, 1999)
    );
    assert_eq!(
        (known.stage_after_refund(1), known.refundable_minor(1)),
        (Stage::RefundPending, 1998)
    );
    known.refunded_minor = 999;
    assert_eq!(
        (known.stage_after_refund(0), known.refundable_minor(0)),
        (Stage::PartiallyRefunded, 1000)
    );
    known.refunded_minor = 1999;
    assert_eq!(
        (known.stage_after_refund(0), known.refundable_minor(0)),
        (Stage::Refunded, 0)
    );
}

#[test]
fn reasons_are_keys() {
    for good in ["late_payment", "a", "0", &"x".repeat(64)] {
        assert!(is_reason(good), "{good}");
    }
    for bad in ["", "Late", "a-b", "a b", "é", &"x".repeat(65)] {
        assert!(!is_reason(bad), "{bad}");
    }
}

#[test]
fn asking_again_slows_down_and_ends_where_nothing_can_come() {
    let mut known = payment(Stage::Initiated, terms(1));
    let mut before = std::time::Duration::ZERO;
    for checks in 0..20 {
        known.checks = checks;
        let pause = known.recheck_after().unwrap();
        assert!(pause >= before && pause.as_secs() <= 60);
        before = pause;
    }
    known.stage = Stage::Voided;
    known.checks = 0;
    assert_eq!(known.recheck_after().unwrap().as_secs(), 60);
    known.checks = 4;
    assert_eq!(known.recheck_after(), None);
    known.stage = Stage::Captured;
    assert_eq!(known.recheck_after(), None);
}
