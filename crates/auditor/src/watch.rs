//! The audit as a process of its own: again and again beside live traffic, told as metrics.

use std::time::{Duration, Instant};

use service_kit::{ConfigError, Env, Host, Listener, Secret, metrics};

use crate::{Addresses, Books, Expectations, Report};

/// Whoever is started with the services lets them make their tables.
const FIRST_AFTER: Duration = Duration::from_secs(10);

/// What the watch takes from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// `ORDER_DATABASE_URL` (or `_FILE`); a role that may only read is enough, here and below.
    pub order: Secret,
    /// `INVENTORY_DATABASE_URL` (or `_FILE`).
    pub inventory: Secret,
    /// `PAYMENT_DATABASE_URL` (or `_FILE`).
    pub payment: Secret,
    /// `ANALYTICS_DATABASE_URL` (or `_FILE`); without it the sums of what was sold are not compared with the books.
    pub analytics: Option<Secret>,
    /// `AUDIT_EVERY_S` (60): seconds from the end of one audit to the next.
    pub every: Duration,
    /// `AUDIT_GRACE_S` (60): what changed in the last seconds is not judged.
    pub grace_s: u32,
}

impl Config {
    /// Reads all of it, or names all faults.
    pub fn from_env(env: &mut Env) -> Result<Self, ConfigError> {
        let order = env.secret("ORDER_DATABASE_URL");
        let inventory = env.secret("INVENTORY_DATABASE_URL");
        let payment = env.secret("PAYMENT_DATABASE_URL");
        let analytics = env.maybe_secret("ANALYTICS_DATABASE_URL");
        let every = env.optional("AUDIT_EVERY_S", 60_u64);
        if every == Some(0) {
            env.fault("AUDIT_EVERY_S must be at least 1");
        }
        let grace_s = env.optional("AUDIT_GRACE_S", 60);
        env.finish(|| {
            Some(Self {
                order: order?,
                inventory: inventory?,
                payment: payment?,
                analytics: analytics?,
                every: Duration::from_secs(every?),
                grace_s: grace_s?,
            })
        })
    }
}

/// Connects and audits until the host stops. Serves nothing but its metrics.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let books = Books::connect(&Addresses {
        order: config.order.expose().to_owned(),
        inventory: config.inventory.expose().to_owned(),
        payment: config.payment.expose().to_owned(),
    })
    .await?;
    let expected = Expectations {
        grace_s: f64::from(config.grace_s),
        analytics: config.analytics.map(|url| url.expose().to_owned()),
        ..Expectations::beside_traffic()
    };
    let stop = host.shutdown.clone();
    host.spawn("audit", async move {
        let mut wait = FIRST_AFTER.min(config.every);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            look(&books, &expected).await;
            wait = config.every;
        }
    });
    Ok(Vec::new())
}

/// One audit, told as metrics and, where something is broken, in the log.
pub async fn look(books: &Books, expected: &Expectations) {
    let begun = Instant::now();
    let report = crate::audit(books, expected).await;
    metrics::histogram("audit_seconds", "How long an audit took.", &[])
        .with_label_values::<&str>(&[])
        .observe(begun.elapsed().as_secs_f64());
    let outcome = if report.is_ok() { "ok" } else { "failed" };
    metrics::counter(
        "audits_total",
        "Audits, by whether they came to their end.",
        &["outcome"],
    )
    .with_label_values(&[outcome])
    .inc();
    match report {
        Ok(report) => tell(&report),
        Err(error) => tracing::warn!(error = format!("{error:#}"), "the books could not be checked"),
    }
}

fn tell(report: &Report) {
    let violations = metrics::gauge(
        "audit_violations",
        "What the last audit found against an invariant of the saga.",
        &["invariant"],
    );
    for finding in &report.findings {
        // What can't be checked from here has no figure: a 0 would say that it holds.
        let Some(holds) = finding.holds else { continue };
        let count = i64::try_from(finding.violations).unwrap_or(i64::MAX);
        violations.with_label_values(&[finding.id]).set(count);
        if !holds {
            tracing::error!(
                invariant = finding.id,
                title = finding.title,
                violations = finding.violations,
                notes = ?finding.notes,
                "an invariant is broken"
            );
        }
    }
}
