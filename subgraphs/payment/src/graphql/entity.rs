//! What payment adds to an order of the graph.

use async_graphql::{Context, ID, InputObject, Object};
use contracts::{Money, OrderId};
use graphql_kit::{ApiError, Batcher, CurrencyCode, DecimalScalar, MoneyObject, Result};

use super::loader::ByOrder;
use super::types::PaymentObject;
use crate::domain::Payment;

/// An order's total as a representation brings it. Whoever calls may have made it up: it is shown, never relied on.
#[derive(Debug, Clone, Copy, InputObject)]
pub(crate) struct TotalRepresentation {
    /// The amount in major units.
    amount: DecimalScalar,
    /// The currency of the amount.
    currency_code: CurrencyCode,
}

/// An order, of which payment knows nothing but its id.
pub(crate) struct OrderObject {
    id: OrderId,
    total: Option<Money>,
}

impl OrderObject {
    pub(super) fn new(id: OrderId, total: Option<TotalRepresentation>) -> Self {
        let total = total.and_then(|total| total.amount.to_money(total.currency_code.0).ok());
        Self { id, total }
    }

    async fn load(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        let loader = ctx.data_unchecked::<Batcher<ByOrder>>();
        loader.load_one(self.id).await.map_err(ApiError::internal)
    }
}

/// An order.
#[Object(name = "Order")]
impl OrderObject {
    /// The order's id.
    async fn id(&self) -> ID {
        ID(self.id.to_string())
    }

    /// What the order costs in all.
    #[graphql(external)]
    async fn total(&self) -> MoneyObject {
        let none = Money::new(0, contracts::Currency::USD);
        self.total.unwrap_or(none).into()
    }

    /// Its payment, for the buyer and for staff.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<PaymentObject>> {
        Ok(self
            .load(ctx)
            .await?
            .and_then(|payment| PaymentObject::visible(ctx, payment)))
    }

    /// What is still to be paid: the total before there is a payment, all of it while the provider decides, nothing
    /// afterwards. For the buyer and for staff.
    #[graphql(requires = "total { amount currencyCode }")]
    async fn amount_due(&self, ctx: &Context<'_>) -> Result<Option<MoneyObject>> {
        let due = match self.load(ctx).await? {
            None => self.total,
            Some(payment) => PaymentObject::visible(ctx, payment).map(|payment| payment.amount_due()),
        };
        Ok(due.map(MoneyObject::from))
    }
}
