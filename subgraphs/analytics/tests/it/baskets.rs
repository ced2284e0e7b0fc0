//! The real baskets of a supermarket, told out of order and more than once, against sums made in another way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use contracts::order::CancelReason;
use contracts::{CategoryId, ProductId, UserId};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::life::{Life, line, renamed};
use crate::stage::Stage;

#[derive(Deserialize)]
struct Basket {
    #[serde(rename = "basket_id")]
    id: u64,
    household_id: u64,
    at: NaiveDateTime,
    lines: Vec<BasketLine>,
}

#[derive(Deserialize)]
struct BasketLine {
    product_id: u64,
    quantity: u32,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "product_id")]
    id: u64,
    department: String,
    unit_price_usd: String,
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/complete-journey");
    let file = MultiGzDecoder::new(File::open(folder.join(name)).unwrap());
    let lines = BufReader::new(file).lines();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn cents(usd: &str) -> i64 {
    let (whole, part) = usd.split_once('.').unwrap_or((usd, "0"));
    whole.parse::<i64>().unwrap() * 100 + format!("{part:0<2}")[..2].parse::<i64>().unwrap()
}

/// Numbers without chance: the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end as u64).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

/// How a basket ends: every 17th is given up, every 97th goes on being placed, of every 11th some money goes back.
fn lives(baskets: &[Basket]) -> Vec<Life> {
    let products: HashMap<u64, Product> = read::<Product>("products.ndjson.gz")
        .into_iter()
        .map(|product| (product.id, product))
        .collect();
    let id = |number: u64| ProductId::from_uuid(Uuid::from_u128(u128::from(number)));
    let departments: BTreeSet<&str> = products
        .values()
        .map(|product| product.department.as_str())
        .collect();
    let category = |product: &Product| {
        let place = departments.iter().position(|name| *name == product.department);
        CategoryId::from_uuid(Uuid::from_u128(place.unwrap() as u128 + 1))
    };
    let life = |(place, basket): (usize, &Basket)| {
        let lines = basket.lines.iter().map(|bought| {
            let product = &products[&bought.product_id];
            let price = cents(&product.unit_price_usd).max(1);
            line(
                id(bought.product_id),
                Some(category(product)),
                price,
                bought.quantity,
            )
        });
        let user = UserId::from_uuid(Uuid::from_u128(u128::from(basket.household_id)));
        let discount = i64::from(place % 5 == 0);
        let life = Life::placed(user, basket.at.and_utc(), lines.collect(), discount);
        let took = i64::try_from(basket.id % 900 + 1).unwrap();
        match place {
            place if place % 97 == 0 => life,
            place if place % 17 == 0 => life.cancelled(took, CancelReason::PaymentDeclined),
            place if place % 11 == 0 => {
                life.paid(took)
                    .refunded(took + 90_000, 3, 1)
                    .refunded(took + 95_000, 4, 2)
            }
            _ => life.paid(took),
        }
    };
    baskets.iter().enumerate().map(life).collect()
}

fn paid_at(life: &Life) -> Option<DateTime<Utc>> {
    let paid = life.events.iter().find(|event| event["data"]["step"] == "PAID")?;
    serde_json::from_value(paid["data"]["at"].clone()).unwrap()
}

/// What the sums must come to, made from the lives alone.
#[derive(Default)]
struct Expected {
    paid: i64,
    revenue: i64,
    discounts: i64,
    refunded: i64,
    cancelled: i64,
    products: BTreeMap<Uuid, (i64, i64)>,
    categories: BTreeMap<Uuid, (i64, i64)>,
    pairs: BTreeMap<(Uuid, Uuid), i64>,
    baskets: i64,
    days_of: BTreeMap<Uuid, BTreeSet<chrono::NaiveDate>>,
}

fn expected(lives: &[Life]) -> Expected {
    let mut sums = Expected::default();
    for life in lives {
        for event in &life.events {
            sums.cancelled += i64::from(event["data"]["step"] == "CANCELLED");
            if event["type"] == "refund.completed.v1" {
                sums.refunded += event["data"]["amount"]["amount_minor"].as_i64().unwrap();
            }
        }
        let Some(paid) = paid_at(life) else { continue };
        sums.paid += 1;
        sums.revenue += life.total_minor();
        sums.discounts += life.discount_minor;
        sums.days_of
            .entry(life.user.uuid())
            .or_default()
            .insert(paid.date_naive());
        for line in &life.lines {
            let sales = line.unit_price.amount_minor * i64::from(line.quantity);
            for (sold, id) in [
                (&mut sums.products, line.product_id.uuid()),
                (&mut sums.categories, line.category_id.unwrap().uuid()),
            ] {
                let sold = sold.entry(id).or_default();
                *sold = (sold.0 + i64::from(line.quantity), sold.1 + sales);
            }
        }
        let mut products: Vec<Uuid> = life.lines.iter().map(|line| line.product_id.uuid()).collect();
        products.sort_unstable();
        products.dedup();
        if products.len() <= 50 {
            sums.baskets += 1;
            for one in &products {
                for other in products.iter().filter(|other| *other > one) {
                    *sums.pairs.entry((*one, *other)).or_default() += 1;
                }
            }
        }
    }
    sums
}

async fn compare(stage: &Stage, expected: &Expected, orders: usize) {
    let pool = &stage.db.pool;
    let totals: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT sum(orders)::bigint, sum(paid)::bigint, sum(cancelled)::bigint, sum(revenue_minor)::bigint,
                sum(refunded_minor)::bigint, sum(discounts_minor)::bigint FROM sales_hour",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let orders = i64::try_from(orders).unwrap();
    assert_eq!(
        totals,
        (
            orders,
            expected.paid,
            expected.cancelled,
            expected.revenue,
            expected.refunded,
            expected.discounts
        )
    );
    for (sql, expected) in [
        (
            "SELECT product_id, sum(units)::bigint, sum(sales_minor)::bigint FROM product_day GROUP BY 1",
            &expected.products,
        ),
        (
            "SELECT category_id, sum(units)::bigint, sum(sales_minor)::bigint FROM category_day GROUP BY 1",
            &expected.categories,
        ),
    ] {
        let sold: Vec<(Uuid, i64, i64)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
        let sold: BTreeMap<_, _> = sold
            .into_iter()
            .map(|(id, units, sales)| (id, (units, sales)))
            .collect();
        assert!(sold == *expected, "{sql}");
    }
    let pairs: Vec<(Uuid, Uuid, i64)> = sqlx::query_as("SELECT product_a, product_b, orders FROM pair")
        .fetch_all(pool)
        .await
        .unwrap();
    let pairs: BTreeMap<_, _> = pairs
        .into_iter()
        .map(|(one, other, orders)| ((one, other), orders))
        .collect();
    assert!(pairs == expected.pairs, "{} pairs", pairs.len());
    let baskets: i64 = sqlx::query_scalar("SELECT orders FROM basket_total")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(baskets, expected.baskets);
    let customers: (i64, i64) =
        sqlx::query_as("SELECT sum(first_time)::bigint, sum(again)::bigint FROM customer_day")
            .fetch_one(pool)
            .await
            .unwrap();
    let days: usize = expected.days_of.values().map(BTreeSet::len).sum();
    let new = expected.days_of.len();
    let count = |many: usize| i64::try_from(many).unwrap();
    assert_eq!(customers, (count(new), count(days - new)));
}

#[tokio::test]
async fn real_baskets_come_to_what_they_cost_and_again_after_a_rebuild() {
    let baskets: Vec<Basket> = read("baskets.ndjson.gz");
    assert_eq!(baskets.len(), 5_667);
    let lives = lives(&baskets);
    let expected = expected(&lives);
    // Steps that no sum knows are only kept: a few of them will do.
    let counts = |(place, event): &(usize, Value)| {
        let step = event["data"]["step"].as_str();
        place % 20 == 0 || !matches!(step, Some("CREATED" | "STOCK_RESERVED"))
    };
    let told = lives.iter().flat_map(|life| life.events.clone()).enumerate();
    let mut events: Vec<_> = told.filter(counts).map(|(_, event)| event).collect();
    let mut numbers = Numbers(84);
    for place in 0..events.len() / 10 {
        let again = numbers.below(events.len());
        // Every other one under another event's id.
        let repeat = &events[again];
        let repeat = if place % 2 == 0 {
            repeat.clone()
        } else {
            renamed(repeat)
        };
        events.push(repeat);
    }
    numbers.shuffle(&mut events);
    let stage = Stage::new().await;
    for batch in events.chunks(1_000) {
        // A repeat within a batch is the broker's to drop.
        let mut ids = BTreeSet::new();
        let fresh = batch.iter().filter(|event| ids.insert(event["id"].to_string()));
        let fresh: Vec<_> = fresh.cloned().collect();
        stage.hear(&fresh).await;
    }
    assert_eq!(stage.inbox("PENDING").await + stage.inbox("DEAD").await, 0);
    compare(&stage, &expected, lives.len()).await;
    let live = stage.sums().await;
    stage.rebuild().await;
    let rebuilt = stage.sums().await;
    for ((table, live), (_, rebuilt)) in live.iter().zip(&rebuilt) {
        assert!(live == rebuilt, "{table}");
        assert!(!live.is_empty(), "{table}");
    }
    compare(&stage, &expected, lives.len()).await;
}
