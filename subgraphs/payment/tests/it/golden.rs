//! The bodies payment reads and writes, and the events it publishes, are those of the golden files.

use contracts::payment::{
    PaymentFailed, PaymentSucceeded, PaymentView, REASON_LATE_PAYMENT, RefundCompleted, RefundView,
    StartPayment, StartRefund, VoidOutcome, VoidView,
};
use contracts::{Problem, ProblemCode};
use test_kit::golden;

use crate::world::TOTAL;

#[test]
fn bodies_keep_their_shape() {
    let start: StartPayment = golden::body("start_payment");
    assert_eq!(start.amount, TOTAL);
    let view: PaymentView = golden::body("payment_view");
    assert_eq!(view.decline_code, None);
    let failed: PaymentView = golden::body("payment_view_failed");
    assert_eq!(failed.decline_code.as_deref(), Some("insufficient_funds"));
    let declined: Problem = golden::body("problem_declined");
    assert_eq!((declined.code, declined.status), (ProblemCode::Declined, 402));
    let void: VoidView = golden::body("void_view");
    assert_eq!(void.outcome, VoidOutcome::AlreadyCaptured);
    let part: StartRefund = golden::body("start_refund");
    let all: StartRefund = golden::body("start_refund_all");
    assert!(part.amount.is_some() && all.amount.is_none());
    let refund: RefundView = golden::body("refund_view");
    assert_eq!(refund.order_id, view.order_id);
}

#[test]
fn events_keep_their_shape() {
    golden::event::<PaymentSucceeded>("payment_succeeded");
    golden::event::<PaymentFailed>("payment_failed");
    let refunded = golden::event::<RefundCompleted>("refund_completed");
    assert_eq!(refunded.data.reason, REASON_LATE_PAYMENT);
}
