//! The analytics part of the graph: a report over the sums for staff, and what is bought together for everybody.

mod entity;
mod loader;
mod mutation;
mod query;
mod rebuild;
mod report;
mod types;
mod user_error;

use async_graphql::{EmptySubscription, Request, Schema, SchemaBuilder};
use graphql_kit::{ApiError, Entities, PerRequest};

use crate::app::{App, AppError};

use mutation::Mutation;
use query::Query;
use user_error::UserError;

/// The subgraph's schema.
pub type AnalyticsSchema = Schema<Entities<Query>, Mutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> AnalyticsSchema {
    builder().data(loaders(&app)).data(app).finish()
}

/// The subgraph's SDL, which needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&builder().finish())
}

fn builder() -> SchemaBuilder<Entities<Query>, Mutation, EmptySubscription> {
    graphql_kit::builder(Query, Mutation, EmptySubscription).register_output_type::<UserError>()
}

fn loaders(app: &App) -> PerRequest {
    let app = app.clone();
    PerRequest::new(move |request: Request| loader::attach(request, &app))
}

/// A fault as the client may see it.
fn fault(error: AppError) -> ApiError {
    match error {
        AppError::Busy => ApiError::unavailable(SERVICE),
        AppError::Store(error) if pg_kit::is_retryable(&error) => {
            tracing::warn!(%error, "the analytics database does not answer");
            ApiError::unavailable(SERVICE)
        }
        AppError::Store(_) => ApiError::internal(error),
    }
}

/// How clients are told of us.
const SERVICE: &str = "The analytics service";
