//! Gives up orders whose time to pay is over.

use std::time::Duration;

use service_kit::crash_point;

use super::App;
use super::steer::Steered;
use crate::saga::Input;
use crate::store;

const EVERY: Duration = Duration::from_millis(500);
/// Deadlines in one transaction, which holds their sagas' locks.
const BATCH: i64 = 16;

impl App {
    pub(super) async fn fire_timers_forever(self) {
        let never = tokio::sync::Notify::new();
        while self.pause(&never, EVERY).await {
            loop {
                match self.fire_timers().await.map_err(pg_kit::count_error) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "can't fire deadlines");
                        break;
                    }
                }
            }
        }
    }

    /// Fires due deadlines with their effect in one transaction; answers how many.
    pub async fn fire_timers(&self) -> Result<usize, sqlx::Error> {
        let mut tx = self.workers.begin().await?;
        let due = store::timers::take_due(&mut tx, BATCH).await?;
        let mut jobs = Vec::new();
        for order in &due {
            if let Steered::Taken(Some(job)) = self.steer(&mut tx, *order, Input::DeadlineReached).await? {
                jobs.push(*job);
            }
            crash_point!("timing-out", order);
        }
        tx.commit().await?;
        self.go_on(jobs);
        Ok(due.len())
    }
}
