//! Users and services that exist only in a test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contracts::{SessionId, UserId};
use service_auth::issue::UserSigner;
use service_auth::keys::{self, KeyPair};
use service_auth::{CurrentUser, Role, ServiceKey, ServiceVerifier, UserVerifier};
use service_kit::Clock;

/// Who signs user tokens.
pub const ISSUER: &str = "mercato";
/// Whom user tokens are for.
pub const AUDIENCE: &str = "mercato";
const KEY_ID: &str = "test";
const TOKEN_TTL: Duration = Duration::from_mins(15);

/// Fresh keys of auth and of every service, and what can be signed and verified with them.
pub struct Identity {
    signer: UserSigner,
    services: BTreeMap<&'static str, KeyPair>,
    clock: Clock,
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// On the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Clock::system())
    }

    /// On a clock of the test's.
    pub fn with_clock(clock: Clock) -> Self {
        let pem = keys::generate().expect("a key").private_pem;
        let signer = UserSigner::from_pem(KEY_ID, &pem, ISSUER, AUDIENCE).expect("a signer");
        let services = roster::SERVICES
            .map(|name| (name, keys::generate().expect("a key")))
            .into();
        Self {
            signer: signer.with_clock(clock.clone()),
            services,
            clock,
        }
    }

    /// An access token, good for 15 minutes.
    pub fn user_token(&self, user: UserId, roles: &[Role]) -> String {
        self.signer
            .mint(user, roles.into(), SessionId::generate(), TOKEN_TTL)
            .0
    }

    /// An access token of a session, and for as long as the test wants.
    pub fn session_token(&self, user: UserId, roles: &[Role], session: SessionId, ttl: Duration) -> String {
        self.signer.mint(user, roles.into(), session, ttl).0
    }

    /// The user that a token of this identity speaks for, as a resolver gets it.
    pub fn current_user(&self, user: UserId, roles: &[Role]) -> CurrentUser {
        CurrentUser {
            id: user,
            roles: roles.into(),
            session: SessionId::generate(),
            expires_at: self.clock.now() + TOKEN_TTL,
        }
    }

    /// Verifies the user tokens, with the keys at hand.
    pub fn verifier(&self) -> UserVerifier {
        UserVerifier::try_fixed(&self.signer.jwks(), ISSUER, AUDIENCE, self.clock.clone()).expect("a key set")
    }

    /// The key set as auth publishes it, to serve over HTTP.
    pub fn jwks(&self) -> serde_json::Value {
        self.signer.jwks()
    }

    /// What `service` signs its calls with.
    pub fn service_key(&self, service: &'static str) -> Arc<ServiceKey> {
        let key = ServiceKey::from_pem(service, &self.pair(service).private_pem).expect("a service's key");
        Arc::new(key.with_clock(self.clock.clone()))
    }

    /// The token of a call from `caller` to `callee`.
    pub fn service_token(&self, caller: &'static str, callee: &str) -> String {
        self.service_key(caller).mint(callee)
    }

    /// What `service` verifies its callers with.
    pub fn service_verifier(&self, service: &'static str) -> ServiceVerifier {
        let pems = self.services.iter().map(|(name, pair)| (*name, &pair.public_pem));
        ServiceVerifier::from_pems(service, pems, self.clock.clone()).expect("public keys")
    }

    fn pair(&self, service: &str) -> &KeyPair {
        self.services
            .get(service)
            .unwrap_or_else(|| panic!("no service called {service}"))
    }
}
