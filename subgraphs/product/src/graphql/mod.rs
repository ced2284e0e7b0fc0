//! The GraphQL door: translates, then calls `app/`. Knows no rule and no store.

mod category;
mod connection;
mod entity;
mod input;
mod loader;
mod mutation;
mod product;
mod query;
mod user_error;

use async_graphql::{EmptySubscription, MergedObject, Schema};
use graphql_kit::Entities;

use crate::App;

/// Queries and entity references.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct QueryRoot(query::CatalogueQuery, entity::EntityQuery);

/// The subgraph's schema.
pub type ProductSchema = Schema<Entities<QueryRoot>, mutation::Mutation, EmptySubscription>;

/// The schema that answers for `app`.
pub fn schema(app: &App) -> ProductSchema {
    unbound()
        .data(app.clone())
        .data(loader::per_request(app))
        .finish()
}

/// The printed schema; needs no stores.
pub fn sdl() -> String {
    graphql_kit::sdl(&unbound().finish())
}

fn unbound() -> async_graphql::SchemaBuilder<Entities<QueryRoot>, mutation::Mutation, EmptySubscription> {
    graphql_kit::builder(QueryRoot::default(), mutation::Mutation, EmptySubscription)
        .register_output_type::<user_error::UserError>()
}
