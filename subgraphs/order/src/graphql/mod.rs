//! The order part of the graph: thin objects over the domain, loaded in batches, guarded by their owner.

mod connection;
mod coupon;
mod entity;
mod inputs;
mod loader;
mod mutation;
mod query;
mod returns;
mod saga_types;
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
pub type OrderSchema = Schema<Entities<Query>, Mutation, Subscription>;

/// The schema over an app.
pub fn schema(app: App) -> OrderSchema {
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
    let sdl = graphql_kit::sdl(&builder.register_output_type::<UserError>().finish());
    tag_feed(&sdl)
}

/// Tags the feed, which only staff may see: async-graphql has tags for every place but the fields of a subscription.
fn tag_feed(sdl: &str) -> String {
    const RETURNS: &str = "): OrderProgress!";
    let Some((before, feed)) = sdl.split_once("  orderFeed(") else {
        return sdl.to_owned();
    };
    let tagged = feed.replacen(RETURNS, &format!("{RETURNS} @tag(name: \"internal\")"), 1);
    format!("{before}  orderFeed({tagged}")
}

fn loaders(app: &App) -> PerRequest {
    let app = app.clone();
    PerRequest::new(move |request: Request| loader::attach(request, &app))
}

/// A fault as the client may see it.
fn fault(error: AppError) -> ApiError {
    match error {
        AppError::Unavailable(what) => ApiError::unavailable(what),
        AppError::TooLarge(_) => ApiError::bad_input(error.to_string()).at(&["input", "cartId"]),
        AppError::Store(error) if pg_kit::is_retryable(&error) => {
            tracing::warn!(%error, "the order database does not answer");
            ApiError::unavailable("The order service")
        }
        AppError::Store(_) => ApiError::internal(error),
    }
}
