//! A database per test, copied from a template that is migrated once per set of migrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use service_kit::Secret;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;

use crate::servers::{postgres_url, unique};

const POOL_SIZE: u32 = 10;
/// Databases of tests that were killed before they could clean up.
const STALE: &str = "SELECT datname FROM pg_database
    WHERE datname LIKE 'mercato\\_test\\_%' AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - 3600";
/// Held while a template is made: two test binaries may want the same one.
const TEMPLATE_LOCK: i64 = 0x6d65_7263_6174_6f01;

/// A fresh database; dropped with this value.
pub struct TestDb {
    /// Connections to it.
    pub pool: PgPool,
    /// Its address.
    pub url: String,
    name: String,
}

impl TestDb {
    /// Its address as a configuration takes it.
    pub fn secret(&self) -> Secret {
        Secret::new(self.url.clone())
    }
}

/// A fresh database with these migrations applied.
pub async fn postgres(migrator: &Migrator) -> TestDb {
    let server = postgres_url().await;
    clean_up_once(&server).await;
    let template = template(&server, migrator).await;
    create(&server, &format!("TEMPLATE {template}")).await
}

/// A fresh database with nothing in it.
pub async fn empty_postgres() -> TestDb {
    let server = postgres_url().await;
    clean_up_once(&server).await;
    create(&server, "").await
}

async fn create(server: &str, from: &str) -> TestDb {
    let mut admin = connect(server).await;
    let name = scratch_name(&mut admin).await;
    execute(&mut admin, format!("CREATE DATABASE {name} {from}"))
        .await
        .expect("a database for the test");
    let url = address_of(server, &name);
    let pool = PgPoolOptions::new()
        .max_connections(POOL_SIZE)
        .acquire_timeout(Duration::from_secs(10))
        .connect(&url)
        .await
        .expect("the test's database");
    TestDb { pool, url, name }
}

/// A name that says when it was given, so that it can be swept.
async fn scratch_name(admin: &mut PgConnection) -> String {
    let epoch: i64 = sqlx::query_scalar("SELECT extract(epoch FROM now())::bigint")
        .fetch_one(admin)
        .await
        .unwrap();
    format!("mercato_test_{epoch}_{}", unique())
}

/// The name of the migrated template of this set of migrations, made by whoever comes first.
async fn template(server: &str, migrator: &Migrator) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in migrator.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    let name = format!("mercato_template_{:016x}", hasher.finish());
    let mut admin = connect(server).await;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut admin)
        .await
        .unwrap();
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    if !known {
        // Under its final name only when complete: a killed test leaves no half-made template.
        let draft = scratch_name(&mut admin).await;
        execute(&mut admin, format!("CREATE DATABASE {draft}"))
            .await
            .unwrap();
        let mut conn = connect(&address_of(server, &draft)).await;
        migrator.run(&mut conn).await.expect("the migrations apply");
        conn.close().await.unwrap();
        execute(&mut admin, format!("ALTER DATABASE {draft} RENAME TO {name}"))
            .await
            .unwrap();
    }
    // Releases the lock.
    admin.close().await.unwrap();
    name
}

async fn clean_up_once(server: &str) {
    static CELL: OnceCell<()> = OnceCell::const_new();
    CELL.get_or_init(async || {
        let mut admin = connect(server).await;
        let stale: Vec<String> = sqlx::query_scalar(STALE)
            .fetch_all(&mut admin)
            .await
            .unwrap_or_default();
        for name in stale {
            // Another test binary may be dropping it, or making it a template, at the same time.
            drop(execute(&mut admin, format!("DROP DATABASE IF EXISTS {name}")).await);
        }
    })
    .await;
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL for tests: {error}"))
}

/// Statements that take no parameters; every name in them is made here.
async fn execute(conn: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop)
}

fn address_of(server: &str, database: &str) -> String {
    let mut url: url::Url = server.parse().expect("an address of PostgreSQL");
    url.set_path(database);
    url.to_string()
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (url, name) = (address_of(&self.url, "postgres"), self.name.clone());
        // A thread with a runtime of its own: the test's may be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let Ok(mut admin) = PgConnection::connect(&url).await else {
                    return;
                };
                drop(execute(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await);
            });
        });
        // What is left behind is swept an hour later.
        drop(dropped.join());
    }
}
