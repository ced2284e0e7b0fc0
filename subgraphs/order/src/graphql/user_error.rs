//! Why a mutation of orders was refused.

use async_graphql::Enum;

use crate::app::Asked;
use crate::domain::Refusal;
use crate::domain::returns::ReturnProblem;
use crate::saga::InvalidInput;

/// Why a request about an order was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderErrorCode {
    /// No such cart, or not yours.
    CartNotFound,
    /// There is nothing to buy in the cart.
    CartEmpty,
    /// The cart is not what you saw, or holds what is no longer for sale: look at it again.
    CartChanged,
    /// The total is not what you saw: look at the cart again.
    PriceChanged,
    /// The cart's coupon takes nothing off: remove it, or see to the reason that the message names.
    CouponNotApplicable,
    /// There is a coupon of this code already, and what it gives can't be changed.
    #[graphql(tag = "internal")]
    CouponExists,
    /// No such order, or not yours; no such coupon.
    NotFound,
    /// It is too late to cancel: the money is in.
    NotCancellable,
    /// The order is not in a state that allows this.
    InvalidState,
    /// More would come back than is left with the buyer.
    #[graphql(tag = "internal")]
    ReturnExceedsOrder,
    /// More would be sent back than is left of what was paid.
    #[graphql(tag = "internal")]
    RefundExceedsPayment,
    /// The idempotency key was used with another input.
    IdempotencyKeyReused,
    /// The same request is being worked on: try again in a moment.
    InProgress,
}

graphql_kit::user_error! {
    /// A business reason why an order was not placed or changed.
    pub(crate) struct OrderUserError(OrderErrorCode);
}

impl From<Refusal> for OrderUserError {
    fn from(refusal: Refusal) -> Self {
        let (code, field) = match refusal {
            Refusal::CartNotFound => (OrderErrorCode::CartNotFound, "cartId"),
            Refusal::CartEmpty => (OrderErrorCode::CartEmpty, "cartId"),
            Refusal::CartChanged(_) => (OrderErrorCode::CartChanged, "cartId"),
            Refusal::Coupon(_) => (OrderErrorCode::CouponNotApplicable, "cartId"),
            Refusal::PriceChanged { .. } => (OrderErrorCode::PriceChanged, "expectedTotal"),
        };
        Self::new(code, refusal.to_string()).at(&["input", field])
    }
}

impl OrderUserError {
    pub(super) fn key_reused() -> Self {
        Self::new(
            OrderErrorCode::IdempotencyKeyReused,
            "This key was used with another input",
        )
        .at(&["input", "idempotencyKey"])
    }

    pub(super) fn in_progress() -> Self {
        Self::new(OrderErrorCode::InProgress, "The same request is being worked on")
            .at(&["input", "idempotencyKey"])
    }

    /// Says the same of an order that doesn't exist and of one that is somebody else's.
    pub(super) fn not_found() -> Self {
        Self::new(OrderErrorCode::NotFound, "There is no such order").at(&["input", "orderId"])
    }

    /// Why a command was refused; nothing if it was done.
    pub(super) fn of(asked: &Asked) -> Option<Self> {
        let refused = match asked {
            Asked::Done => return None,
            Asked::NotFound => Self::not_found(),
            Asked::KeyReused => Self::key_reused(),
            Asked::InProgress => Self::in_progress(),
            Asked::NotReturned(problem) => Self::not_returned(*problem),
            Asked::Refused(InvalidInput::TooLate) => Self::new(
                OrderErrorCode::NotCancellable,
                "It is too late to cancel this order",
            )
            .at(&["input", "orderId"]),
            Asked::Refused(_) => Self::new(
                OrderErrorCode::InvalidState,
                "The order's state does not allow this",
            )
            .at(&["input", "orderId"]),
        };
        Some(refused)
    }

    fn not_returned(problem: ReturnProblem) -> Self {
        let line = |index: usize, field: &str| {
            let path = ["input", "lines", &index.to_string(), field];
            path.map(str::to_owned).to_vec()
        };
        let (code, field) = match problem {
            ReturnProblem::NoSuchLine { index } => (OrderErrorCode::NotFound, line(index, "lineId")),
            ReturnProblem::TooManyUnits { index, .. } => {
                (OrderErrorCode::ReturnExceedsOrder, line(index, "quantity"))
            }
            ReturnProblem::TooMuchMoney { .. } => (OrderErrorCode::RefundExceedsPayment, path("amount")),
            ReturnProblem::OtherCurrency(_) => (OrderErrorCode::InvalidState, path("amount")),
            ReturnProblem::WrongState | ReturnProblem::UnderWay | ReturnProblem::NotForSale => {
                (OrderErrorCode::InvalidState, path("orderId"))
            }
        };
        Self::new(code, problem.to_string()).at(&field)
    }
}

fn path(field: &str) -> Vec<String> {
    vec!["input".to_owned(), field.to_owned()]
}
