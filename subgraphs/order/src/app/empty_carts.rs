//! Tells carts that they were ordered. Best effort: an order never waits for it and never fails by it.

use std::time::Duration;

use contracts::cart::CartCheckedOut;
use futures::stream::{self, StreamExt};
use service_kit::{correlation, trace};
use tracing::Instrument;

use super::App;
use crate::store;
use crate::store::carts::Ordered;

const POLL: Duration = Duration::from_secs(5);
const BATCH: i64 = 64;
const AT_ONCE: usize = 16;
/// Over about an hour; then the cart keeps its lines until it expires.
const MAX_ATTEMPTS: i32 = 12;

impl App {
    pub(super) async fn empty_carts_forever(self) {
        while self.pause(&self.carts, POLL).await {
            loop {
                match self.empty_carts().await.map_err(pg_kit::count_error) {
                    Ok(told) if told == usize::try_from(BATCH).unwrap_or(usize::MAX) => {}
                    Ok(_) => break,
                    Err(error) => {
                        tracing::warn!(%error, "can't tell carts that they were ordered");
                        break;
                    }
                }
            }
        }
    }

    /// One batch; answers how many carts were tried.
    pub async fn empty_carts(&self) -> Result<usize, sqlx::Error> {
        let ordered = store::carts::claim(&self.workers, BATCH, MAX_ATTEMPTS).await?;
        if ordered.is_empty() {
            return Ok(0);
        }
        let tried = ordered.len();
        let told: Vec<_> = stream::iter(ordered)
            .map(|cart| self.tell(cart))
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        store::carts::done(&self.workers, &told).await?;
        Ok(tried)
    }

    /// Tells one cart, as a part of the request that ordered it.
    async fn tell(&self, cart: Ordered) -> Option<contracts::OrderId> {
        let span = tracing::info_span!("empty cart", order = %cart.order);
        trace::with_parent(&span, cart.traceparent.as_deref());
        let id = cart.correlation_id.clone().unwrap_or_else(correlation::new_id);
        correlation::scope(id, self.told(cart)).instrument(span).await
    }

    /// A refusal is an answer too: there is nothing left to tell.
    async fn told(&self, cart: Ordered) -> Option<contracts::OrderId> {
        let body = CartCheckedOut {
            order_id: cart.order,
            version: cart.version,
        };
        match self.clients.cart.checked_out(cart.cart, &body).await {
            Ok(()) => Some(cart.order),
            Err(error) if error.refusal().is_some() => Some(cart.order),
            Err(error) => {
                tracing::debug!(order = %cart.order, %error, "the cart does not answer");
                None
            }
        }
    }
}
