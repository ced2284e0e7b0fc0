//! Measures how many reservations of one SKU are made per second: by plain transactions that wait for the row's
//! lock, by inventory with a transaction for each, and by inventory with its batches. All in one run, in turns.
//!
//! ```sh
//! cargo build --release -p inventory --example hot_sku
//! MERCATO_TEST_POSTGRES=postgres://... target/release/examples/hot_sku [seconds] [buyers] [rounds]
//! ```

#![expect(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]
#![expect(clippy::print_stdout, reason = "a command line tool speaks to its terminal")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{Method, StatusCode};
use contracts::OrderId;
use futures::future::join_all;
use inventory::{App, MIGRATOR};
use serde_json::json;
use service_kit::{Clock, Host};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use test_kit::{Identity, TestDb};

const UNITS: i32 = 100_000_000;

/// What is measured.
#[derive(Clone)]
enum Way {
    /// A transaction for each buyer, as many connections as buyers.
    Plain(PgPool),
    /// The service's own door.
    Service(Router, String),
}

struct Bench {
    db: TestDb,
    buyers: usize,
    lasts: Duration,
    /// Other SKUs in each order, of a thousand.
    others: u32,
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u32>().unwrap());
    let seconds = numbers.next().unwrap_or(5);
    let buyers = numbers.next().unwrap_or(64);
    let rounds = numbers.next().unwrap_or(3);
    for others in [0, 2] {
        let bench = Bench {
            db: test_kit::postgres(&MIGRATOR).await,
            buyers: buyers as usize,
            lasts: Duration::from_secs(seconds.into()),
            others,
        };
        println!(
            "{buyers} buyers at a time, {seconds} s each, one hot SKU and {others} of 1,000 others in every order; fsync {}",
            sqlx::query_scalar::<_, String>("SHOW fsync")
                .fetch_one(&bench.db.pool)
                .await
                .unwrap()
        );
        bench.run(rounds).await;
    }
}

impl Bench {
    async fn run(&self, rounds: u32) {
        let others = "INSERT INTO stock (sku, received, available)
            SELECT 'OTHER-' || n, $1, $1 FROM generate_series(0, 999) AS n";
        sqlx::query(others)
            .bind(UNITS)
            .execute(&self.db.pool)
            .await
            .unwrap();
        let ways = [
            ("plain transactions", self.plain().await),
            ("service, each alone", self.service(1).await),
            ("service, together", self.service(64).await),
        ];
        let mut rates = vec![Vec::new(); ways.len()];
        for round in 0..rounds {
            for (index, (name, way)) in ways.iter().enumerate() {
                let (rate, p50, p99) = self.measure(way, &format!("HOT-{round}-{index}")).await;
                println!("  {name:<20} {rate:>8.0} reservations/s   p50 {p50:>6.1} ms   p99 {p99:>6.1} ms");
                rates[index].push(rate);
            }
        }
        let median = |rates: &mut Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        };
        let medians: Vec<f64> = rates.iter_mut().map(median).collect();
        println!(
            "  medians {:.0}, {:.0}, {:.0}: together is {:.2} x plain, {:.2} x alone",
            medians[0],
            medians[1],
            medians[2],
            medians[2] / medians[0],
            medians[2] / medians[1],
        );
    }

    async fn plain(&self) -> Way {
        let connections = u32::try_from(self.buyers).unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections);
        Way::Plain(pool.connect(&self.db.url).await.unwrap())
    }

    async fn service(&self, most: usize) -> Way {
        let pool = pg_kit::connect(
            &self.db.secret(),
            &Host::for_test("inventory"),
            pg_kit::Purpose::Requests,
        )
        .await
        .unwrap();
        let identity = Identity::new();
        let app = App::new(pool.clone(), pool, Clock::system(), 5).with_batches_of(most);
        let token = identity.service_token("order", "inventory");
        Way::Service(app.rest(&identity.service_verifier("inventory")), token)
    }

    /// Buyers one after the other in each of so many lanes, until the time is over: a rate, and how long each took.
    async fn measure(&self, way: &Way, hot: &str) -> (f64, f64, f64) {
        let sql = "INSERT INTO stock (sku, received, available) VALUES ($1, $2, $2)";
        sqlx::query(sql)
            .bind(hot)
            .bind(UNITS)
            .execute(&self.db.pool)
            .await
            .unwrap();
        let (begun, seed) = (Instant::now(), Arc::new(AtomicU64::new(1)));
        let lanes = (0..self.buyers).map(|_| {
            let (way, hot, seed) = (way.clone(), hot.to_owned(), Arc::clone(&seed));
            let (lasts, others) = (self.lasts, self.others);
            tokio::spawn(async move {
                let mut took = Vec::new();
                while begun.elapsed() < lasts {
                    let at = Instant::now();
                    let mut skus = vec![hot.clone()];
                    for _ in 0..others {
                        let dice = seed
                            .fetch_add(1, Ordering::Relaxed)
                            .wrapping_mul(6_364_136_223_846_793_005)
                            >> 33;
                        let other = format!("OTHER-{}", dice % 1000);
                        if !skus.contains(&other) {
                            skus.push(other);
                        }
                    }
                    way.reserve(&skus).await;
                    took.push(at.elapsed().as_secs_f64() * 1000.0);
                }
                took
            })
        });
        let mut took: Vec<f64> = join_all(lanes)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        let elapsed = begun.elapsed().as_secs_f64();
        self.check(hot, took.len()).await;
        took.sort_by(f64::total_cmp);
        let made = f64::from(u32::try_from(took.len()).unwrap());
        (made / elapsed, took[took.len() / 2], took[took.len() * 99 / 100])
    }

    /// A fast wrong answer is worth nothing.
    async fn check(&self, hot: &str, made: usize) {
        let sql = "SELECT reserved::bigint, available::bigint,
            (SELECT coalesce(sum(qty), 0) FROM reservation WHERE sku = $1),
            (SELECT coalesce(sum(quantity), 0) FROM stock_ledger WHERE sku = $1 AND kind = 'HOLD') FROM stock WHERE sku = $1";
        let counted: (i64, i64, i64, i64) = sqlx::query_as(sql)
            .bind(hot)
            .fetch_one(&self.db.pool)
            .await
            .unwrap();
        let made = i64::try_from(made).unwrap();
        assert_eq!(counted, (made, i64::from(UNITS) - made, made, made));
    }
}

impl Way {
    async fn reserve(&self, skus: &[String]) {
        match self {
            Self::Plain(pool) => plainly(pool, skus).await,
            Self::Service(router, token) => {
                let lines: Vec<_> = skus
                    .iter()
                    .map(|sku| json!({"sku": sku, "quantity": 1}))
                    .collect();
                let path = format!("/reservations/{}", OrderId::generate());
                let body = json!({"lines": lines, "ttl_s": 600});
                let (status, answer) = test_kit::rest(router, token, Method::PUT, &path, Some(body)).await;
                assert_eq!(status, StatusCode::OK, "{answer}");
            }
        }
    }
}

/// The same rows as the service writes, by the plainest statements.
async fn plainly(pool: &PgPool, skus: &[String]) {
    let order = OrderId::generate().uuid();
    let mut tx = pool.begin().await.unwrap();
    let head = "WITH head AS (
            INSERT INTO reservation_head (order_id, state, request_hash, expires_at)
            VALUES ($1, 'HELD', decode(repeat('00', 32), 'hex'), clock_timestamp() + interval '600 s')
            RETURNING order_id, expires_at
        ), line AS (
            INSERT INTO reservation (order_id, sku, qty, state, expires_at)
            SELECT head.order_id, sku, 1, 'HELD', head.expires_at FROM head CROSS JOIN unnest($2::text[]) AS wanted (sku)
        )
        INSERT INTO stock_ledger (sku, kind, quantity, order_id, attempt)
        SELECT sku, 'HOLD', 1, $1, 1 FROM unnest($2::text[]) AS wanted (sku)";
    sqlx::query(head)
        .bind(order)
        .bind(skus)
        .execute(&mut *tx)
        .await
        .unwrap();
    let mut sorted: Vec<&String> = skus.iter().collect();
    sorted.sort();
    for sku in sorted {
        let moved = "UPDATE stock SET available = available - 1, reserved = reserved + 1 WHERE sku = $1 AND available >= 1";
        let done = sqlx::query(moved).bind(sku).execute(&mut *tx).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }
    tx.commit().await.unwrap();
}
