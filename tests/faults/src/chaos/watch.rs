//! Looks at the system all the while: how many orders have ended, who has ended unasked, who grows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Row;
use tokio_util::sync::CancellationToken;

use super::evidence::Evidence;
use crate::world::World;

const EVERY: Duration = Duration::from_millis(500);
/// A process that has just started is still filling its pools and caches.
const WARM: Duration = Duration::from_secs(45);

/// One look at the orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) orders: i64,
    pub(crate) ended: i64,
}

/// Resident memory of one process, by process id: a restart is a new story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) since: Instant,
    /// When it was warm.
    pub(crate) warm_bytes: Option<u64>,
    pub(crate) last_bytes: u64,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) samples: Vec<Sample>,
    pub(crate) growth: BTreeMap<(String, u32), Growth>,
    /// Processes that ended though nobody ended them.
    pub(crate) died: Vec<String>,
    /// Backends that had idled in a transaction for more than five seconds, and when they were seen.
    pub(crate) idlers: Vec<(Instant, String)>,
}

/// Watches until told to stop.
pub(crate) async fn watch(world: Arc<World>, evidence: Evidence, stop: CancellationToken) -> Seen {
    let mut seen = Seen::default();
    let mut round: u32 = 0;
    while !stop.is_cancelled() {
        seen.orders(&world).await;
        seen.deaths(&world, &evidence);
        if round.is_multiple_of(10) {
            seen.memory(&world);
            seen.idlers(&world).await;
        }
        round += 1;
        // Whoever tells us to stop waits for what was seen.
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
    seen
}

impl Seen {
    async fn orders(&mut self, world: &World) {
        let look =
            sqlx::query("SELECT count(*), count(terminal_at) FROM orders").fetch_one(&world.books.order);
        // PostgreSQL is away now and then.
        if let Ok(row) = look.await
            && let (Ok(orders), Ok(ended)) = (row.try_get(0), row.try_get(1))
        {
            let at = Instant::now();
            self.samples.push(Sample { at, orders, ended });
        }
    }

    fn deaths(&mut self, world: &World, evidence: &Evidence) {
        // In one look: what is down by our doing may be up again before a second one.
        let unasked = evidence.with(|record| {
            let mut ended = world.stack.ended();
            ended.retain(|(name, _)| !record.down.contains(name));
            ended
        });
        for (name, status) in unasked {
            let news = format!("{name} ended with {status}");
            if !self.died.contains(&news) {
                println!("           {news}, and nobody asked it to");
                self.died.push(news);
            }
        }
    }

    fn memory(&mut self, world: &World) {
        for entry in world.stack.state().processes {
            let Some(bytes) = entry.id.resident_bytes() else {
                continue;
            };
            let growth = self.growth.entry((entry.name, entry.id.pid)).or_insert(Growth {
                since: Instant::now(),
                warm_bytes: None,
                last_bytes: bytes,
            });
            growth.last_bytes = bytes;
            if growth.warm_bytes.is_none() && growth.since.elapsed() > WARM {
                growth.warm_bytes = Some(bytes);
            }
        }
    }

    async fn idlers(&mut self, world: &World) {
        let look = sqlx::query_scalar::<_, String>(
            "SELECT format('%s: %s', application_name, query) FROM pg_stat_activity
             WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '5 seconds'
               AND application_name ~ '-(requests|workers)$'",
        )
        .fetch_all(&world.postgres);
        let now = Instant::now();
        let idlers = look.await.unwrap_or_default();
        self.idlers.extend(idlers.into_iter().map(|idler| (now, idler)));
    }

    /// The first look at which more orders had ended than at `since`.
    pub(crate) fn next_end(&self, since: Instant) -> Option<Instant> {
        let before = self.samples.iter().rev().find(|sample| sample.at <= since)?.ended;
        let after = self
            .samples
            .iter()
            .find(|sample| sample.at > since && sample.ended > before);
        after.map(|sample| sample.at)
    }

    /// Stretches with open orders in which none ended.
    pub(crate) fn standstills(&self) -> Vec<(Instant, Instant)> {
        let mut standstills = Vec::new();
        let mut since: Option<Sample> = None;
        for sample in &self.samples {
            match since {
                Some(first) if sample.ended == first.ended && sample.orders > sample.ended => continue,
                Some(first) => standstills.push((first.at, sample.at)),
                None => {}
            }
            since = Some(*sample);
        }
        if let (Some(first), Some(last)) = (since, self.samples.last()) {
            standstills.push((first.at, last.at));
        }
        standstills
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standstill_needs_open_orders() {
        let zero = Instant::now();
        let sample = |seconds, orders, ended| Sample {
            at: zero + Duration::from_secs(seconds),
            orders,
            ended,
        };
        let seen = Seen {
            samples: vec![
                sample(0, 1, 0),
                sample(1, 2, 1),
                sample(2, 2, 1),
                sample(9, 2, 1),
                sample(10, 2, 2),
                sample(11, 2, 2),
                sample(12, 3, 2),
                sample(13, 3, 3),
            ],
            ..Seen::default()
        };
        let longest = seen.standstills().into_iter().map(|(from, to)| to - from).max();
        assert_eq!(
            longest.unwrap(),
            Duration::from_secs(9),
            "from the second to the tenth"
        );
        assert_eq!(
            seen.next_end(zero + Duration::from_secs(2)),
            Some(zero + Duration::from_secs(10))
        );
        assert_eq!(seen.next_end(zero + Duration::from_secs(13)), None);
    }
}
