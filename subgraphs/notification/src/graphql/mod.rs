//! The notification part of the graph: thin objects over the domain, loaded in batches, guarded by whose they are.

mod entity;
mod inputs;
mod loader;
mod mail;
mod mutation;
mod query;
mod subscription;
mod types;
mod user_error;

use async_graphql::{Request, Schema};
use graphql_kit::{ApiError, Entities, LiveSchema, PerRequest};

use crate::app::{App, AppError};

use mutation::Mutation;
use query::Query;
use subscription::Subscription;
use user_error::UserError;

/// The subgraph's schema.
pub type NotificationSchema = Schema<Entities<Query>, Mutation, Subscription>;

/// The schema over an app.
pub fn schema(app: App) -> NotificationSchema {
    let builder = graphql_kit::builder(Query, Mutation, Subscription);
    builder
        .register_output_type::<UserError>()
        .data(loaders(&app))
        .data(app)
        .finish()
}

/// The schema of the public WebSocket over an app.
pub fn live_schema(app: App) -> LiveSchema<Subscription> {
    graphql_kit::live_builder(Subscription)
        .data(loaders(&app))
        .data(app)
        .finish()
}

/// The subgraph's SDL, which needs no app.
pub fn sdl() -> String {
    let builder = graphql_kit::builder(Query, Mutation, Subscription);
    graphql_kit::sdl(&builder.register_output_type::<UserError>().finish())
}

fn loaders(app: &App) -> PerRequest {
    let app = app.clone();
    PerRequest::new(move |request: Request| loader::attach(request, &app))
}

/// A fault as the client may see it.
fn fault(error: AppError) -> ApiError {
    match error {
        AppError::Stopping => ApiError::unavailable(SERVICE),
        AppError::Store(error) if pg_kit::is_retryable(&error) => {
            tracing::warn!(%error, "the notification database does not answer");
            ApiError::unavailable(SERVICE)
        }
        AppError::Store(_) => ApiError::internal(error),
    }
}

/// How clients are told of us.
const SERVICE: &str = "The notification service";
