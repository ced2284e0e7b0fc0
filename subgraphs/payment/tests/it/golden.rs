//! The bodies payment reads and writes, and the events it publishes, are those of the golden files.

use contracts::payment::{
    PaymentFailed, PaymentSucceeded, PaymentView, REASON_LATE_PAYMENT, RefundCompleted, RefundView,
    StartPayment, StartRefund, VoidOutcome, VoidView,
};
use contracts::{Event, EventData, Problem, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::world::TOTAL;

macro_rules! golden {
    ($name:literal) => {
        round_trips(include_str!(concat!(
            "../../../../crates/contracts/golden/",
            $name,
            ".json"
        )))
    };
}

fn round_trips<T: Serialize + DeserializeOwned>(golden: &str) -> T {
    let parsed: T = serde_json::from_str(golden).unwrap();
    let written = serde_json::to_value(&parsed).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap());
    parsed
}

fn is_about_its_order<T: EventData>(event: &Event<T>) {
    assert_eq!(
        (event.kind.as_str(), &event.subject),
        (T::TYPE, &event.data.subject())
    );
}

#[test]
fn bodies_keep_their_shape() {
    let start: StartPayment = golden!("start_payment");
    assert_eq!(start.amount, TOTAL);
    let view: PaymentView = golden!("payment_view");
    assert_eq!(view.decline_code, None);
    let failed: PaymentView = golden!("payment_view_failed");
    assert_eq!(failed.decline_code.as_deref(), Some("insufficient_funds"));
    let declined: Problem = golden!("problem_declined");
    assert_eq!((declined.code, declined.status), (ProblemCode::Declined, 402));
    let void: VoidView = golden!("void_view");
    assert_eq!(void.outcome, VoidOutcome::AlreadyCaptured);
    let part: StartRefund = golden!("start_refund");
    let all: StartRefund = golden!("start_refund_all");
    assert!(part.amount.is_some() && all.amount.is_none());
    let refund: RefundView = golden!("refund_view");
    assert_eq!(refund.order_id, view.order_id);
}

#[test]
fn events_keep_their_shape() {
    let succeeded: Event<PaymentSucceeded> = golden!("payment_succeeded");
    is_about_its_order(&succeeded);
    let failed: Event<PaymentFailed> = golden!("payment_failed");
    is_about_its_order(&failed);
    let refunded: Event<RefundCompleted> = golden!("refund_completed");
    is_about_its_order(&refunded);
    assert_eq!(refunded.data.reason, REASON_LATE_PAYMENT);
}
