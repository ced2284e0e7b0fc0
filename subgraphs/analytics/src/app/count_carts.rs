//! Asks cart how many carts were begun. Cart being away only delays the count: it is asked for two days each time.

use std::time::Duration;

use chrono::TimeDelta;

use super::App;
use crate::domain::range::hour;
use crate::store;

const EVERY: Duration = Duration::from_mins(1);
/// How far back it asks.
const HOURS: u16 = 48;

impl App {
    pub(super) async fn count_carts_forever(self) {
        loop {
            self.count_carts().await;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.host.shutdown.cancelled() => return,
            }
        }
    }

    /// Asks once; false if nothing came of it.
    pub async fn count_carts(&self) -> bool {
        let from = hour(self.clock.now()) - TimeDelta::hours(i64::from(HOURS) - 1);
        let hours = match self.cart.started(from, HOURS).await {
            Ok(hours) => hours,
            Err(error) => {
                tracing::warn!(%error, "cart does not tell how many carts were begun");
                return false;
            }
        };
        let kept = store::carts::keep(&self.workers, &hours).await;
        match kept.map_err(pg_kit::count_error) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "can't keep how many carts were begun");
                false
            }
        }
    }
}
