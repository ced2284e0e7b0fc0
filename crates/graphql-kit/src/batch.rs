//! Loads that wait for each other, so that a list of any length is one statement.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader, NoCache};
use futures::future::BoxFuture;
use service_kit::correlation;

const PAUSE: Duration = Duration::from_millis(1);

/// A `DataLoader` that fetches once no new key has come for a moment, instead of a moment after the first.
///
/// async-graphql's executor polls a long list two items at a time, so that a fixed delay splits a hundred entities into
/// several statements whenever the machine is busy. Make one per request: `request.data(Batcher::new(loader))`.
pub struct Batcher<L> {
    loader: DataLoader<L, NoCache>,
    arrivals: Arc<AtomicUsize>,
}

impl<L: Send + Sync + 'static> Batcher<L> {
    /// A batcher over a loader.
    pub fn new(loader: L) -> Self {
        let arrivals = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&arrivals);
        let fetch_when_settled = move |fetch: BoxFuture<'static, ()>| {
            let seen = Arc::clone(&seen);
            correlation::spawn(async move {
                settled(&seen).await;
                fetch.await;
            })
        };
        let loader = DataLoader::new(loader, fetch_when_settled).delay(Duration::ZERO);
        Self { loader, arrivals }
    }

    /// Loads the value of one key, with all others asked for at about the same time.
    pub async fn load_one<K>(&self, key: K) -> Result<Option<L::Value>, L::Error>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        L: Loader<K>,
    {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.loader.load_one(key).await
    }

    /// Loads the values of several keys, with all others asked for at about the same time.
    pub async fn load_many<K, I>(&self, keys: I) -> Result<HashMap<K, L::Value>, L::Error>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        I: IntoIterator<Item = K>,
        L: Loader<K>,
    {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.loader.load_many(keys).await
    }
}

/// Waits until a pause brings no new key.
async fn settled(arrivals: &AtomicUsize) {
    let mut before = arrivals.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = arrivals.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema};

    struct Doubles(Arc<AtomicUsize>);

    struct Whose;

    impl Loader<i32> for Whose {
        type Value = Option<String>;
        type Error = Arc<std::io::Error>;

        async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, Option<String>>, Self::Error> {
            Ok(keys.iter().map(|key| (*key, correlation::current())).collect())
        }
    }

    impl Loader<i32> for Doubles {
        type Value = i32;
        type Error = Arc<std::io::Error>;

        async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, i32>, Self::Error> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(keys.iter().map(|key| (*key, key * 2)).collect())
        }
    }

    struct Number(i32);

    #[Object]
    impl Number {
        async fn double(&self, ctx: &Context<'_>) -> Option<i32> {
            // As slow as a busy machine.
            std::thread::sleep(Duration::from_micros(300));
            ctx.data_unchecked::<Batcher<Doubles>>()
                .load_one(self.0)
                .await
                .ok()?
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn numbers(&self) -> Vec<Number> {
            (0..100).map(Number).collect()
        }
    }

    #[tokio::test]
    async fn a_load_runs_under_the_correlation_id_of_its_request() {
        let batcher = Batcher::new(Whose);
        let found = correlation::scope("abc".to_owned(), batcher.load_one(1)).await;
        assert_eq!(found.unwrap().flatten().as_deref(), Some("abc"));
    }

    #[tokio::test]
    async fn a_long_list_is_one_load() {
        let loads = Arc::new(AtomicUsize::new(0));
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let request = Request::new("{ numbers { double } }").data(Batcher::new(Doubles(Arc::clone(&loads))));
        let answer = schema
            .execute(request)
            .await
            .into_result()
            .unwrap()
            .data
            .into_json()
            .unwrap();
        assert_eq!(answer["numbers"][99]["double"], 198);
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }
}
