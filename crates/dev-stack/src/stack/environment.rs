//! The environment of each process. Pure: the one place where variables get their local values.

use anyhow::{Context, Result};

use roster::{SERVICES, Service};

use super::plan::{
    ADMIN_PASSWORD, AUDITOR, EDGE, MAIL, Plan, ROUTER, SANDBOX, STAFF_PATH, STAFF_ROUTER, program_of,
};
use crate::keys::KeyFolders;

/// Variables of a process, in no particular order.
pub(super) type Environment = Vec<(String, String)>;

/// Variables handed through from our own environment when set.
pub(super) const PASSED_ON: [&str; 8] = [
    "PATH",
    "HOME",
    "LANG",
    "LOG",
    "RUST_BACKTRACE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "TRACE_VIEWER",
    "WEB_ORIGIN",
];

/// Pages that may open the WebSocket besides the one that is served: the shop while it is being developed.
const WEB_ORIGINS: &str = "http://localhost:3000,http://127.0.0.1:3000";

/// Where mails lead to in a system without a page.
const SHOP: &str = "http://127.0.0.1:8080";

/// What the process called `name` is started with.
pub(super) fn of(plan: &Plan, name: &str) -> Result<Environment> {
    let mut environment = match program_of(name) {
        ROUTER if plan.hive(name).is_some() => hive(plan)?,
        ROUTER | STAFF_ROUTER => router(plan, name)?,
        SANDBOX => sandbox(plan)?,
        MAIL => mail(plan)?,
        AUDITOR => auditor(plan)?,
        EDGE => edge(plan)?,
        service => {
            let service =
                roster::find(service).with_context(|| format!("there is no service called {service}"))?;
            subgraph(plan, name, service)?
        }
    };
    let extra = plan.extra.get(name).into_iter().flatten();
    environment.extend(extra.map(|(name, value)| (name.clone(), value.clone())));
    Ok(environment)
}

/// The ports that a process will bind: what it is told in variables that name an address of its own.
pub(super) fn listens(plan: &Plan, name: &str) -> Result<Vec<u16>> {
    let own = |variable: &str| {
        let is_address = variable.ends_with("_ADDR") || variable.ends_with("_LISTEN");
        (is_address && variable != "SMTP_ADDR") || variable == "PORT"
    };
    Ok(of(plan, name)?
        .into_iter()
        .filter(|(variable, _)| own(variable))
        .filter_map(|(_, value)| value.rsplit(':').next()?.parse().ok())
        .collect())
}

fn set(environment: &mut Environment, name: impl Into<String>, value: impl Into<String>) {
    environment.push((name.into(), value.into()));
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn subgraph(plan: &Plan, name: &str, service: &Service) -> Result<Environment> {
    let ports = plan.ports_of(name)?;
    let keys = KeyFolders::new(&plan.folder);
    let mut all = Environment::new();
    set(&mut all, "GRAPHQL_ADDR", local(ports.graphql));
    set(&mut all, "INTERNAL_ADDR", local(ports.internal));
    set(&mut all, "OPS_ADDR", local(ports.ops));
    if service.public.is_some() {
        set(&mut all, "PUBLIC_ADDR", local(ports.public));
    }
    set(&mut all, "GATEWAY_KEY", &plan.gateway_key);
    set(&mut all, "MERCATO_ENV", "development");
    // A panic shows its backtrace where that is wanted; an error in the log needs none. The first one would load a
    // development build's debug information and keep it: 110 MiB.
    set(&mut all, "RUST_LIB_BACKTRACE", "0");
    set(&mut all, "JWKS_URL", jwks_url(plan)?);
    set(
        &mut all,
        "SERVICE_KEY_FILE",
        keys.private(&service.name).display().to_string(),
    );
    set(
        &mut all,
        "SERVICE_KEYS_DIR",
        keys.services().display().to_string(),
    );
    for callee in SERVICES.iter().filter(|callee| **callee != service.name) {
        let url = format!("http://{}", local(plan.ports_of(callee)?.internal));
        set(&mut all, format!("{}_URL", callee.to_uppercase()), url);
    }
    stores(plan, service, &mut all);
    if service.is_live() {
        set(&mut all, "ALLOWED_ORIGINS", origins(plan));
    }
    for secret in &service.secrets {
        if let Some(value) = &secret.development {
            set(&mut all, &secret.variable, value);
        }
    }
    for (variable, value) in service.variables.iter().chain(&service.development) {
        set(&mut all, variable, filled(plan, value)?);
    }
    // What is shared with the provider, and what people sign in with.
    match service.name.as_str() {
        "auth" => {
            set(&mut all, "USER_KEYS_DIR", keys.users().display().to_string());
            set(&mut all, "BOOTSTRAP_ADMIN_PASSWORD", ADMIN_PASSWORD);
        }
        "payment" => {
            set(&mut all, "PSP_API_KEY", &plan.psp_api_key);
            set(&mut all, "PSP_WEBHOOK_SECRET", &plan.psp_webhook_secret);
        }
        _ => {}
    }
    Ok(all)
}

/// A variable's value with the addresses of this system in it.
fn filled(plan: &Plan, value: &str) -> Result<String> {
    let shop = plan.page_url().unwrap_or_else(|| SHOP.to_owned());
    Ok(value
        .replace("{shop}", &shop)
        .replace("{mail-sandbox}", &local(plan.ports_of(MAIL)?.public))
        .replace("{psp-sandbox}", &local(plan.ports_of(SANDBOX)?.graphql)))
}

fn stores(plan: &Plan, service: &Service, all: &mut Environment) {
    let name = service.name.as_str();
    if service.database {
        set(all, "DATABASE_URL", plan.database_url(name));
    }
    if let Some(redis) = &service.redis {
        set(
            all,
            "REDIS_URL",
            format!("{}/{}", plan.stores.redis, redis.database),
        );
    }
    if let Some(url) = plan.stores.accounts.get(name) {
        set(all, "AMQP_URL", url);
    }
}

fn sandbox(plan: &Plan) -> Result<Environment> {
    let ports = plan.ports_of(SANDBOX)?;
    let webhook = format!(
        "http://{}/webhooks/stripe",
        local(plan.ports_of("payment")?.public)
    );
    let mut all = Environment::new();
    set(&mut all, "LISTEN_ADDR", local(ports.graphql));
    set(&mut all, "OPS_ADDR", local(ports.ops));
    set(
        &mut all,
        "DATA_DIR",
        plan.folder.join(SANDBOX).display().to_string(),
    );
    set(&mut all, "API_KEY", &plan.psp_api_key);
    set(&mut all, "WEBHOOK_URL", webhook);
    set(&mut all, "WEBHOOK_SECRET", &plan.psp_webhook_secret);
    set(&mut all, "MERCATO_ENV", "development");
    Ok(all)
}

fn mail(plan: &Plan) -> Result<Environment> {
    let ports = plan.ports_of(MAIL)?;
    let mut all = Environment::new();
    set(&mut all, "LISTEN_ADDR", local(ports.graphql));
    set(&mut all, "SMTP_LISTEN_ADDR", local(ports.public));
    set(&mut all, "OPS_ADDR", local(ports.ops));
    set(&mut all, "MERCATO_ENV", "development");
    Ok(all)
}

fn auditor(plan: &Plan) -> Result<Environment> {
    let mut all = Environment::new();
    for service in crate::secrets::AUDITED {
        let name = format!("{}_DATABASE_URL", service.to_uppercase());
        set(&mut all, name, plan.database_url(service));
    }
    set(&mut all, "OPS_ADDR", local(plan.ports_of(AUDITOR)?.ops));
    // Where somebody looks on, they look often.
    set(&mut all, "AUDIT_EVERY_S", "15");
    set(&mut all, "MERCATO_ENV", "development");
    Ok(all)
}

fn edge(plan: &Plan) -> Result<Environment> {
    let ports = plan.ports_of(EDGE)?;
    let page = plan.page.as_ref().context("this system has no page")?;
    let mut all = Environment::new();
    set(&mut all, "PUBLIC_ADDR", local(ports.public));
    set(&mut all, "OPS_ADDR", local(ports.ops));
    set(&mut all, "PAGE_DIR", page.folder.display().to_string());
    set(&mut all, "GRAPH_UPSTREAM", local(plan.ports_of(ROUTER)?.graphql));
    set(
        &mut all,
        "STAFF_UPSTREAM",
        local(plan.ports_of(STAFF_ROUTER)?.graphql),
    );
    let mut live = Vec::new();
    for name in roster::LIVE {
        live.push(format!("{name}={}", local(plan.ports_of(name)?.public)));
    }
    set(&mut all, "LIVE_UPSTREAMS", live.join(","));
    set(&mut all, "KEYS_UPSTREAM", local(plan.ports_of("auth")?.public));
    set(&mut all, "JWKS_URL", jwks_url(plan)?);
    set(&mut all, "STACK_DIR", plan.folder.display().to_string());
    set(&mut all, "MERCATO_ENV", "development");
    Ok(all)
}

fn jwks_url(plan: &Plan) -> Result<String> {
    let auth = local(plan.ports_of("auth")?.public);
    Ok(format!("http://{auth}/.well-known/jwks.json"))
}

/// The page may be opened by either name of this machine.
fn origins(plan: &Plan) -> String {
    let served = plan.page_url().map(|url| {
        let other = url.replace("127.0.0.1", "localhost");
        format!(",{url},{other}")
    });
    format!("{WEB_ORIGINS}{}", served.unwrap_or_default())
}

fn router(plan: &Plan, name: &str) -> Result<Environment> {
    let ports = plan.ports_of(name)?;
    let files = plan.router.as_ref().context("this system has no router")?;
    let mut all = Environment::new();
    set(
        &mut all,
        "APOLLO_ROUTER_CONFIG_PATH",
        files.config.display().to_string(),
    );
    set(
        &mut all,
        "APOLLO_ROUTER_SUPERGRAPH_PATH",
        files.served_by(name).display().to_string(),
    );
    if name == STAFF_ROUTER {
        set(&mut all, "ROUTER_PATH", STAFF_PATH);
    }
    if let Some(folder) = files.config.parent() {
        set(
            &mut all,
            "ROUTER_SCRIPTS",
            folder.join("rhai").display().to_string(),
        );
    }
    set(&mut all, "APOLLO_TELEMETRY_DISABLED", "true");
    set(&mut all, "ROUTER_LISTEN", local(ports.graphql));
    set(&mut all, "ROUTER_HEALTH_LISTEN", local(ports.ops));
    set(&mut all, "ROUTER_METRICS_LISTEN", local(ports.public));
    subgraphs(plan, &mut all)?;
    Ok(all)
}

fn hive(plan: &Plan) -> Result<Environment> {
    let files = plan.router.as_ref().context("this system has no router")?;
    let hive = plan.hive(ROUTER).context("this system has no Hive Router")?;
    let mut all = Environment::new();
    set(
        &mut all,
        "ROUTER_CONFIG_FILE_PATH",
        hive.config.display().to_string(),
    );
    set(
        &mut all,
        "SUPERGRAPH_PATH",
        files.served_by(ROUTER).display().to_string(),
    );
    set(&mut all, "HOST", "127.0.0.1");
    set(&mut all, "PORT", plan.ports_of(ROUTER)?.graphql.to_string());
    set(&mut all, "WEB_ORIGINS", origins(plan));
    subgraphs(plan, &mut all)?;
    Ok(all)
}

/// What every router is told, whoever made it.
fn subgraphs(plan: &Plan, all: &mut Environment) -> Result<()> {
    set(all, "ROUTER_INTROSPECTION", "true");
    set(all, "GATEWAY_KEY", &plan.gateway_key);
    for service in SERVICES {
        let url = format!("http://{}/graphql", local(plan.ports_of(service)?.graphql));
        set(all, format!("{}_GRAPHQL_URL", service.to_uppercase()), url);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Settings;
    use super::super::plan::Stores;
    use super::*;

    fn plan() -> Plan {
        let mut settings = Settings::for_tests("/data".into(), "/bin".into());
        settings.order_replicas = 2;
        settings.extra("order", "PAYMENT_DEADLINE_S", "3");
        let stores = Stores {
            postgres: "postgres://u:p@127.0.0.1:1".to_owned(),
            redis: "redis://127.0.0.1:2".to_owned(),
            amqp: "amqp://guest@127.0.0.1:3".to_owned(),
            accounts: [("order".to_owned(), "amqp://order@127.0.0.1:3".to_owned())].into(),
            rabbitmqctl: "/data/rabbitmqctl".into(),
        };
        Plan::new(&settings, stores).unwrap()
    }

    fn map(plan: &Plan, name: &str) -> BTreeMap<String, String> {
        of(plan, name).unwrap().into_iter().collect()
    }

    #[test]
    fn a_service_gets_its_own_database_and_no_other_secret() {
        let plan = plan();
        let order = map(&plan, "order");
        assert_eq!(order["DATABASE_URL"], "postgres://u:p@127.0.0.1:1/order_db");
        assert_eq!(order["PAYMENT_DEADLINE_S"], "3");
        assert!(!order.contains_key("PSP_API_KEY"));
        assert_eq!(order["REDIS_URL"], "redis://127.0.0.1:2/4");
        assert_eq!(order["AMQP_URL"], "amqp://order@127.0.0.1:3");
        let cart = map(&plan, "cart");
        assert!(!cart.contains_key("DATABASE_URL") && !cart.contains_key("AMQP_URL"));
        assert!(!cart.contains_key("PUBLIC_ADDR"));
        assert!(map(&plan, "payment").contains_key("PSP_WEBHOOK_SECRET"));
    }

    #[test]
    fn a_replica_shares_all_but_its_ports() {
        let plan = plan();
        let (first, second) = (map(&plan, "order"), map(&plan, "order-2"));
        assert_eq!(first["DATABASE_URL"], second["DATABASE_URL"]);
        assert_eq!(first["SERVICE_KEY_FILE"], second["SERVICE_KEY_FILE"]);
        assert_ne!(first["PUBLIC_ADDR"], second["PUBLIC_ADDR"]);
    }

    #[test]
    fn the_pages_origin_may_open_the_websocket() {
        let mut settings = Settings::for_tests("/data".into(), "/bin".into());
        settings.page = Some(super::super::Page {
            folder: "/page".into(),
            port: None,
        });
        let stores = Stores {
            postgres: String::new(),
            redis: String::new(),
            amqp: String::new(),
            accounts: BTreeMap::new(),
            rabbitmqctl: "/data/rabbitmqctl".into(),
        };
        let plan = Plan::new(&settings, stores).unwrap();
        let url = plan.page_url().unwrap();
        let origins = map(&plan, "order")["ALLOWED_ORIGINS"].clone();
        assert!(origins.split(',').any(|origin| origin == url), "{origins}");
        assert!(
            of(&plan, EDGE).is_err(),
            "there is nothing to lead to without a router"
        );
    }

    #[test]
    fn a_process_listens_where_it_is_told_and_nowhere_else() {
        let plan = plan();
        let ports = plan.ports_of("order").unwrap();
        let mut listens = listens(&plan, "order").unwrap();
        listens.sort_unstable();
        let mut all = vec![ports.graphql, ports.internal, ports.ops, ports.public];
        all.sort_unstable();
        assert_eq!(listens, all);
        let sandbox = plan.ports_of(SANDBOX).unwrap();
        assert_eq!(
            super::listens(&plan, SANDBOX).unwrap(),
            [sandbox.graphql, sandbox.ops]
        );
        assert_eq!(super::listens(&plan, "cart").unwrap().len(), 3);
        let mail = plan.ports_of(MAIL).unwrap();
        let listens = super::listens(&plan, MAIL).unwrap();
        assert_eq!(listens, [mail.graphql, mail.public, mail.ops]);
        assert_eq!(
            super::listens(&plan, "notification").unwrap().len(),
            4,
            "and not where mails go"
        );
    }

    #[test]
    fn only_the_staffs_router_is_told_of_the_whole_graph() {
        let mut settings = Settings::for_tests("/data".into(), "/bin".into());
        settings.router = Some(super::super::RouterFiles::in_folder(
            "/router".into(),
            "/files".as_ref(),
        ));
        let plan = Plan::new(&settings, plan().stores).unwrap();
        let (public, staff) = (map(&plan, ROUTER), map(&plan, STAFF_ROUTER));
        let file = "APOLLO_ROUTER_SUPERGRAPH_PATH";
        assert_eq!(public[file], "/files/supergraph.public.graphql");
        assert_eq!(staff[file], "/files/supergraph.graphql");
        assert!(!public.contains_key("ROUTER_PATH"), "it has its own");
        assert_eq!(
            plan.staff_url(),
            format!("http://{}{}", staff["ROUTER_LISTEN"], staff["ROUTER_PATH"])
        );
        assert_ne!(public["ROUTER_LISTEN"], staff["ROUTER_LISTEN"]);
    }

    #[test]
    fn hive_router_serves_the_public_alone() {
        let files = super::super::RouterFiles::in_folder("/router".into(), "/files".as_ref());
        let mut settings = Settings::for_tests("/data".into(), "/bin".into());
        settings.router = Some(files.with_hive("/hive".into(), "/files".as_ref()));
        let plan = Plan::new(&settings, plan().stores).unwrap();
        let public = map(&plan, ROUTER);
        assert_eq!(public["ROUTER_CONFIG_FILE_PATH"], "/files/hive.yaml");
        assert_eq!(public["SUPERGRAPH_PATH"], "/files/supergraph.public.graphql");
        let port = plan.ports_of(ROUTER).unwrap().graphql;
        assert_eq!(listens(&plan, ROUTER).unwrap(), [port]);
        assert_eq!(plan.readiness(ROUTER).unwrap().0.port(), port);
        assert!(map(&plan, STAFF_ROUTER).contains_key("APOLLO_ROUTER_CONFIG_PATH"));
        assert!(plan.federated_websocket_url().is_some());
    }

    #[test]
    fn an_unknown_process_is_refused() {
        assert!(of(&plan(), "billing").is_err());
        assert_eq!(program_of("psp-sandbox"), "psp-sandbox");
        assert_eq!(program_of("order-12"), "order");
    }
}
