//! Payment: charges, voids and refunds, by the order's id.

use contracts::payment::{
    PaymentState, PaymentView, REASON_LATE_PAYMENT, REASON_STOCK_GONE, RefundState, RefundView, StartPayment,
    StartRefund, VoidOutcome, VoidView,
};
use contracts::{Money, OrderId, ProblemCode};
use service_auth::{CallError, ServiceClient};

use super::inventory::{refused, refused_return};
use crate::domain::returns::{Call, Heard};
use crate::saga::{RefundReason, Reply};

/// Reason key of a refund that an operator decided.
const REASON_OPERATOR: &str = "operator";

/// The payment service.
#[derive(Clone)]
pub(crate) struct Payment(pub(super) ServiceClient);

impl Payment {
    /// Starts the payment. A capture is told by its event, so that there is one way to it.
    pub(crate) async fn start(&self, order: OrderId, body: &StartPayment) -> Result<Reply, CallError> {
        let answer: Result<PaymentView, _> = self.0.put(&format!("/payments/{order}"), body).await;
        match answer {
            Ok(view) => Ok(match view.status {
                PaymentState::Failed => Reply::Declined,
                PaymentState::Voided => Reply::PaymentRefused,
                _ => Reply::PaymentStarted,
            }),
            Err(CallError::Refused(problem)) if problem.code == ProblemCode::Declined => Ok(Reply::Declined),
            Err(error) => refused(error, Reply::PaymentRefused, |code| {
                matches!(
                    code,
                    ProblemCode::Voided
                        | ProblemCode::BodyMismatch
                        | ProblemCode::Invalid
                        | ProblemCode::InvalidState
                )
            }),
        }
    }

    /// Voids the payment, also one that isn't known yet; or learns that the money came first.
    pub(crate) async fn void(&self, order: OrderId) -> Result<Reply, CallError> {
        let view: VoidView = self.0.post(&format!("/payments/{order}/void"), &()).await?;
        Ok(match view.outcome {
            VoidOutcome::Voided => Reply::Voided,
            VoidOutcome::AlreadyCaptured => Reply::AlreadyCaptured,
        })
    }

    /// Sends a part of the money back, once for each reason.
    pub(crate) async fn give_back(
        &self,
        order: OrderId,
        reason: &str,
        amount: Money,
    ) -> Result<Heard, CallError> {
        let path = format!("/payments/{order}/refunds/{reason}");
        let body = StartRefund { amount: Some(amount) };
        let answer: Result<RefundView, _> = self.0.post(&path, &body).await;
        match answer {
            Ok(view) => Ok(match view.status {
                RefundState::Pending => Heard::MoneyOnItsWay,
                RefundState::Succeeded => Heard::MoneyWentBack,
                RefundState::Failed => {
                    Heard::Refused(Call::Refund, "the provider refuses the refund".to_owned())
                }
            }),
            Err(error) => refused_return(error, Call::Refund),
        }
    }

    /// Sends all of the money back that is left.
    pub(crate) async fn refund(&self, order: OrderId, reason: RefundReason) -> Result<Reply, CallError> {
        let reason = match reason {
            RefundReason::LatePayment => REASON_LATE_PAYMENT,
            RefundReason::StockGone => REASON_STOCK_GONE,
            RefundReason::Operator => REASON_OPERATOR,
        };
        let path = format!("/payments/{order}/refunds/{reason}");
        let view: RefundView = self.0.post(&path, &StartRefund { amount: None }).await?;
        Ok(match view.status {
            RefundState::Pending => Reply::RefundPending,
            RefundState::Succeeded => Reply::RefundSucceeded,
            RefundState::Failed => Reply::RefundFailed,
        })
    }
}
