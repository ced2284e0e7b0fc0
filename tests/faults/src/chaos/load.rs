//! Buyers: orders begin at a fixed rate, whatever becomes of the earlier ones, and buyers behave as people's browsers
//! do. Notes everything the graph promised.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contracts::OrderId;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use service_kit::Backoff;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::graph::{Fault, Graph, Ordered, PASSWORD, fresh_key};

/// How long a buyer goes on trying, which is longer than any fault lasts.
const STUBBORNNESS: Duration = Duration::from_mins(2);
/// Between tries: twice as long each time, as a shop's page does, with jitter.
const PAUSE: Backoff = Backoff {
    base: Duration::from_millis(300),
    cap: Duration::from_secs(5),
};
const METHOD: &str = "pm_card_visa";
const OTHER_METHOD: &str = "pm_card_mastercard";

/// What the buyer of an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Manner {
    Plain,
    /// Sends the request again after its answer.
    Again,
    /// Sends it twice at once.
    Twice,
    /// Sends another body under the same key.
    OtherBody,
    /// Cancels at once.
    Cancel,
    /// Hangs up before the answer, and sends it again.
    HangUp,
}

impl Manner {
    fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..10 => Self::Again,
            10..15 => Self::Twice,
            15 => Self::OtherBody,
            16..21 => Self::Cancel,
            21..26 => Self::HangUp,
            _ => Self::Plain,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain orders",
            Self::Again => "same key again",
            Self::Twice => "same key twice at once",
            Self::OtherBody => "same key, other body",
            Self::Cancel => "cancellation races",
            Self::HangUp => "client hung up",
        }
    }
}

/// What the graph promised, and how it fared.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Orders whose creation was acknowledged, and when.
    pub(crate) acknowledged: Vec<(OrderId, Instant)>,
    pub(crate) manners: BTreeMap<Manner, u64>,
    /// From the first request to the acknowledgement.
    pub(crate) latencies: Vec<Duration>,
    /// Faults buyers saw, by code.
    pub(crate) faults: BTreeMap<String, u64>,
    /// Promises broken before anybody's eyes.
    pub(crate) violations: Vec<String>,
    pub(crate) begun: u64,
    /// Orders that were never accepted.
    pub(crate) given_up: u64,
    pub(crate) cancelled_in_time: u64,
}

/// Where buyers write, from many tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Ledger>>);

impl Notes {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn violated(&self, how: String) {
        self.with(|ledger| ledger.violations.push(how));
    }

    fn fault(&self, fault: &Fault) {
        let code = if fault.code.is_empty() {
            "no answer"
        } else {
            &fault.code
        };
        self.with(|ledger| *ledger.faults.entry(code.to_owned()).or_default() += 1);
    }
}

/// Somebody with an account, who signs in again when their session is no longer accepted.
struct Buyer {
    email: String,
    nobody: Graph,
    graph: Mutex<Graph>,
}

impl Buyer {
    fn graph(&self) -> Graph {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn sign_in_again(&self) {
        // When it fails, the next refusal tries again.
        if let Ok(graph) = self.nobody.login(&self.email, PASSWORD).await {
            *self.graph.lock().unwrap_or_else(PoisonError::into_inner) = graph;
        }
    }
}

/// What is bought, by whom, how fast.
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) orders: u64,
    pub(crate) per_second: f64,
    pub(crate) variants: Vec<String>,
    pub(crate) customers: Vec<(String, Graph)>,
    pub(crate) nobody: Graph,
    pub(crate) notes: Notes,
}

impl Load {
    /// Begins all orders at their times, and more for as long as there are faults to come: each is to meet somebody.
    /// Returns when each was accepted or given up.
    pub(crate) async fn run(self, faults_over: CancellationToken) {
        let buyers: Vec<Arc<Buyer>> = self
            .customers
            .into_iter()
            .map(|(email, graph)| {
                Arc::new(Buyer {
                    email,
                    nobody: self.nobody.clone(),
                    graph: Mutex::new(graph),
                })
            })
            .collect();
        let variants = Arc::new(self.variants);
        let begun = tokio::time::Instant::now();
        let mut purchases = JoinSet::new();
        for number in 0.. {
            if number >= self.orders && faults_over.is_cancelled() {
                break;
            }
            #[expect(clippy::cast_precision_loss, reason = "there are thousands of orders")]
            let at = begun + Duration::from_secs_f64(number as f64 / self.per_second);
            tokio::time::sleep_until(at).await;
            let buyer = Arc::clone(&buyers[usize::try_from(number).unwrap_or(0) % buyers.len()]);
            let purchase = Purchase {
                rng: StdRng::seed_from_u64(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                buyer,
                variants: Arc::clone(&variants),
                notes: self.notes.clone(),
                begun: Instant::now(),
            };
            self.notes.with(|ledger| ledger.begun += 1);
            purchases.spawn(purchase.make());
        }
        purchases.join_all().await;
    }
}

/// One order on its way from a cart to an acknowledgement.
struct Purchase {
    rng: StdRng,
    buyer: Arc<Buyer>,
    variants: Arc<Vec<String>>,
    notes: Notes,
    begun: Instant,
}

impl Purchase {
    async fn make(mut self) {
        let manner = Manner::draw(&mut self.rng);
        while self.begun.elapsed() < STUBBORNNESS {
            let Some(cart) = self.cart().await else { break };
            let key = fresh_key();
            match self.submit(&cart, &key, manner).await {
                Some(Ordered::Order(order)) => {
                    self.acknowledged(&order, manner);
                    self.afterwards(&cart, &key, &order, manner).await;
                    return;
                }
                // Redis lost it: that costs a cart, and never an order.
                Some(Ordered::Refused(code)) if code == "CART_NOT_FOUND" => {}
                Some(Ordered::Refused(code)) => {
                    self.notes
                        .violated(format!("createOrder refused a good cart: {code}"));
                    return;
                }
                None => break,
            }
        }
        self.notes.with(|ledger| ledger.given_up += 1);
    }

    async fn cart(&mut self) -> Option<String> {
        let key = fresh_key();
        let count = if self.rng.random_bool(0.3) { 2 } else { 1 };
        let first = self.rng.random_range(0..self.variants.len());
        let chosen: Vec<usize> = (0..count)
            .map(|n| (first + n * 7) % self.variants.len())
            .collect();
        let mut attempt = 0;
        while self.begun.elapsed() < STUBBORNNESS {
            let variants: Vec<&str> = chosen.iter().map(|n| self.variants[*n].as_str()).collect();
            match self.buyer.nobody.create_cart(&variants, &key).await {
                Ok(cart) => return Some(cart),
                Err(fault) => self.notes.fault(&fault),
            }
            tokio::time::sleep(PAUSE.delay(attempt)).await;
            attempt += 1;
        }
        None
    }

    /// The first answer to `createOrder` that is one.
    async fn submit(&mut self, cart: &str, key: &str, manner: Manner) -> Option<Ordered> {
        if manner == Manner::HangUp {
            let patience = Duration::from_millis(self.rng.random_range(2..80));
            let graph = self.buyer.graph();
            let hung_up = tokio::time::timeout(patience, graph.create_order(cart, METHOD, key)).await;
            drop(hung_up);
        }
        if manner == Manner::Twice {
            let (one, other) = tokio::join!(self.stubbornly(cart, key), self.stubbornly(cart, key));
            if let (Some(one), Some(other)) = (&one, &other)
                && one != other
            {
                self.notes
                    .violated(format!("one key, two answers at once: {one:?} and {other:?}"));
            }
            return one.or(other);
        }
        self.stubbornly(cart, key).await
    }

    async fn stubbornly(&self, cart: &str, key: &str) -> Option<Ordered> {
        let mut attempt = 0;
        while self.begun.elapsed() < STUBBORNNESS {
            match self.buyer.graph().create_order(cart, METHOD, key).await {
                Ok(Ordered::Refused(code)) if code == "IN_PROGRESS" => {}
                Ok(ordered) => return Some(ordered),
                Err(fault) => {
                    self.notes.fault(&fault);
                    if fault.code == "UNAUTHENTICATED" {
                        self.buyer.sign_in_again().await;
                    }
                }
            }
            tokio::time::sleep(PAUSE.delay(attempt)).await;
            attempt += 1;
        }
        None
    }

    fn acknowledged(&self, order: &str, manner: Manner) {
        match order.parse() {
            Ok(id) => self.notes.with(|ledger| {
                ledger.acknowledged.push((id, Instant::now()));
                ledger.latencies.push(self.begun.elapsed());
                *ledger.manners.entry(manner).or_default() += 1;
            }),
            Err(_) => self.notes.violated(format!("no order id: {order}")),
        }
    }

    async fn afterwards(&mut self, cart: &str, key: &str, order: &str, manner: Manner) {
        match manner {
            Manner::Again => match self.stubbornly(cart, key).await {
                Some(Ordered::Order(again)) if again == order => {}
                None => {}
                other => self
                    .notes
                    .violated(format!("{order} was answered again with {other:?}")),
            },
            Manner::OtherBody => self.other_body(cart, key, order).await,
            Manner::Cancel => self.cancel(order).await,
            Manner::Plain | Manner::Twice | Manner::HangUp => {}
        }
    }

    async fn other_body(&self, cart: &str, key: &str, order: &str) {
        for attempt in 0..40 {
            match self.buyer.graph().create_order(cart, OTHER_METHOD, key).await {
                Ok(Ordered::Refused(code)) if code == "IDEMPOTENCY_KEY_REUSED" => return,
                Ok(other) => {
                    self.notes
                        .violated(format!("{order}'s key with another body was answered {other:?}"));
                    return;
                }
                Err(fault) => self.notes.fault(&fault),
            }
            tokio::time::sleep(PAUSE.delay(attempt)).await;
        }
    }

    async fn cancel(&mut self, order: &str) {
        let key = fresh_key();
        let wait = Duration::from_millis(self.rng.random_range(0..400));
        tokio::time::sleep(wait).await;
        for attempt in 0..40 {
            match self.buyer.graph().cancel(order, &key).await {
                Ok(in_time) => {
                    self.notes
                        .with(|ledger| ledger.cancelled_in_time += u64::from(in_time));
                    return;
                }
                Err(fault) => self.notes.fault(&fault),
            }
            tokio::time::sleep(PAUSE.delay(attempt)).await;
        }
    }
}
