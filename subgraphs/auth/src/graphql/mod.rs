//! The GraphQL door: guard, parse, one call, map. Holds no rule and no SQL.

mod loader;
mod mutation;
mod query;
mod types;
mod user_error;

use async_graphql::{EmptySubscription, Request, Schema, SchemaBuilder};
use graphql_kit::{ApiError, Batcher, Entities, PerRequest};

use crate::App;
use crate::app::Error;
use loader::UserLoader;
use mutation::Mutation;
use query::Query;

/// Auth's executable schema.
pub type AuthSchema = Schema<Entities<Query>, Mutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> AuthSchema {
    let loading = app.clone();
    let per_request =
        PerRequest::new(move |request: Request| request.data(Batcher::new(UserLoader::new(loading.clone()))));
    builder().data(app).data(per_request).finish()
}

/// The schema's SDL; needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&builder().finish())
}

fn builder() -> SchemaBuilder<Entities<Query>, Mutation, EmptySubscription> {
    graphql_kit::builder(Query, Mutation, EmptySubscription).register_output_type::<user_error::UserError>()
}

/// A use case's fault in the graph's codes. Refusals are mapped to user errors before this.
fn fault(error: Error) -> ApiError {
    match error {
        Error::Refused(refusal) => ApiError::bad_input(refusal.to_string()),
        Error::SessionEnded => ApiError::unauthenticated(),
        Error::RoleLost => ApiError::forbidden(),
        Error::Busy => ApiError::unavailable("Sign-in"),
        Error::Limits(error) => {
            tracing::error!(%error, "logins are refused without their counters");
            ApiError::unavailable("Sign-in")
        }
        Error::Store(error) if pg_kit::is_retryable(&error) => {
            tracing::warn!(%error, "the user store does not answer");
            ApiError::unavailable("Sign-in")
        }
        fault => ApiError::internal(fault),
    }
}
