//! The buyers of one row: ten people who order one unit each, and how each of their stories must end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use contracts::OrderId;
use tokio::task::JoinSet;

use super::system::{System, Variant, eventually, fresh_key};

/// How long a shopper tries; a crashed service is back long before.
const STUBBORN_FOR: Duration = Duration::from_mins(1);

/// One person's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buyer {
    /// Pays at once.
    Pays,
    /// Pays after a while.
    PaysSlowly,
    /// Has a card that is declined.
    Declined,
    /// Cancels while the provider hesitates.
    Cancels,
    /// Cancels, and the provider takes the money all the same.
    PaysLate,
    /// Never pays and says nothing.
    Vanishes,
    /// Pays, and is given the money back by the shop.
    SendsBack,
    /// Pays, and returns what was bought.
    Returns,
}

impl Buyer {
    const fn method(self) -> &'static str {
        match self {
            Self::Pays | Self::SendsBack | Self::Returns => "pm_card_visa",
            Self::PaysSlowly => "pm_mercato_slow",
            Self::Declined => "pm_card_chargeDeclined",
            Self::Cancels | Self::Vanishes => "pm_mercato_never",
            Self::PaysLate => "pm_mercato_lateSuccess",
        }
    }

    /// The only state in which the order may come to rest.
    pub(crate) const fn end(self) -> &'static str {
        match self {
            Self::Pays | Self::PaysSlowly | Self::Returns => "PAID",
            Self::Declined | Self::Cancels | Self::Vanishes => "CANCELLED",
            Self::PaysLate | Self::SendsBack => "REFUNDED",
        }
    }
}

/// An acknowledged order, and the state it must end in; none where several are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) order: OrderId,
    pub(crate) end: Option<&'static str>,
}

/// People who are shopping right now.
pub(crate) struct Load {
    people: JoinSet<Result<Placed>>,
}

impl Load {
    /// Lets everybody begin, each at the first of the doors; who gets no answer knocks at the next one.
    pub(crate) fn begin(
        system: &Arc<System>,
        variant: &Variant,
        buyers: &[Buyer],
        doors: &'static [&'static str],
    ) -> Self {
        let mut people = JoinSet::new();
        for buyer in buyers.iter().copied() {
            let shopper = Shopper {
                system: Arc::clone(system),
                doors,
            };
            let variant = variant.clone();
            people.spawn(async move { shopper.live(&variant, buyer).await });
        }
        Self { people }
    }

    /// Waits until everybody's part is done; their orders may still be under way.
    pub(crate) async fn finish(mut self) -> Result<Vec<Placed>> {
        let mut placed = Vec::new();
        while let Some(ended) = self.people.join_next().await {
            placed.push(ended??);
        }
        Ok(placed)
    }
}

struct Shopper {
    system: Arc<System>,
    doors: &'static [&'static str],
}

impl Shopper {
    async fn live(&self, variant: &Variant, buyer: Buyer) -> Result<Placed> {
        let order = self.buy(variant, buyer.method()).await?;
        let system = &self.system;
        match buyer {
            Buyer::Cancels | Buyer::PaysLate => {
                self.see(order, "PAYMENT_PENDING").await?;
                let key = fresh_key();
                self.insist("cancel", |door| system.cancel_order(door, order, &key))
                    .await?;
            }
            Buyer::SendsBack => {
                self.see(order, "PAID").await?;
                let key = fresh_key();
                self.insist("refund", |door| system.refund_order(door, order, &key))
                    .await?;
            }
            Buyer::Returns => {
                self.see(order, "PAID").await?;
                let key = fresh_key();
                self.insist("return", |door| system.return_order(door, order, &key))
                    .await?;
                let ended = || system.return_ended(order);
                eventually(STUBBORN_FOR, &format!("{order} is returned"), ended).await?;
            }
            _ => {}
        }
        Ok(Placed {
            order,
            end: Some(buyer.end()),
        })
    }

    /// As a shop's page would: the same keys until there is an answer.
    async fn buy(&self, variant: &Variant, method: &str) -> Result<OrderId> {
        let (cart_key, order_key) = (fresh_key(), fresh_key());
        let system = &self.system;
        let cart = self
            .insist("fill a cart", |_| system.cart(variant, &cart_key))
            .await?;
        self.insist("order", |door| {
            system.create_order(door, &cart, method, &order_key)
        })
        .await
    }

    async fn see(&self, order: OrderId, status: &str) -> Result<()> {
        let ask = || async { Ok(self.system.status(order).await? == status) };
        eventually(STUBBORN_FOR, &format!("{order} is {status}"), ask).await
    }

    async fn insist<T, F>(&self, what: &str, ask: impl Fn(&'static str) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let begun = Instant::now();
        for door in self.doors.iter().cycle() {
            match ask(door).await {
                Ok(answer) => return Ok(answer),
                Err(error) if begun.elapsed() >= STUBBORN_FOR => {
                    bail!("could not {what} in {} s: {error:#}", STUBBORN_FOR.as_secs())
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(150)).await,
            }
        }
        bail!("no door to {what} at")
    }
}
