//! Auth owns users, their passwords, roles and sessions, and signs the tokens that say who somebody is.
//!
//! Every other service verifies those tokens by auth's public keys and never asks it anything else, but for notification,
//! which asks where somebody is written to. It must not know orders, carts, products or payments.

mod app;
mod config;
mod domain;
mod graphql;
mod rest;
mod store;

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use axum::Router;
use graphql_kit::{HttpConfig, HttpSettings, RateLimits};
use pg_kit::Purpose;
use service_auth::issue::UserSigner;
use service_auth::{KeyError, ServiceVerifier, UserVerifier};
use service_kit::{Admission, Clock, Host, Listener, Readiness};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use config::{Admin, Config, Tokens};
pub use graphql::{AuthSchema, schema, sdl};

use app::Passwords;
use store::throttles::Throttles;

/// The migrations of auth's database.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What the use cases work on; cheap to clone.
#[derive(Clone)]
pub struct App {
    pool: PgPool,
    throttles: Throttles,
    passwords: Passwords,
    signer: Arc<UserSigner>,
    users: UserVerifier,
    /// Sessions that ended lately; `None` until they were first read.
    ended: Arc<RwLock<Option<Vec<String>>>>,
    tokens: Tokens,
    clock: Clock,
}

impl App {
    /// An app over a migrated database and a Redis whose keys begin with `redis_prefix`.
    pub fn try_new(
        pool: PgPool,
        redis_url: &str,
        redis_prefix: &str,
        signer: UserSigner,
        tokens: Tokens,
        clock: Clock,
        readiness: &Readiness,
    ) -> anyhow::Result<Self> {
        let throttles = Throttles::new(redis_url, redis_prefix, readiness).context("REDIS_URL")?;
        let signer = Arc::new(signer.with_clock(clock.clone()));
        // Auth knows its keys: it need not ask itself over HTTP.
        let users = UserVerifier::try_fixed(&signer.jwks(), &tokens.issuer, &tokens.audience, clock.clone())?;
        Ok(Self {
            pool,
            throttles,
            passwords: Passwords::new(),
            signer,
            users,
            ended: Arc::default(),
            tokens,
            clock,
        })
    }

    /// The routes of the GraphQL listener.
    pub fn graphql(&self, settings: HttpSettings, limits: RateLimits, admission: Admission) -> Router {
        let config = settings.with_users(self.users.clone());
        self.graphql_with(config.limited(limits).shedding(admission))
    }

    /// The routes of the GraphQL listener under a given configuration.
    pub fn graphql_with(&self, config: HttpConfig) -> Router {
        graphql_kit::router(schema(self.clone()), config)
    }

    /// The routes of the internal listener.
    pub fn rest(&self, services: &ServiceVerifier) -> Router {
        rest::internal(self.clone(), services)
    }

    /// The routes of the public listener.
    pub fn public(&self) -> Router {
        rest::public(self.clone())
    }

    /// Verifies access tokens with the keys at hand.
    pub fn verifier(&self) -> UserVerifier {
        self.users.clone()
    }

    /// Makes the first administrator unless somebody has the address; true if made.
    pub async fn bootstrap(&self, admin: &Admin) -> anyhow::Result<bool> {
        app::bootstrap(self, &admin.email, &admin.password)
            .await
            .context("the first administrator")
    }

    /// Deletes sessions that ended long ago; tells how many.
    pub async fn purge_sessions(&self) -> anyhow::Result<u64> {
        Ok(app::purge_sessions(self).await?)
    }

    /// Looks at the key folder again, and at the sessions that ended; what can't be read stays as it was.
    pub async fn refresh_key_set(&self) -> Result<(), KeyError> {
        match app::ended_sessions(self).await {
            Ok(ended) => {
                let ids = ended.iter().map(ToString::to_string).collect();
                *self.ended.write().unwrap_or_else(PoisonError::into_inner) = Some(ids);
            }
            Err(error) => tracing::warn!(%error, "ended sessions can't be read"),
        }
        let reloaded = self.signer.reload();
        if let Err(error) = self.users.replace_keys(&self.key_set()) {
            tracing::error!(%error, "own keys can't be read back");
        }
        reloaded
    }

    /// What every service verifies access tokens by: the keys, and whose tokens count no more. From memory, because
    /// nobody could sign in anywhere if it had to wait for a store.
    fn key_set(&self) -> serde_json::Value {
        let mut set = self.signer.jwks();
        if let Some(ended) = &*self.ended.read().unwrap_or_else(PoisonError::into_inner) {
            set[service_auth::ENDED_SESSIONS] = ended.clone().into();
        }
        set
    }
}

/// Connects, migrates and reads the keys.
pub async fn build(config: &Config, host: &Host) -> anyhow::Result<App> {
    let signer = UserSigner::from_dir(
        &config.user_keys_dir,
        &config.tokens.issuer,
        &config.tokens.audience,
    )?;
    let store = host.readiness.component("postgres");
    let pool = pg_kit::connect(&config.database_url, host, Purpose::Requests).await?;
    pg_kit::migrate(&pool, &MIGRATOR).await?;
    store.up();
    let redis_url = config.redis_url.expose();
    App::try_new(
        pool,
        redis_url,
        "",
        signer,
        config.tokens.clone(),
        host.clock.clone(),
        &host.readiness,
    )
}

/// Builds the app, makes the first administrator, starts the workers and answers what to serve.
pub async fn start(config: Config, host: Host) -> anyhow::Result<Vec<Listener>> {
    let services = ServiceVerifier::from_dir(host.service, &config.identity.keys_dir, host.clock.clone())?;
    let app = build(&config, &host).await?;
    if let Some(admin) = &config.admin {
        app.bootstrap(admin).await?;
    }
    let limits = RateLimits::try_new(&config.redis_url, "auth:", config.http.rates, host.clock.clone())?;
    let throttles = app.throttles.clone();
    host.spawn("redis probe", async move { throttles.probe().await });
    host.spawn("signing keys", app::keep_keys_fresh(app.clone(), host.clone()));
    host.spawn(
        "session sweeper",
        app::keep_sessions_few(app.clone(), host.clone()),
    );
    Ok(vec![
        Listener::new(
            "graphql",
            config.listeners.graphql,
            app.graphql(config.http, limits, host.admission),
        ),
        Listener::new("internal", config.listeners.internal, app.rest(&services)),
        Listener::new("public", config.public_addr, app.public()),
    ])
}
