//! What must be true at the end of a campaign, besides the auditor's invariants.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::load::Manner;
use super::schedule::Size;
use super::{Campaign, LIVENESS, listeners};
use crate::world::{Kind, World};

/// Seconds after which a message in a queue is one that nobody takes.
const QUEUE_LOOKS: usize = 20;

/// The longest time without an order that ends, unless what it needs was away.
const STANDSTILL: Duration = Duration::from_secs(30);
/// What a warm process may grow by, over tens of thousands of orders.
const GROWTH_BYTES: u64 = 64 * 1024 * 1024;
/// Faults during which a service can't tell PostgreSQL anything.
const SILENCING: [&str; 2] = ["SIGSTOP of a service", "blackholes"];
/// How long after them it may take until what was begun is ended.
const FOUND_VOICE: Duration = Duration::from_secs(5);
/// States of a saga that kills must have met.
pub(super) const KILL_STATES: usize = 8;

/// One question with its answer.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) what: String,
    /// What was counted or measured.
    pub(crate) figure: String,
    /// Why it is not so.
    pub(crate) fault: Option<String>,
}

impl Check {
    pub(super) fn new(what: impl Into<String>, figure: impl ToString, fault: Option<String>) -> Self {
        Self {
            what: what.into(),
            figure: figure.to_string(),
            fault,
        }
    }

    /// Holds when there is nothing against it.
    fn none(what: &str, against: &[String]) -> Self {
        let fault = (!against.is_empty()).then(|| against[..against.len().min(20)].join("; "));
        Self::new(what, against.len(), fault)
    }
}

pub(crate) async fn judge(world: &World, campaign: &Campaign) -> Result<Vec<Check>> {
    let mut checks = invariants(campaign);
    checks.push(liveness(campaign));
    checks.push(progress(campaign));
    checks.extend(promises(campaign));
    checks.extend(processes(campaign));
    checks.extend(leftovers(world, campaign).await?);
    checks.extend(listeners::judge(world).await?);
    if !campaign.planned.is_empty() {
        checks.extend(proofs(world, campaign).await?);
    }
    Ok(checks)
}

fn invariants(campaign: &Campaign) -> Vec<Check> {
    let findings = campaign.audit.findings.iter();
    findings
        .map(|finding| {
            let what = format!("{} {}", finding.id, finding.title);
            let fault = (finding.holds != Some(true)).then(|| finding.notes.join("; "));
            Check::new(what, format!("{} violations", finding.violations), fault)
        })
        .collect()
}

fn liveness(campaign: &Campaign) -> Check {
    let what = "every order is final within 60 s of the last fault";
    match campaign.all_final {
        None => Check::new(what, "never", Some("orders are still open".to_owned())),
        Some(at) => {
            let after = at - campaign.faults_ended;
            let late = (after > LIVENESS).then(|| "too late".to_owned());
            Check::new(what, format!("{:.1} s", after.as_secs_f64()), late)
        }
    }
}

fn progress(campaign: &Campaign) -> Check {
    let standstills = campaign.seen.standstills();
    let undisturbed = campaign.evidence.with(|record| {
        let lengths = standstills
            .iter()
            .map(|(from, to)| record.undisturbed(*from, *to));
        lengths.max().unwrap_or_default()
    });
    let raw = standstills
        .iter()
        .map(|(from, to)| *to - *from)
        .max()
        .unwrap_or_default();
    let figure = format!(
        "{:.1} s ({:.1} s with faults)",
        undisturbed.as_secs_f64(),
        raw.as_secs_f64()
    );
    let fault = (undisturbed > STANDSTILL).then(|| "nothing ended for too long".to_owned());
    Check::new(
        "never 30 s without an order that ends, unless what it needs was away",
        figure,
        fault,
    )
}

fn promises(campaign: &Campaign) -> Vec<Check> {
    let broken = campaign.notes.with(|ledger| ledger.violations.clone());
    let (begun, given_up) = campaign.notes.with(|ledger| (ledger.begun, ledger.given_up));
    let refused = (given_up > 0).then(|| format!("{given_up} were never accepted"));
    let mut checks = vec![
        Check::none("buyers were told nothing wrong", &broken),
        Check::new("every buyer who goes on asking is served", begun, refused),
    ];
    let down: Vec<_> = campaign.evidence.with(|record| {
        let broker = record
            .outages
            .iter()
            .filter(|outage| outage.kind.starts_with("RabbitMQ"));
        broker.map(|outage| (outage.from, outage.to)).collect()
    });
    if !down.is_empty() {
        let during = campaign.notes.with(|ledger| {
            let times = ledger.acknowledged.iter().map(|(_, at)| *at);
            times
                .filter(|at| down.iter().any(|(from, to)| at >= from && at <= to))
                .count()
        });
        let fault = (during == 0).then(|| "none".to_owned());
        checks.push(Check::new(
            "orders are accepted while the broker is away",
            during,
            fault,
        ));
    }
    checks
}

fn processes(campaign: &Campaign) -> Vec<Check> {
    let mut grown = Vec::new();
    let mut most: i64 = 0;
    for ((name, pid), growth) in &campaign.seen.growth {
        let Some(warm) = growth.warm_bytes else { continue };
        // The sandbox keeps its books in memory, as the provider it plays keeps its own.
        let store = ["postgres", "redis", "rabbitmq", "epmd", "psp-sandbox"].contains(&name.as_str());
        let by = growth.last_bytes.saturating_sub(warm);
        if !store {
            most = most.max(i64::try_from(by).unwrap_or(i64::MAX));
        }
        if !store && by > GROWTH_BYTES {
            grown.push(format!(
                "{name} ({pid}) from {} to {} MiB",
                warm >> 20,
                growth.last_bytes >> 20
            ));
        }
    }
    let fault = (!grown.is_empty()).then(|| grown.join("; "));
    let failures = campaign.evidence.with(|record| record.failures.clone());
    vec![
        Check::none("every fault could be injected and undone", &failures),
        Check::none("no process ended unasked", &campaign.seen.died),
        Check::none("nobody who could speak idled in a transaction", &idlers(campaign)),
        Check::new(
            "memory is flat",
            format!("at most {} MiB more", most >> 20),
            fault,
        ),
    ]
}

/// Who idled in a transaction while nothing kept them from ending it: not the frozen, and not behind a blackhole.
fn idlers(campaign: &Campaign) -> Vec<String> {
    let silenced = |at: Instant| {
        campaign.evidence.with(|record| {
            let outages = record.outages.iter();
            let mut silencing = outages.filter(|outage| SILENCING.contains(&outage.kind));
            silencing.any(|outage| at >= outage.from && at <= outage.to + FOUND_VOICE)
        })
    };
    let idlers = campaign.seen.idlers.iter();
    idlers
        .filter(|(at, _)| !silenced(*at))
        .map(|(_, idler)| idler.clone())
        .collect()
}

/// Queues that hold messages, but those that keep what nobody could read.
async fn full_queues(world: &World) -> Result<Vec<String>> {
    let words = ["-q", "list_queues", "name", "messages", "--formatter", "json"];
    let queues: Value = serde_json::from_str(&world.rabbitmqctl(&words).await?)?;
    let full = queues.as_array().into_iter().flatten().filter(|queue| {
        queue["messages"] != 0 && !queue["name"].as_str().unwrap_or_default().ends_with(".parked")
    });
    Ok(full.map(Value::to_string).collect())
}

async fn leftovers(world: &World, _: &Campaign) -> Result<Vec<Check>> {
    let mut full = full_queues(world).await?;
    // A quorum queue tells its length every few seconds, and what was delivered again a moment ago is on its way.
    for _ in 0..QUEUE_LOOKS {
        if full.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        full = full_queues(world).await?;
    }
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s %s', application_name, state) FROM pg_stat_activity
         WHERE state LIKE 'idle in transaction%' AND application_name ~ '-(requests|workers)$'
           AND state_change < clock_timestamp() - interval '1 second'",
    )
    .fetch_all(&world.postgres)
    .await?;
    let log = std::fs::read_to_string(world.plan.folder.join("logs/postgres.log")).unwrap_or_default();
    let deadlocks: Vec<String> = lines(&log, "deadlock detected");
    let broken: Vec<String> = lines(
        &log,
        "duplicate key value violates unique constraint \"order_history_pkey\"",
    );
    Ok(vec![
        Check::none("queues are empty", &full),
        Check::none("no transaction is left open", &open),
        Check::none("no deadlock", &deadlocks),
        Check::none("no version of an order is written twice", &broken),
    ])
}

fn lines(log: &str, text: &str) -> Vec<String> {
    log.lines()
        .filter(|line| line.contains(text))
        .map(str::to_owned)
        .collect()
}

/// A campaign without these has proven nothing.
async fn proofs(world: &World, campaign: &Campaign) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let kinds: BTreeSet<&str> = campaign
        .planned
        .iter()
        .map(|planned| planned.fault.kind())
        .collect();
    let copies = [
        "events delivered again",
        "events delivered again after the end",
        "events out of order",
    ];
    let (counts, states) = campaign
        .evidence
        .with(|record| (record.counts.clone(), record.killed_in.len()));
    for kind in kinds.into_iter().chain(copies) {
        checks.push(at_least_one(kind, counts.get(kind).copied().unwrap_or(0)));
    }
    for manner in [
        Manner::Again,
        Manner::Twice,
        Manner::OtherBody,
        Manner::Cancel,
        Manner::HangUp,
    ] {
        let count = campaign
            .notes
            .with(|ledger| ledger.manners.get(&manner).copied().unwrap_or(0));
        checks.push(at_least_one(manner.name(), count));
    }
    checks.push(at_least_one(
        "replies lost after their effect",
        lost_replies(world),
    ));
    checks.push(at_least_one(
        "duplicates refused by an inbox",
        duplicates(world).await?,
    ));
    for (what, sql) in PAYMENTS {
        let pool = if sql.contains("FROM orders") {
            &world.books.order
        } else {
            &world.books.payment
        };
        let count: i64 = sqlx::query_scalar(*sql).fetch_one(pool).await?;
        checks.push(at_least_one(what, u64::try_from(count)?));
    }
    let few = (campaign.size == Size::Smoke || campaign.size == Size::Soak) && states < KILL_STATES;
    let fault = few.then(|| format!("fewer than {KILL_STATES}"));
    checks.push(Check::new("kills hit this many states of a saga", states, fault));
    Ok(checks)
}

/// What the provider's mix must have led to.
const PAYMENTS: &[(&str, &str)] = &[
    (
        "payments declined",
        "SELECT count(*) FROM orders WHERE reason = 'PAYMENT_DECLINED'",
    ),
    (
        "payments that never came",
        "SELECT count(*) FROM orders WHERE reason = 'PAYMENT_TIMEOUT'",
    ),
    (
        "late payments given back",
        "SELECT count(*) FROM refund WHERE reason = 'late_payment'",
    ),
];

fn at_least_one(what: &str, count: u64) -> Check {
    let fault = (count == 0).then(|| "it did not happen, so nothing is proven".to_owned());
    Check::new(format!("happened: {what}"), count, fault)
}

pub(crate) fn lost_replies(world: &World) -> u64 {
    let links = Kind::ALL.into_iter().flat_map(|kind| world.links.of(kind));
    links
        .map(|(_, proxy)| proxy.tally().lost_replies.load(Ordering::Relaxed))
        .sum()
}

/// Deliveries that an inbox knew already, since the consumers' last start.
async fn duplicates(world: &World) -> Result<u64> {
    let mut total = 0.0;
    for process in ["order", "order-2", "inventory"] {
        let text = world.metrics(process).await?;
        let counters = text
            .lines()
            .filter(|line| line.starts_with("mercato_events_consumed_total"));
        let duplicates = counters.filter(|line| line.contains("outcome=\"duplicate\""));
        total += duplicates
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    Ok(total as u64)
}
