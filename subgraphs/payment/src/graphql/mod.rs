//! The payment part of the graph: thin objects over the domain, loaded in batches, each guarded by its owner.

mod entity;
mod loader;
mod query;
mod types;

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema};
use graphql_kit::{Entities, PerRequest};

use crate::app::App;

pub use query::Query;

/// The subgraph's schema.
pub type PaymentSchema = Schema<Entities<Query>, EmptyMutation, EmptySubscription>;

/// The schema over an app.
pub fn schema(app: App) -> PaymentSchema {
    let loaders = app.clone();
    let per_request = PerRequest::new(move |request: Request| loader::attach(request, &loaders));
    graphql_kit::builder(Query, EmptyMutation, EmptySubscription)
        .data(app)
        .data(per_request)
        .finish()
}

/// The subgraph's SDL, which needs no app.
pub fn sdl() -> String {
    graphql_kit::sdl(&graphql_kit::builder(Query, EmptyMutation, EmptySubscription).finish())
}
