//! A running system, a Prometheus that scrapes it, and every board: each query must return data.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use deploy::{metrics, root, tools};
use dev_stack::stack::{
    ADMIN_EMAIL, ADMIN_PASSWORD, AUDITOR, Plan, ROUTER, ROUTERS, RouterFiles, SANDBOX, STAFF_PATH,
    STAFF_ROUTER, Settings, Stack,
};
use roster::SERVICES;
use serde_json::Value;

use crate::Case;

pub(crate) const CASES: &[Case] = &[(
    "boards_show_a_running_system",
    &["prometheus", "the services' programs", "psql"],
    boards,
)];

/// What leads from a slow bucket to a trace; review keeps its metrics with a library of its own.
const WITH_EXEMPLARS: [&str; 6] = [
    "graphql_operation_seconds_bucket",
    "http_request_duration_seconds_bucket",
    r#"http_request_duration_seconds_bucket{service="review"}"#,
    "order_time_to_final_seconds_bucket",
    "payment_provider_seconds_bucket",
    "service_call_seconds_bucket",
];

struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    fn start(folder: &Path, plan: &Plan) -> Result<Self> {
        let mut targets = String::new();
        for service in SERVICES.iter().chain(&[SANDBOX, AUDITOR]).chain(&ROUTERS) {
            let ports = plan.ports_of(service)?;
            let port = if ROUTERS.contains(service) {
                ports.public
            } else {
                ports.ops
            };
            writeln!(
                targets,
                "      - {{targets: ['127.0.0.1:{port}'], labels: {{service: {service}}}}}"
            )?;
        }
        let rules = root().join("observability/prometheus/rules").canonicalize()?;
        let configuration = folder.join("prometheus.yml");
        std::fs::write(
            &configuration,
            format!(
                "global: {{scrape_interval: 2s, evaluation_interval: 2s}}\nrule_files: ['{}/*.yml']\n\
                 scrape_configs:\n  - job_name: services\n    static_configs:\n{targets}",
                rules.display()
            ),
        )?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, dev_stack::free_port()?));
        let log = std::fs::File::create(folder.join("prometheus.log"))?;
        let child = Command::new(tools::find("prometheus").context("prometheus")?)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("prometheus").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("prometheus")?;
        Ok(Self { child, address })
    }

    /// Whether a query returns a number.
    fn has_data(&self, query: &str) -> Result<bool> {
        let found = self.ask(&format!("/api/v1/query?query={}", encoded(query)))?;
        let results = found["result"].as_array().context("result")?;
        Ok(results.iter().any(|result| result["value"][1] != "NaN"))
    }

    /// Whether a point on this histogram's graph leads to a trace.
    fn has_exemplars(&self, histogram: &str) -> Result<bool> {
        let path = format!(
            "/api/v1/query_exemplars?query={}&start=0&end=9999999999",
            encoded(histogram)
        );
        let found = self.ask(&path)?;
        let series = found.as_array().context("series")?;
        let mut exemplars = series.iter().filter_map(|series| series["exemplars"].as_array());
        Ok(exemplars.any(|of| {
            let mut traces = of.iter().filter_map(|one| one["labels"]["trace_id"].as_str());
            traces.any(|trace| trace.len() == 32)
        }))
    }

    fn ask(&self, path: &str) -> Result<Value> {
        let answer = dev_stack::http::get(self.address, path).context("prometheus does not answer")?;
        ensure!(answer.status == 200, "{path}: {}", answer.body);
        let body = answer.body.find('{').map_or("", |start| &answer.body[start..]);
        let end = body.rfind('}').map_or(0, |end| end + 1);
        let mut found: Value = serde_json::from_str(&body[..end])?;
        Ok(found["data"].take())
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}

fn boards() -> Result<()> {
    let folder = dev_stack::servers::scratch_folder()?;
    let binaries = crate::configuration::binaries().context("programs")?;
    let mut settings = Settings::for_tests(folder.path().to_owned(), binaries.clone());
    settings.router = Some(RouterFiles::in_folder(
        dev_stack::router::ensure(&())?,
        &root().join("router"),
    ));
    settings.audited = true;
    settings.extra(AUDITOR, "AUDIT_EVERY_S", "2");
    // Nobody listens there: what is traced is exemplary, wherever its spans end.
    let nowhere = format!("http://127.0.0.1:{}", dev_stack::free_port()?);
    for service in SERVICES {
        settings.extra(service, "OTEL_EXPORTER_OTLP_ENDPOINT", &nowhere);
    }
    for router in ROUTERS {
        settings.extra(router, "ROUTER_TRACES", "true");
        settings.extra(router, "ROUTER_TRACE_SAMPLE", "always_on");
        settings.extra(router, "ROUTER_OTLP_ENDPOINT", &nowhere);
    }
    let stack = Stack::start(&settings, &())?;
    let plan = stack.plan();
    let prometheus = Prometheus::start(folder.path(), &plan)?;
    // Before the first purchase: a rate needs to see a counter twice.
    std::thread::sleep(Duration::from_secs(6));
    shopper(&binaries, &plan)?;
    std::thread::sleep(Duration::from_secs(4));
    shopper(&binaries, &plan)?;
    // The broker of a local system tells no metrics.
    let queries: Vec<metrics::Query> = metrics::dashboards()?
        .into_iter()
        .filter(|query| !query.text.contains("rabbitmq_"))
        .collect();
    let begun = Instant::now();
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let router = at(plan.ports_of(ROUTER)?.graphql);
    let staff = at(plan.ports_of(STAFF_ROUTER)?.graphql);
    for round in 0.. {
        // The demo's own operations were all planned before the second look at the router's figures.
        ask_something_new(router, staff, round)?;
        let mut empty = Vec::new();
        for query in &queries {
            if !prometheus.has_data(&query.text)? {
                empty.push(format!("{}: {}", query.place, query.text));
            }
        }
        for histogram in WITH_EXEMPLARS {
            if !prometheus.has_exemplars(histogram)? {
                empty.push(format!("{histogram}: its exemplars"));
            }
        }
        if empty.is_empty() {
            eprintln!("{} queries of boards returned data", queries.len());
            return Ok(());
        }
        // The rarest: once a minute analytics asks cart how many carts were begun.
        if begun.elapsed() > Duration::from_secs(90) {
            bail!(
                "{} of {} queries return nothing:\n{}",
                empty.len(),
                queries.len(),
                empty.join("\n")
            );
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

/// An operation that the router has not planned yet, on the shelf and on reviews, and two of notifications and
/// webhooks, which are refused for want of a token: what the demo doesn't look at.
fn ask_something_new(router: SocketAddr, staff: SocketAddr, round: u32) -> Result<()> {
    let body = format!(
        r#"{{"query":"query Round{round} {{ categories {{ name{round}: name }} products(first: 1) {{ nodes {{ averageRating }} }} }}"}}"#
    );
    let answer = dev_stack::http::post(router, "/graphql", &body).context("the router")?;
    ensure!(answer.status == 200, "{}", answer.body);
    let body = r#"{"query":"mutation { markNotificationsRead(input: {}) { markedCount } }"}"#;
    let answer = dev_stack::http::post(router, "/graphql", body).context("the router")?;
    ensure!(answer.body.contains("UNAUTHENTICATED"), "{}", answer.body);
    let body = r#"{"query":"{ webhookEndpoints(first: 1) { nodes { id } } }"}"#;
    let answer = dev_stack::http::post(staff, STAFF_PATH, body).context("the staff's router")?;
    ensure!(answer.body.contains("UNAUTHENTICATED"), "{}", answer.body);
    Ok(())
}

fn shopper(binaries: &Path, plan: &Plan) -> Result<()> {
    let mut command = Command::new(binaries.join("shopper"));
    command
        .arg("demo")
        .env("MERCATO_GRAPHQL_URL", plan.graphql_url())
        .env("MERCATO_STAFF_URL", plan.staff_url())
        .env("MERCATO_WS_URL", plan.websocket_url("order"))
        .env("MERCATO_PSP_URL", plan.psp_url())
        .env("MERCATO_ADMIN_EMAIL", ADMIN_EMAIL)
        .env("MERCATO_ADMIN_PASSWORD", ADMIN_PASSWORD);
    tools::run(&mut command).map(drop)
}
