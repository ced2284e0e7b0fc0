//! The GraphQL door: guard, parse, one call, map. Holds no rule and no SQL.

mod entity;
mod loader;
mod mutation;
mod query;
mod types;
mod user_error;

use async_graphql::{EmptySubscription, Request, Schema};
use graphql_kit::{ApiError, Batcher, Entities, PerRequest};

use crate::App;
use crate::app::Error;
use crate::domain::Refusal;
use loader::LevelLoader;

/// Inventory's executable schema.
pub type InventorySchema = Schema<Entities<query::Query>, mutation::Mutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> InventorySchema {
    let loading = app.clone();
    let per_request = PerRequest::new(move |request: Request| {
        request.data(Batcher::new(LevelLoader::new(loading.clone())))
    });
    builder().data(app).data(per_request).finish()
}

/// The schema's SDL; needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&builder().finish())
}

fn builder() -> async_graphql::SchemaBuilder<Entities<query::Query>, mutation::Mutation, EmptySubscription> {
    graphql_kit::builder(query::Query, mutation::Mutation, EmptySubscription)
        .register_output_type::<user_error::UserError>()
}

/// A use case's fault in the graph's codes. Refusals that have a user error are mapped before this.
fn fault(error: Error) -> ApiError {
    match error {
        Error::Refused(Refusal::Invalid(why)) => ApiError::bad_input(why).at(&["input"]),
        Error::Refused(refusal) => ApiError::bad_input(refusal.to_string()),
        Error::Busy => ApiError::unavailable("The result of the same request"),
        fault => ApiError::internal(fault),
    }
}
