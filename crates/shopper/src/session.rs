//! A signed-in user: signs in once, renews the access token before it ends.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::graph::{Graph, GraphError, Operation};
use crate::operations::{
    Input, Login, LoginInput, RefreshSession, RefreshSessionInput, Register, RegisterInput, SessionView,
    outcome,
};

/// An access token is renewed when it has less than this left.
const RENEW_BEFORE: TimeDelta = TimeDelta::seconds(60);

/// What a user signs in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The name shown.
    pub display_name: String,
}

/// A signed-in user.
pub struct Session {
    graph: Graph,
    credentials: Credentials,
    tokens: Mutex<SessionView>,
}

impl Session {
    /// Makes the account, or signs in when it exists.
    pub async fn join(graph: &Graph, credentials: Credentials) -> Result<Self, GraphError> {
        let input = RegisterInput {
            email: credentials.email.clone(),
            password: credentials.password.clone(),
            display_name: credentials.display_name.clone(),
        };
        let payload = graph.run::<Register>(None, &Input { input }).await?.register;
        match outcome(payload.session, payload.user_errors) {
            Ok(tokens) => Ok(Self::new(graph, credentials, tokens)),
            Err(refused) if refused.code() == "EMAIL_TAKEN" => Self::sign_in(graph, credentials).await,
            Err(other) => Err(other),
        }
    }

    /// Signs in.
    pub async fn sign_in(graph: &Graph, credentials: Credentials) -> Result<Self, GraphError> {
        let tokens = login(graph, &credentials).await?;
        Ok(Self::new(graph, credentials, tokens))
    }

    fn new(graph: &Graph, credentials: Credentials, tokens: SessionView) -> Self {
        Self {
            graph: graph.clone(),
            credentials,
            tokens: Mutex::new(tokens),
        }
    }

    /// The user's e-mail address.
    pub fn email(&self) -> &str {
        &self.credentials.email
    }

    /// An access token with some time left.
    pub async fn bearer(&self) -> Result<String, GraphError> {
        let mut tokens = self.tokens.lock().await;
        if tokens.expires_at - DateTime::<Utc>::from(SystemTime::now()) < RENEW_BEFORE {
            *tokens = self.renewed(&tokens.refresh_token).await?;
        }
        Ok(tokens.access_token.clone())
    }

    /// Runs an operation as this user.
    pub async fn run<O: Operation>(&self, variables: &O::Variables) -> Result<O::Data, GraphError> {
        let bearer = self.bearer().await?;
        self.graph.run::<O>(Some(&bearer), variables).await
    }

    async fn renewed(&self, refresh_token: &str) -> Result<SessionView, GraphError> {
        let input = RefreshSessionInput {
            refresh_token: refresh_token.to_owned(),
        };
        let payload = self
            .graph
            .run::<RefreshSession>(None, &Input { input })
            .await?
            .refresh_session;
        match outcome(payload.session, payload.user_errors) {
            // The session is over: its time was up, or the server was set up anew.
            Err(GraphError::Refused(_)) => login(&self.graph, &self.credentials).await,
            renewed => renewed,
        }
    }
}

async fn login(graph: &Graph, credentials: &Credentials) -> Result<SessionView, GraphError> {
    let input = LoginInput {
        email: credentials.email.clone(),
        password: credentials.password.clone(),
    };
    let payload = graph.run::<Login>(None, &Input { input }).await?.login;
    outcome(payload.session, payload.user_errors)
}
