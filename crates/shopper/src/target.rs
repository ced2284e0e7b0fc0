//! Where the graph is, and the administrator who works on it.

use std::sync::Arc;

use anyhow::{Context, Result};
use url::Url;

use crate::graph::Graph;
use crate::session::{Credentials, Session};

/// The public addresses and the administrator's sign-in.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// Address of the graph.
    #[arg(
        long,
        global = true,
        env = "MERCATO_GRAPHQL_URL",
        default_value = "http://127.0.0.1:4000/graphql"
    )]
    pub graphql: Url,
    /// Address of the staff's graph, where the administrator works.
    #[arg(
        long,
        global = true,
        env = "MERCATO_STAFF_URL",
        default_value = "http://127.0.0.1:4002/graphql/staff"
    )]
    pub staff: Url,
    /// Address of the WebSocket.
    #[arg(
        long,
        global = true,
        env = "MERCATO_WS_URL",
        default_value = "ws://127.0.0.1:4001/graphql/ws"
    )]
    pub ws: Url,
    /// Address of the WebSocket that tells a buyer's notifications.
    #[arg(long, global = true, env = "MERCATO_NOTICES_URL")]
    pub notices: Option<Url>,
    /// Address of the mail server that catches mails, for those who want to see them.
    #[arg(long, global = true, env = "MERCATO_MAIL_URL")]
    pub mail: Option<Url>,
    /// E-mail address of an administrator.
    #[arg(long, global = true, env = "MERCATO_ADMIN_EMAIL")]
    pub admin_email: Option<String>,
    /// Password of the administrator.
    #[arg(long, global = true, env = "MERCATO_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,
}

impl Target {
    /// A client of the public graph.
    pub fn graph(&self) -> Result<Graph> {
        Graph::try_new(self.graphql.clone()).context("no HTTP client")
    }

    /// The administrator's session, if one was named.
    pub async fn maybe_admin(&self) -> Result<Option<Arc<Session>>> {
        let (Some(email), Some(password)) = (&self.admin_email, &self.admin_password) else {
            return Ok(None);
        };
        let credentials = Credentials {
            email: email.clone(),
            password: password.clone(),
            display_name: "Administrator".to_owned(),
        };
        let graph = Graph::try_new(self.staff.clone()).context("no HTTP client")?;
        let session = Session::sign_in(&graph, credentials).await;
        Ok(Some(Arc::new(
            session.context("the administrator could not sign in")?,
        )))
    }

    /// The administrator's session; without one the command can't work.
    pub async fn admin(&self) -> Result<Arc<Session>> {
        let session = self.maybe_admin().await?;
        session.context("give an administrator: --admin-email and --admin-password")
    }
}
