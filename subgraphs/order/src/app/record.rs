//! Saves what calls answered. Under load many answers share a transaction, because commits are what an order costs
//! most.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::OrderId;
use service_kit::crash_point;
use tokio::sync::{mpsc, oneshot};

use super::steer::Plan;
use super::{App, Inner, publish};
use crate::saga::Input;
use crate::store;
use crate::store::saga::Job;

/// Transactions at the same time.
const RECORDERS: usize = 2;
/// Answers in one transaction.
const BATCH: usize = 64;

/// An order, and the version its saga was read at.
type Held = (OrderId, i64);

const fn held(plan: &Plan) -> Held {
    (plan.job.saga.order_id, plan.job.fence)
}

/// The newest reading of each order. When a lease ended before its call did, this process may hold the order twice
/// and get both answers at once; the older one has lost already and must leave no trace beside the newer one's.
fn newest(all: impl Iterator<Item = Held>) -> HashSet<Held> {
    let mut newest: HashMap<OrderId, i64> = HashMap::new();
    for (order, fence) in all {
        let known = newest.entry(order).or_insert(fence);
        *known = fence.max(*known);
    }
    newest.into_iter().collect()
}

struct Answer {
    plan: Plan,
    saved: oneshot::Sender<Option<Job>>,
}

/// Hands answers to the tasks that save them.
#[derive(Clone)]
pub(super) struct Recorder {
    queues: Arc<[mpsc::Sender<Answer>]>,
    next: Arc<AtomicUsize>,
}

impl Recorder {
    async fn save(&self, plan: Plan) -> Option<Job> {
        let (saved, done) = oneshot::channel();
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.queues.len();
        self.queues[turn].send(Answer { plan, saved }).await.ok()?;
        done.await.ok()?
    }
}

impl App {
    pub(super) fn start_recorders(&self) {
        let queue = |_| {
            let (sender, answers) = mpsc::channel(4 * BATCH);
            let app = self.clone();
            // Ends when the last saga of the process does, which is after the shutdown signal.
            tokio::spawn(app.record_forever(answers));
            sender
        };
        let recorder = Recorder {
            queues: (0..RECORDERS).map(queue).collect(),
            next: Arc::default(),
        };
        if self.recorder.set(recorder).is_err() {
            tracing::error!("the workers were started twice");
        }
    }

    async fn record_forever(self, mut answers: mpsc::Receiver<Answer>) {
        let mut batch = Vec::with_capacity(BATCH);
        while answers.recv_many(&mut batch, BATCH).await > 0 {
            let (plans, waiting): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|answer| (answer.plan, answer.saved)).unzip();
            let jobs = self.save_all(plans).await;
            for (saved, job) in waiting.into_iter().zip(jobs) {
                // Whoever asked may be gone: then the lease ends and another goes on.
                let _ = saved.send(job);
            }
        }
    }

    /// Takes an answer; gives the saga back if this process goes on with it.
    pub(super) async fn record(&self, job: Job, input: Input) -> Option<Job> {
        let order = job.saga.order_id;
        let plan = match self.plan(job, input, self.clock.now()) {
            Ok(plan) => plan?,
            Err(error) => {
                tracing::warn!(%order, %error, "an answer was dropped");
                return None;
            }
        };
        match self.recorder.get() {
            Some(recorder) => recorder.save(plan).await,
            None => self.save_all(vec![plan]).await.pop().flatten(),
        }
    }

    async fn save_all(&self, plans: Vec<Plan>) -> Vec<Option<Job>> {
        match self.try_save(&plans).await.map_err(pg_kit::count_error) {
            Ok(won) => plans.into_iter().map(|plan| self.outcome(plan, &won)).collect(),
            Err(error) if plans.len() == 1 => {
                let order = plans[0].job.saga.order_id;
                tracing::error!(%order, %error, "an answer could not be saved; the call is made again after the lease");
                vec![None]
            }
            // One bad row must not hold up the others.
            Err(error) => {
                tracing::warn!(%error, answers = plans.len(), "saving answers one by one");
                let mut jobs = Vec::with_capacity(plans.len());
                for plan in plans {
                    jobs.extend(Box::pin(self.save_all(vec![plan])).await);
                }
                jobs
            }
        }
    }

    fn outcome(&self, plan: Plan, won: &HashSet<Held>) -> Option<Job> {
        if won.contains(&held(&plan)) {
            crash_point!("saved", plan.job.saga.state, plan.job.saga.order_id);
            super::measure::settled(&plan, self.clock.now());
            return plan.saved();
        }
        tracing::info!(order = %plan.job.saga.order_id, "somebody else was quicker; the answer is dropped");
        super::measure::lost();
        None
    }
}

impl Inner {
    /// One transaction: sagas, orders, history, step log, outbox. Answers which were saved.
    async fn try_save(&self, plans: &[Plan]) -> Result<HashSet<Held>, sqlx::Error> {
        let newest = newest(plans.iter().map(held));
        let plans: Vec<_> = plans.iter().filter(|plan| newest.contains(&held(plan))).collect();
        let mut tx = self.workers.begin().await?;
        let changes: Vec<_> = plans.iter().map(|plan| plan.change()).collect();
        let saved = store::saga::save(&mut tx, &self.holder, &changes).await?;
        let won: HashSet<_> = newest
            .into_iter()
            .filter(|held| saved.contains(&held.0))
            .collect();
        let mut events = Vec::new();
        for plan in plans.iter().filter(|plan| won.contains(&held(plan))) {
            let mut context = self.context(plan);
            // The recorder works for many requests: each event bears its own order's.
            context.correlation_id.clone_from(&plan.job.order.correlation_id);
            events.extend(publish::status_changes(plan, &context)?);
        }
        event_bus::enqueue_all(&mut tx, &events).await?;
        tx.commit().await?;
        self.relay.wake();
        Ok(won)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_answers_for_an_order_the_newer_reading_is_saved() {
        let (one, other) = (OrderId::generate(), OrderId::generate());
        let kept = newest([(one, 4), (other, 9), (one, 6), (one, 5)].into_iter());
        assert_eq!(kept, HashSet::from([(one, 6), (other, 9)]));
    }
}
