//! Objects of the graph.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::payment::{PaymentState, RefundState};
use contracts::{Money, PaymentId};
use graphql_kit::page::Page;
use graphql_kit::{ApiError, Batcher, MoneyObject, PageInfoObject, Result, hidden, viewer};

use super::loader::RefundsOf;
use crate::domain::{Payment, Refund, Terms};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "PaymentStatus", remote = "PaymentState")]
pub enum PaymentStatus {
    /// Recorded; the provider has not decided.
    Initiated,
    /// The money was taken.
    Captured,
    /// The provider declined.
    Failed,
    /// Given up before any money was taken.
    Voided,
    /// A refund is on its way.
    RefundPending,
    /// All of it went back.
    Refunded,
    /// A part of it went back.
    PartiallyRefunded,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "RefundStatus", remote = "RefundState")]
pub enum RefundStatus {
    /// On its way.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider could not refund; a person sees to it.
    Failed,
}

/// A payment with its terms, which its viewer may see. Tombstones and other people's payments never become one.
#[derive(Clone)]
pub(crate) struct PaymentObject {
    payment: Payment,
    terms: Terms,
}

impl PaymentObject {
    /// The object, if the viewer is the buyer or staff.
    pub(super) fn visible(ctx: &Context<'_>, payment: Payment) -> Option<Self> {
        let terms = payment.terms.clone()?;
        let may = viewer(ctx).is_some_and(|viewer| viewer.is_staff() || viewer.id == terms.user_id);
        if !may {
            hidden(ctx, payment.id);
        }
        may.then_some(Self { payment, terms })
    }

    /// Where it stands in a list.
    pub(super) const fn key(&self) -> PaymentId {
        self.payment.id
    }

    /// What is still to be paid: all of it while the provider decides, nothing afterwards.
    pub(super) fn amount_due(&self) -> Money {
        let due = if self.payment.stage.is_open() {
            self.terms.amount.amount_minor
        } else {
            0
        };
        Money::new(due, self.terms.amount.currency)
    }
}

/// A payment of an order.
#[Object(name = "Payment")]
impl PaymentObject {
    /// The payment's id.
    async fn id(&self) -> ID {
        ID(self.payment.id.to_string())
    }

    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.payment.stage.public().into()
    }

    /// What was to be paid.
    async fn amount(&self) -> MoneyObject {
        self.terms.amount.into()
    }

    /// What went back so far.
    async fn refunded(&self) -> MoneyObject {
        Money::new(self.payment.refunded_minor, self.terms.amount.currency).into()
    }

    /// Why the provider declined, such as `insufficient_funds`.
    async fn decline_code(&self) -> Option<&str> {
        self.payment.decline_code.as_deref()
    }

    /// When the payment was started.
    async fn created_at(&self) -> DateTime<Utc> {
        self.payment.created_at
    }

    /// Its refunds, oldest first.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<RefundObject>> {
        let loader = ctx.data_unchecked::<Batcher<RefundsOf>>();
        let refunds = loader
            .load_one(self.payment.id)
            .await
            .map_err(ApiError::internal)?;
        Ok(refunds
            .unwrap_or_default()
            .into_iter()
            .map(RefundObject)
            .collect())
    }
}

/// A refund, as its payment's viewer sees it.
pub(crate) struct RefundObject(Refund);

/// Money given back.
#[Object(name = "Refund")]
impl RefundObject {
    /// The refund's id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// How much.
    async fn amount(&self) -> MoneyObject {
        self.0.amount.into()
    }

    /// Why, as a key such as `late_payment`.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Where it stands.
    async fn status(&self) -> RefundStatus {
        self.0.stage.public().into()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// A page of payments.
pub(crate) struct PaymentConnection(pub(super) Page<PaymentObject>);

/// A page of payments.
#[Object(tag = "internal")]
impl PaymentConnection {
    /// The payments with their cursors.
    async fn edges(&self) -> Vec<PaymentEdge> {
        let edge = |(cursor, node): &(String, PaymentObject)| PaymentEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The payments.
    async fn nodes(&self) -> Vec<&PaymentObject> {
        self.0.items.iter().map(|(_, node)| node).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A payment on a page.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct PaymentEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The payment.
    node: PaymentObject,
}
