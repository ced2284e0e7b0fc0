//! Cart: how many carts were begun.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use contracts::cart::{CartsStarted, CartsStartedHour};
use service_auth::{CallError, ClientLimits, ServiceClient, ServiceKey};
use url::Url;

/// The cart service.
#[derive(Clone)]
pub struct Cart(ServiceClient);

impl Cart {
    /// A client of cart at `base` that signs with `key`.
    pub fn new(base: Url, key: Arc<ServiceKey>) -> Self {
        Self(ServiceClient::new("cart", base, key, ClientLimits::default()))
    }

    /// Carts begun in each of so many hours.
    pub(crate) async fn started(
        &self,
        from: DateTime<Utc>,
        hours: u16,
    ) -> Result<Vec<CartsStartedHour>, CallError> {
        let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = format!("/carts/started?from={from}&hours={hours}");
        let answer: CartsStarted = self.0.get(&path).await?;
        Ok(answer.hours)
    }
}
