//! The report, as staff read it.

use std::sync::atomic::Ordering;

use contracts::order::CancelReason;
use contracts::{CategoryId, Currency, Money, ProductId, UserId};
use serde_json::{Value, json};
use service_auth::Role;

use crate::life::{Life, at, line};
use crate::stage::{Stage, code};

const REPORT: &str =
    "query($from: DateTime!, $to: DateTime!, $interval: SalesInterval!, $currency: CurrencyCode!) {
    salesReport(from: $from, to: $to, interval: $interval, currency: $currency) {
        from to interval currency
        totals { ...figures } series { at figures { ...figures } }
        topProducts(first: 2) { product { id } units sales { amount currencyCode } }
        topCategories { category { id } units sales { amount } }
        refusals { reason orders } latency { orders p50Seconds p90Seconds p99Seconds }
        funnel { carts orders paid } customers { new returning } } }
    fragment figures on SalesFigures { orders paid cancelled revenue { amount } refunded { amount }
        discounts { amount } }";

async fn report(stage: &Stage, from: &str, to: &str, interval: &str, currency: &str) -> Value {
    let variables = json!({ "from": from, "to": to, "interval": interval, "currency": currency });
    let answer = stage.ask(REPORT, variables).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["salesReport"].clone()
}

fn figures(orders: i32, paid: i32, cancelled: i32, revenue: &str, refunded: &str, discounts: &str) -> Value {
    json!({ "orders": orders, "paid": paid, "cancelled": cancelled, "revenue": { "amount": revenue },
        "refunded": { "amount": refunded }, "discounts": { "amount": discounts } })
}

struct Shop {
    stage: Stage,
    products: [ProductId; 3],
    categories: [CategoryId; 2],
}

/// One customer pays twice, a day apart; another's order is given up.
async fn shop() -> Shop {
    let stage = Stage::new().await;
    let products = [(); 3].map(|()| ProductId::generate());
    let categories = [(); 2].map(|()| CategoryId::generate());
    let (mug, cup, pot) = (products[0], products[1], products[2]);
    let user = UserId::generate();
    let first = vec![
        line(mug, Some(categories[0]), 500, 2),
        line(cup, Some(categories[0]), 100, 1),
        line(pot, None, 50, 1),
    ];
    let lives = [
        Life::placed(user, at("2026-11-27T05:10:00Z"), first, 150)
            .paid(10)
            .refunded(7_200, 3, 225),
        Life::placed(
            user,
            at("2026-11-28T05:10:00Z"),
            vec![line(cup, Some(categories[1]), 100, 9)],
            0,
        )
        .paid(20),
        Life::placed(
            UserId::generate(),
            at("2026-11-27T05:20:00Z"),
            vec![line(mug, Some(categories[0]), 500, 1)],
            0,
        )
        .cancelled(40, CancelReason::PaymentDeclined),
    ];
    stage.hear_all(&lives).await;
    stage.carts.store(5, Ordering::SeqCst);
    assert!(stage.app.count_carts().await);
    Shop {
        stage,
        products,
        categories,
    }
}

#[tokio::test]
async fn an_hourly_report_has_every_part_and_every_hour() {
    let shop = shop().await;
    let shown = report(
        &shop.stage,
        "2026-11-27T04:30:00Z",
        "2026-11-27T08:00:00Z",
        "HOUR",
        "USD",
    )
    .await;
    assert_eq!(
        (
            &shown["from"],
            &shown["to"],
            &shown["interval"],
            &shown["currency"]
        ),
        (
            &json!("2026-11-27T04:00:00+00:00"),
            &json!("2026-11-27T08:00:00+00:00"),
            &json!("HOUR"),
            &json!("USD")
        )
    );
    assert_eq!(shown["totals"], figures(2, 1, 1, "10.00", "2.25", "1.50"));
    let none = figures(0, 0, 0, "0.00", "0.00", "0.00");
    let series = [
        ("04", none.clone()),
        ("05", figures(2, 1, 1, "10.00", "0.00", "1.50")),
        ("06", none),
        ("07", figures(0, 0, 0, "0.00", "2.25", "0.00")),
    ]
    .map(|(hour, figures)| json!({ "at": format!("2026-11-27T{hour}:00:00+00:00"), "figures": figures }));
    assert_eq!(shown["series"], json!(series));
    let sold = |product: ProductId, units: i32, amount: &str| {
        json!({ "product": { "id": product.to_string() }, "units": units,
            "sales": { "amount": amount, "currencyCode": "USD" } })
    };
    assert_eq!(
        shown["topProducts"],
        json!([
            sold(shop.products[0], 2, "10.00"),
            sold(shop.products[1], 1, "1.00")
        ])
    );
    assert_eq!(
        shown["topCategories"],
        json!([{ "category": { "id": shop.categories[0].to_string() }, "units": 3, "sales": { "amount": "11.00" } }])
    );
    assert_eq!(
        shown["refusals"],
        json!([{ "reason": "PAYMENT_DECLINED", "orders": 1 }])
    );
    assert_eq!(shown["funnel"], json!({ "carts": 5, "orders": 2, "paid": 1 }));
    assert_eq!(shown["customers"], json!({ "new": 1, "returning": 0 }));
    let latency = &shown["latency"];
    assert_eq!(latency["orders"], 2);
    let near = |shown: &Value, exact: f64| (shown.as_f64().unwrap() / exact - 1.0).abs() < 0.026;
    assert!(
        near(&latency["p50Seconds"], 10.0) && near(&latency["p99Seconds"], 40.0),
        "{latency}"
    );
}

#[tokio::test]
async fn a_daily_report_adds_days() {
    let shop = shop().await;
    let shown = report(
        &shop.stage,
        "2026-11-27T23:59:59Z",
        "2026-11-28T00:00:01Z",
        "DAY",
        "USD",
    )
    .await;
    let days: Vec<_> = shown["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| &point["figures"])
        .collect();
    assert_eq!(
        days,
        [
            &figures(2, 1, 1, "10.00", "2.25", "1.50"),
            &figures(1, 1, 0, "9.00", "0.00", "0.00")
        ]
    );
    assert_eq!(shown["customers"], json!({ "new": 1, "returning": 1 }));
    assert_eq!(shown["topProducts"][0]["units"], 10, "{shown}");
    assert_eq!(
        shown["topCategories"].as_array().unwrap().len(),
        2,
        "as they were bought"
    );
}

#[tokio::test]
async fn money_of_another_currency_is_in_another_report() {
    let stage = Stage::new().await;
    let mut bought = line(ProductId::generate(), None, 500, 2);
    bought.unit_price = Money::new(700, Currency::EUR);
    let mut life = Life::placed(UserId::generate(), at("2026-11-27T05:10:00Z"), vec![bought], 0).paid(5);
    life.events[0]["data"]["total"]["currency"] = "EUR".into();
    stage.hear_all(&[life]).await;
    let (from, to) = ("2026-11-27T05:00:00Z", "2026-11-27T06:00:00Z");
    let euros = report(&stage, from, to, "HOUR", "EUR").await;
    assert_eq!(euros["totals"], figures(1, 1, 0, "14.00", "0.00", "0.00"));
    let dollars = report(&stage, from, to, "HOUR", "USD").await;
    assert_eq!(dollars["totals"], figures(0, 0, 0, "0.00", "0.00", "0.00"));
    assert_eq!(dollars["topProducts"], json!([]));
    assert_eq!(
        dollars["funnel"],
        json!({ "carts": 0, "orders": 1, "paid": 1 }),
        "of all currencies"
    );
}

#[tokio::test]
async fn an_empty_report_is_zeros_and_nulls() {
    let stage = Stage::new().await;
    let shown = report(
        &stage,
        "2026-11-01T00:00:00Z",
        "2026-12-02T00:00:00Z",
        "HOUR",
        "USD",
    )
    .await;
    assert_eq!(shown["series"].as_array().unwrap().len(), 31 * 24);
    assert_eq!(
        shown["latency"],
        json!({ "orders": 0, "p50Seconds": null, "p90Seconds": null, "p99Seconds": null })
    );
    assert_eq!(shown["customers"], json!({ "new": 0, "returning": 0 }));
}

#[tokio::test]
async fn a_time_that_makes_no_report_is_refused() {
    let stage = Stage::new().await;
    for (from, to, interval, currency) in [
        ("2026-11-27T05:00:00Z", "2026-11-27T05:00:00Z", "HOUR", "USD"),
        ("2026-11-27T05:00:00Z", "2026-11-26T05:00:00Z", "DAY", "USD"),
        ("2026-11-01T00:00:00Z", "2026-12-02T00:00:01Z", "HOUR", "USD"),
        ("2025-01-01T00:00:00Z", "2026-11-27T00:00:00Z", "DAY", "USD"),
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "DAY", "USD"),
        ("2026-11-27T05:00:00Z", "2026-11-27T06:00:00Z", "HOUR", "dollars"),
    ] {
        let variables = json!({ "from": from, "to": to, "interval": interval, "currency": currency });
        assert_eq!(
            code(&stage.ask(REPORT, variables).await),
            "BAD_USER_INPUT",
            "{from} {to}"
        );
    }
    for first in [0, 101] {
        let query = format!(
            "{{ salesReport(from: \"2026-11-27T05:00:00Z\", to: \"2026-11-27T06:00:00Z\") {{
                topProducts(first: {first}) {{ units }} }} }}"
        );
        assert_eq!(code(&stage.ask(&query, json!({})).await), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn only_staff_read_it() {
    let stage = Stage::new().await;
    let query =
        "{ salesReport(from: \"2026-11-27T05:00:00Z\", to: \"2026-11-27T06:00:00Z\") { totals { paid } } }";
    for (role, expected) in [(None, "UNAUTHENTICATED"), (Some(Role::Customer), "FORBIDDEN")] {
        assert_eq!(code(&stage.ask_as(role, query, json!({})).await), expected);
    }
    for role in [Role::Support, Role::Admin] {
        let answer = stage.ask_as(Some(role), query, json!({})).await;
        assert_eq!(answer["data"]["salesReport"]["totals"]["paid"], 0, "{answer}");
    }
}
