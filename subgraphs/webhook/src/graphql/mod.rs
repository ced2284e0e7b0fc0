//! The webhook part of the graph: for administrators alone, and so out of the public contract.

mod delivery;
mod endpoint;
mod inputs;
mod loader;
mod mutation;
mod query;
mod user_error;

use async_graphql::{EmptySubscription, Request, Schema, SchemaBuilder};
use graphql_kit::{ApiError, Entities, PerRequest};

use crate::app::{App, AppError};

use mutation::Mutation;
use query::Query;
use user_error::UserError;

/// The subgraph's schema.
pub type WebhookSchema = Schema<Entities<Query>, Mutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> WebhookSchema {
    let loaders = app.clone();
    let loaders = PerRequest::new(move |request: Request| loader::attach(request, &loaders));
    builder().data(loaders).data(app).finish()
}

/// The subgraph's SDL, which needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&builder().finish())
}

fn builder() -> SchemaBuilder<Entities<Query>, Mutation, EmptySubscription> {
    graphql_kit::builder(Query, Mutation, EmptySubscription).register_output_type::<UserError>()
}

/// A fault as the client may see it.
fn fault(error: AppError) -> ApiError {
    match error {
        AppError::Stopping => ApiError::unavailable(SERVICE),
        AppError::Store(error) if pg_kit::is_retryable(&error) => {
            tracing::warn!(%error, "the webhook database does not answer");
            ApiError::unavailable(SERVICE)
        }
        other => ApiError::internal(other),
    }
}

/// How clients are told of us.
const SERVICE: &str = "The webhook service";
