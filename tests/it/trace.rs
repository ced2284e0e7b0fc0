//! One checkout is one trace: from the client's operation through the router, the services, their calls, the outbox,
//! the broker, the saga and the provider's webhook to the subscription. Its rows and log lines tell the trace and the
//! client's correlation id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::Case;
use crate::collector::Span;
use crate::picture;
use crate::telemetry::lines;
use crate::world::{World, eventually, fresh_key, steps};

pub(crate) const CASES: &[Case] = &[(
    "telemetry: a checkout is one trace from the page to the last event",
    checkouts,
)];

/// Longer than any exporter waits before it sends.
const EXPORTED: Duration = Duration::from_secs(30);

/// A span, and those it is within, from the inside out.
type Chain = &'static [&'static str];

/// What every checkout does before its payment is decided.
const BEFORE_PAYMENT: [Chain; 6] = [
    &[
        "cart GET /carts/{cart_id}",
        "order GET cart",
        "order mutation CreateOrder__order__0",
        "order POST /graphql",
        "router http_request",
        "router subgraph_request",
    ],
    &[
        "product POST /variants/lookup",
        "order POST product",
        "order mutation CreateOrder__order__0",
    ],
    &[
        "cart POST /carts/{cart_id}/checked-out",
        "order POST cart",
        "order empty cart",
        "order mutation CreateOrder__order__0",
    ],
    &[
        "order publish order.created.v1",
        "order mutation CreateOrder__order__0",
    ],
    &[
        "inventory reserve",
        "inventory PUT /reservations/{order_id}",
        "order PUT inventory",
        "order saga reserve",
        "order saga",
        "order mutation CreateOrder__order__0",
    ],
    &[
        "payment provider create",
        "payment PUT /payments/{order_id}",
        "order PUT payment",
        "order saga pay",
        "order saga",
        "order mutation CreateOrder__order__0",
    ],
];

/// The provider decides later: its webhook brings the news, which goes on through the broker to whoever watches.
const BY_WEBHOOK: [Chain; 3] = [
    &[
        "order process payment.succeeded.v1",
        "order receive payment.succeeded.v1",
        "payment publish payment.succeeded.v1",
        "payment webhook payment_intent.succeeded",
        "payment PUT /payments/{order_id}",
    ],
    &[
        "order deliver order.status_changed.v1",
        "order publish order.status_changed.v1",
        "order process payment.succeeded.v1",
    ],
    &[
        "inventory POST /reservations/{order_id}/confirm",
        "order POST inventory",
        "order saga confirm",
        "order saga",
        "order mutation CreateOrder__order__0",
    ],
];

/// The provider decides at once. Its answer or its webhook is the first to say so.
const AT_ONCE: [Chain; 2] = [
    &[
        "order process payment.succeeded.v1",
        "order receive payment.succeeded.v1",
        "payment publish payment.succeeded.v1",
    ],
    &[
        "inventory POST /reservations/{order_id}/confirm",
        "order POST inventory",
        "order saga confirm",
        "order saga",
    ],
];

const DECLINED: [Chain; 2] = [
    &[
        "order process payment.failed.v1",
        "order receive payment.failed.v1",
        "payment publish payment.failed.v1",
    ],
    &[
        "inventory DELETE /reservations/{order_id}",
        "order DELETE inventory",
        "order saga release",
        "order saga",
    ],
];

/// How people pay here, how that ends, and what must be seen of it.
const PURCHASES: [(&str, &str, &[Chain]); 5] = [
    ("pm_mercato_slow", "PAID", &BY_WEBHOOK),
    ("pm_mercato_slow", "PAID", &BY_WEBHOOK),
    ("pm_card_visa", "PAID", &AT_ONCE),
    ("pm_card_visa", "PAID", &AT_ONCE),
    ("pm_card_chargeDeclined", "CANCELLED", &DECLINED),
];

/// A checkout that ended.
struct Checkout {
    trace: String,
    /// The client's own span, which nobody exports.
    client: String,
    correlation: String,
    order: String,
    chains: &'static [Chain],
}

async fn check_out(world: &World, method: &str, end: &str, chains: &'static [Chain]) -> Result<Checkout> {
    let (ada, variant) = (world.customer().await?, world.product(5).await?);
    let cart = ada.cart(&variant, 1).await?;
    let trace = Uuid::now_v7().simple().to_string();
    let client = Uuid::now_v7().simple().to_string().split_off(16);
    let correlation = format!("trace-{trace}");
    world.collector()?.keep(&trace);
    let ada = ada
        .traced(&format!("00-{trace}-{client}-01"))
        .correlated(&correlation);
    let payload = ada.create_order(&cart, method, &fresh_key()).await?;
    let order = payload["order"]["id"].as_str().context(payload.to_string())?;
    let seen = ada.watch(order, 0).await?;
    ensure!(steps(&seen).last() == Some(&end), "{method}: {seen:?}");
    Ok(Checkout {
        trace,
        client,
        correlation,
        order: order.to_owned(),
        chains,
    })
}

fn checkouts(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        // Until every queue is bound, an event may have to be published twice.
        let (ada, variant) = (world.customer().await?, world.product(1).await?);
        let first = ada.buy(&variant, 1, "pm_card_visa").await?;
        ada.watch(&first, 0).await?;
        let begun = PURCHASES.map(|(method, end, chains)| check_out(world, method, end, chains));
        let checkouts = try_join_all(begun).await?;
        for checkout in &checkouts {
            is_right(world, checkout).await?;
        }
        are_examples(world, &checkouts).await?;
        ensure!(world.collector()?.refused() == 0, "batches that are not OTLP");
        if picture::is_wanted() {
            let (method, end, chains) = PURCHASES[0];
            let alone = check_out(world, method, end, chains).await?;
            is_right(world, &alone).await?;
            picture::update(&world.collector()?.spans(&alone.trace))?;
        }
        picture::check(
            BEFORE_PAYMENT
                .iter()
                .chain(&BY_WEBHOOK)
                .copied()
                .flatten()
                .copied(),
        )
    })
}

/// A graph of how long orders take leads to the traces of those that took so long.
async fn are_examples(world: &World, checkouts: &[Checkout]) -> Result<()> {
    let (address, _) = world.stack.plan().readiness("order")?;
    let request = service_kit::http::client(Duration::from_secs(5)).get(format!("http://{address}/metrics"));
    let asked = request.header("accept", "application/openmetrics-text;version=1.0.0");
    let told = asked.send().await?.text().await?;
    let buckets: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("order_time_to_final_seconds_bucket"))
        .collect();
    let is_told = |checkout: &Checkout| {
        let example = format!("# {{trace_id=\"{}\"}}", checkout.trace);
        buckets.iter().any(|line| line.contains(&example))
    };
    ensure!(checkouts.iter().any(is_told), "no trace among {buckets:#?}");
    Ok(())
}

async fn is_right(world: &World, checkout: &Checkout) -> Result<()> {
    let what = format!("the trace of {}", checkout.order);
    eventually(EXPORTED, &what, async || {
        is_whole(checkout, &world.collector()?.spans(&checkout.trace))
    })
    .await?;
    is_logged(world, checkout)?;
    is_kept(world, checkout).await
}

/// Whether a trace is complete and hangs together. An error says what is wrong with it, as far as it came.
fn is_whole(checkout: &Checkout, spans: &[Span]) -> Result<bool> {
    let known: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    ensure!(known.len() == spans.len(), "a span was exported twice");
    let services: BTreeSet<&str> = spans.iter().map(|span| span.service.as_str()).collect();
    ensure!(
        spans.len() >= 12 && services.len() >= 5,
        "{} spans of {services:?}",
        spans.len()
    );
    for span in spans {
        ensure!(
            span.parent == checkout.client || known.contains_key(span.parent.as_str()),
            "{} hangs in the air",
            label(span)
        );
        ensure!(!span.is_error, "{} failed", label(span));
        is_described(span)?;
    }
    let roots: BTreeSet<String> = spans
        .iter()
        .filter(|span| span.parent == checkout.client)
        .map(label)
        .collect();
    let expected = ["order subscription OrderProgress", "router mutation CreateOrder"].map(str::to_owned);
    ensure!(
        roots == BTreeSet::from(expected),
        "the client's children are {roots:?}"
    );
    for chain in BEFORE_PAYMENT.iter().chain(checkout.chains) {
        let wanted: Vec<_> = chain.iter().map(|&name| name.to_owned()).collect();
        let alike: Vec<_> = spans
            .iter()
            .filter(|span| label(span) == chain[0])
            .map(|span| upwards(span, &known))
            .collect();
        ensure!(
            alike.iter().any(|seen| seen.starts_with(&wanted)),
            "not {wanted:?} but {alike:?}"
        );
    }
    Ok(true)
}

/// Kind and attributes are what the name promises; of the router's own only the name is relied on.
fn is_described(span: &Span) -> Result<()> {
    let Some(kind) = kind_of(&span.name).filter(|_| span.service != "router") else {
        return Ok(());
    };
    ensure!(span.kind == kind, "{} is {:?}", label(span), span.kind);
    let wanted: &[&str] = match (kind, span.name.split(' ').next()) {
        (SpanKind::Server, _) => &["http.request.method", "url.path", "http.response.status_code"],
        (SpanKind::Client, _) => &["peer.service", "outcome"],
        (SpanKind::Producer, _) | (_, Some("receive")) => &[
            "messaging.system",
            "messaging.destination.name",
            "messaging.message.id",
            "subject",
        ],
        (_, Some("process")) => &["consumer", "event", "subject"],
        (_, Some("deliver" | "webhook")) => &["order"],
        (_, Some("saga")) => &["order", "action", "attempt"],
        _ => &[],
    };
    let missing: Vec<_> = wanted
        .iter()
        .filter(|name| !span.attributes.contains_key(**name))
        .collect();
    ensure!(missing.is_empty(), "{} does not tell {missing:?}", label(span));
    Ok(())
}

fn label(span: &Span) -> String {
    format!("{} {}", span.service, span.name)
}

/// A span and all it is within.
fn upwards(span: &Span, known: &BTreeMap<&str, &Span>) -> Vec<String> {
    std::iter::successors(Some(span), |span| known.get(span.parent.as_str()).copied())
        .map(label)
        .collect()
}

/// What a span's name says of its kind.
fn kind_of(name: &str) -> Option<SpanKind> {
    Some(match name.split(' ').next()? {
        "publish" => SpanKind::Producer,
        "receive" | "process" | "deliver" | "webhook" => SpanKind::Consumer,
        "saga" | "reserve" | "mutation" if name.contains(' ') => SpanKind::Internal,
        "GET" | "PUT" | "POST" | "DELETE" if name.contains('/') => SpanKind::Server,
        "provider" | "GET" | "PUT" | "POST" | "DELETE" => SpanKind::Client,
        _ => return None,
    })
}

/// All who took part say so under the client's correlation id and trace, both in the same line.
fn is_logged(world: &World, checkout: &Checkout) -> Result<()> {
    let took_part: [&[&str]; 5] = [
        &["cart"],
        &["product"],
        &["order", "order-2"],
        &["inventory"],
        &["payment"],
    ];
    for replicas in took_part {
        let mut found = false;
        for process in replicas {
            found |= lines(world, process)?.iter().any(|line| {
                line["correlation_id"] == *checkout.correlation && line["trace_id"] == *checkout.trace
            });
        }
        ensure!(found, "{replicas:?} logs nothing of {}", checkout.correlation);
    }
    Ok(())
}

/// Every row of the checkout tells its correlation id and its trace.
async fn is_kept(world: &World, checkout: &Checkout) -> Result<()> {
    let published = "SELECT headers->>'correlationid', headers->>'traceparent' FROM outbox WHERE payload->>'subject' = $1";
    let rows = [
        ("order", published, 4),
        ("payment", published, 1),
        (
            "order",
            "SELECT payload->>'correlationid', payload->>'traceparent' FROM inbox WHERE payload->'data'->>'order_id' = $1",
            1,
        ),
    ];
    for (service, query, fewest) in rows {
        let found = told(world, service, sqlx::query_as(query).bind(&checkout.order)).await?;
        all_of(checkout, service, &found, fewest)?;
    }
    for (service, table) in [("order", "saga"), ("payment", "payment")] {
        let query = format!("SELECT correlation_id, traceparent FROM {table} WHERE correlation_id = $1");
        let query = sqlx::AssertSqlSafe(query);
        let found = told(world, service, sqlx::query_as(query).bind(&checkout.correlation)).await?;
        all_of(checkout, service, &found, 1)?;
        ensure!(
            found.len() == 1,
            "{service} keeps {} in {} rows",
            checkout.order,
            found.len()
        );
    }
    Ok(())
}

/// A correlation id and a trace context.
type Told = (Option<String>, Option<String>);

type Asked<'q> = sqlx::query::QueryAs<'q, sqlx::Postgres, Told, sqlx::postgres::PgArguments>;

async fn told(world: &World, service: &str, query: Asked<'_>) -> Result<Vec<Told>> {
    let mut database = PgConnection::connect(&world.stack.plan().database_url(service)).await?;
    let found = query.fetch_all(&mut database).await?;
    database.close().await?;
    Ok(found)
}

fn all_of(checkout: &Checkout, service: &str, found: &[Told], fewest: usize) -> Result<()> {
    ensure!(
        found.len() >= fewest,
        "{service} keeps {found:?} of {}",
        checkout.order
    );
    for (correlation, traceparent) in found {
        let trace = traceparent.as_deref().and_then(service_kit::trace::trace_id);
        ensure!(
            correlation.as_ref() == Some(&checkout.correlation) && trace == Some(&checkout.trace),
            "{service} keeps {correlation:?} and {traceparent:?} of {}",
            checkout.order
        );
    }
    Ok(())
}
