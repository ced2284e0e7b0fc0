//! The system under test, as it runs in production, and what its stores hold.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use dev_stack::stack::{ROUTERS, RouterFiles, Settings, Stack};
use roster::{SERVICES, WITH_DATABASE};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::runtime::Runtime;

use crate::forge::{self, Forge};
use crate::ledger::Ledger;
use crate::people::People;
use crate::rotation::Ends;

/// The key that the router bears.
pub(crate) const GATEWAY_KEY: &str = "gateway-key-of-today-0123456789";
/// The key before it, which the subgraphs accept while it is rotated out.
pub(crate) const FORMER_GATEWAY_KEY: &str = "gateway-key-of-yesterday-012345";
/// The key before that.
pub(crate) const RETIRED_GATEWAY_KEY: &str = "gateway-key-of-last-year-012345";

/// Signs until the system is a minute old.
pub(crate) const PRESENT_KID: &str = "1000000002";
/// Signed before it; its tokens live on for a while.
pub(crate) const FORMER_KID: &str = "1000000001";

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) runtime: Runtime,
    pub(crate) ledger: Ledger,
    pub(crate) http: reqwest::Client,
    pub(crate) forge: Forge,
    pub(crate) people: People,
    pub(crate) ends: Ends,
    databases: Vec<(&'static str, PgPool)>,
    folder: tempfile::TempDir,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl World {
    /// Starts stores, services, sandbox and router in production mode, and lets people buy something.
    pub(crate) fn start() -> Result<Self> {
        let folder = dev_stack::servers::scratch_folder()?;
        place_user_keys(folder.path())?;
        let mut settings = Settings::for_tests(folder.path().to_owned(), binaries()?);
        settings.router = Some(RouterFiles::in_folder(
            dev_stack::router::ensure(&())?,
            &root().join("router"),
        ));
        for router in ROUTERS {
            settings.extra(router, "ROUTER_INTROSPECTION", "false");
            settings.extra(router, "GATEWAY_KEY", GATEWAY_KEY);
        }
        for service in SERVICES {
            settings.extra(service, "MERCATO_ENV", "production");
            let keys = format!("{FORMER_GATEWAY_KEY},{GATEWAY_KEY}");
            settings.extra(service, "GATEWAY_KEY", &keys);
            // A thousand cases a minute of one user are the point here; `rates` looks at the limits on twins.
            settings.extra(
                service,
                "API_RATES",
                "query=600000/100000,mutation=600000/100000,subscription=600000/100000",
            );
        }
        // Of development alone.
        settings.extra("webhook", "WEBHOOK_ALLOW_PRIVATE", "false");
        let stack = Stack::start(&settings, &())?;
        let runtime = Runtime::new()?;
        let http = service_kit::http::client(Duration::from_secs(20));
        let plan = stack.plan();
        let (databases, people) = runtime.block_on(async {
            let mut databases = Vec::new();
            for service in WITH_DATABASE {
                let pool = PgPoolOptions::new()
                    .max_connections(2)
                    .connect(&plan.database_url(service))
                    .await?;
                databases.push((service, pool));
            }
            anyhow::Ok((databases, People::settle(&http, &plan).await?))
        })?;
        let forge = Forge::open(folder.path(), &people)?;
        let ends = runtime.block_on(Ends::begin(&http, &plan, &forge, &people))?;
        Ok(Self {
            stack,
            runtime,
            ledger: Ledger::default(),
            http,
            forge,
            people,
            ends,
            databases,
            folder,
        })
    }

    /// Data, keys and logs of the system.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self, service: &str) -> Result<&PgPool> {
        let found = self.databases.iter().find(|(name, _)| *name == service);
        found.map(|(_, pool)| pool).context("it has no database")
    }

    /// What all stores hold, once two looks in a row see the same.
    pub(crate) async fn fingerprint_at_rest(&self) -> Result<Fingerprint> {
        let begun = Instant::now();
        let mut last = self.fingerprint().await?;
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = self.fingerprint().await?;
            let changed = last.differences(&now);
            if changed.is_empty() {
                return Ok(now);
            }
            ensure!(
                begun.elapsed() < Duration::from_secs(30),
                "the stores do not come to rest: {changed:?}"
            );
            last = now;
        }
    }

    async fn fingerprint(&self) -> Result<Fingerprint> {
        let mut tables = BTreeMap::new();
        for (service, pool) in &self.databases {
            let names: Vec<String> = sqlx::query_scalar(
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
            )
            .fetch_all(pool)
            .await?;
            // What cart has told of itself by now: nobody's doing.
            let told = |name: &String| *service == "analytics" && name == "carts_hour";
            for name in names.into_iter().filter(|name| !told(name)) {
                let rows = format!(
                    "SELECT count(*)::text || ' rows ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')
                     FROM \"{name}\" t"
                );
                let print: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
                    .fetch_one(pool)
                    .await?;
                tables.insert(format!("{service}.{name}"), print);
            }
        }
        tables.insert(
            "carts in redis".to_owned(),
            carts(&self.stack.plan().stores.redis)?,
        );
        Ok(Fingerprint(tables))
    }

    /// Stops everything; keeps the logs of a failed run.
    pub(crate) fn finish(&self, failed: bool) {
        self.stack.stop_all(&());
        if failed {
            let kept = root().join("target/security-logs");
            let _ = fs::remove_dir_all(&kept);
            let _ = copy(self.folder.path().join("logs").as_path(), &kept);
            eprintln!("the logs are in {}", kept.display());
        }
    }
}

/// Rows and contents of every table, and of the carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// Names of what is not the same.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys());
        let mut changed: Vec<String> = names
            .filter(|name| self.0.get(*name) != other.0.get(*name))
            .cloned()
            .collect();
        changed.sort();
        changed.dedup();
        changed
    }
}

/// A digest of the carts in their Redis, made by Redis itself; an idempotency key remembers refusals too, and
/// limits count them, so those are left out.
fn carts(url: &str) -> Result<String> {
    const DIGEST: &str = "local keys = redis.call('KEYS', '*'); table.sort(keys); local all = ''; \
        for _, key in ipairs(keys) do if not string.find(key, 'once:', 1, true) and not string.find(key, 'rate:', 1, true) then \
        all = all .. key .. redis.sha1hex(redis.call('DUMP', key)) end end; \
        return redis.sha1hex(all)";
    let address = url.trim_start_matches("redis://");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let command = format!("*3\r\n$4\r\nEVAL\r\n${}\r\n{DIGEST}\r\n$1\r\n0\r\n", DIGEST.len());
    stream.write_all(command.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 512];
    while !(answer.ends_with(b"\r\n") && answer.split(|&byte| byte == b'\n').count() > 2) {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "redis hung up");
        answer.extend_from_slice(&buffer[..read]);
        ensure!(!answer.starts_with(b"-"), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Two keys, as after a rotation: a former one and the present one, both old enough to sign.
fn place_user_keys(folder: &Path) -> Result<()> {
    let users = folder.join("keys/users");
    fs::create_dir_all(&users)?;
    for (kid, age) in [(FORMER_KID, 7200), (PRESENT_KID, 3600)] {
        let file = users.join(format!("{kid}.pem"));
        fs::write(&file, forge::private_pem(&forge::new_key()?)?)?;
        let made = SystemTime::now() - Duration::from_secs(age);
        fs::File::options().write(true).open(&file)?.set_modified(made)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Cargo puts the services beside the test binary's folder.
pub(crate) fn binaries() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(Path::parent)
        .context("no folder of binaries")?;
    ensure!(
        folder.join("order").exists(),
        "build the services first: cargo build --workspace --bins"
    );
    Ok(folder.to_owned())
}
