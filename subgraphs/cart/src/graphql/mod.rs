//! The GraphQL door: guard, parse, one call, map. Holds no rule and no Redis command.

mod entity;
mod loader;
mod mutation;
mod query;
mod types;
mod user_error;

use async_graphql::{Context, EmptySubscription, Request, Schema, SchemaBuilder};
use graphql_kit::{ApiError, Batcher, Entities, PerRequest, viewer};

use crate::App;
use crate::app::Error;
use crate::app::read_cart::Reader;
use loader::CartLoader;

/// Cart's executable schema.
pub type CartSchema = Schema<Entities<query::Query>, mutation::Mutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> CartSchema {
    let store = app.store.clone();
    let per_request =
        PerRequest::new(move |request: Request| request.data(Batcher::new(CartLoader::new(store.clone()))));
    builder().data(app).data(per_request).finish()
}

/// The schema's SDL; needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&builder().finish())
}

fn builder() -> SchemaBuilder<Entities<query::Query>, mutation::Mutation, EmptySubscription> {
    graphql_kit::builder(query::Query, mutation::Mutation, EmptySubscription)
        .register_output_type::<user_error::UserError>()
}

fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked()
}

fn reader(ctx: &Context<'_>) -> Reader {
    let viewer = viewer(ctx);
    Reader {
        user: viewer.map(|user| user.id),
        staff: viewer.is_some_and(service_auth::CurrentUser::is_staff),
    }
}

/// A use case's fault in the graph's codes.
fn fault(error: &Error) -> ApiError {
    match error {
        Error::Invalid(why) => ApiError::bad_input(*why).at(&["input"]),
        Error::Busy => ApiError::unavailable("The cart"),
        Error::Product(call) => {
            tracing::warn!(error = %call, "product could not be asked");
            ApiError::unavailable("The catalogue")
        }
        Error::Store(store) => {
            let cause = std::error::Error::source(store).map(ToString::to_string);
            tracing::warn!(error = %store, cause, "the carts' store failed");
            ApiError::unavailable("The cart")
        }
        Error::Outcome(document) => ApiError::internal(document.to_string()),
    }
}
