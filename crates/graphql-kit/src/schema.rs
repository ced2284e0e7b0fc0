//! The start of every schema (federation, limits) and its printed form.

use std::sync::Arc;

use async_graphql::{
    EmptyMutation, Object, ObjectType, Request, Response, SDLExportOptions, Schema, SchemaBuilder,
    SubscriptionType,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::entities::{Entities, Turns};
use crate::nulls::Types;

const MAX_DEPTH: usize = 15;
const MAX_COMPLEXITY: usize = 2000;
const MAX_RECURSION: usize = 32;
const MAX_DIRECTIVES_PER_FIELD: usize = 4;

/// A schema builder with federation v2.5, subscriptions in the SDL, entities that fail one by one, and the house's
/// limits set.
///
/// Add the app with `.data(app)`, [`crate::Batcher`]s with `.data(PerRequest::new(..))`, and the interface with
/// `.register_output_type::<UserError>()`.
pub fn builder<Q, M, S>(query: Q, mutation: M, subscription: S) -> SchemaBuilder<Entities<Q>, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    Schema::build(Entities(query), mutation, subscription)
        .enable_federation()
        .enable_subscription_in_federation()
        .disable_suggestions()
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .limit_recursive_depth(MAX_RECURSION)
        .limit_directives(MAX_DIRECTIVES_PER_FIELD)
}

/// The schema of a public WebSocket: a service's subscriptions, nothing else.
pub type LiveSchema<S> = Schema<Entities<Nothing>, EmptyMutation, S>;

/// A builder of that schema.
pub fn live_builder<S>(subscription: S) -> SchemaBuilder<Entities<Nothing>, EmptyMutation, S>
where
    S: SubscriptionType + 'static,
{
    builder(Nothing, EmptyMutation, subscription)
}

/// A query root with nothing but the one field that a root must have.
pub struct Nothing;

/// A query root without anything to query.
#[Object]
impl Nothing {
    /// Queries go to `/graphql`.
    async fn queries(&self) -> &'static str {
        "/graphql"
    }
}

/// The subgraph's SDL as it is committed: sorted, with federation directives and subscriptions.
pub fn sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .federation()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .use_space_ident();
    let mut text = schema.sdl_with_options(options);
    // Built-in directives: composition knows them, and their definitions only make noise.
    for name in ["@deprecated", "@include", "@skip", "@specifiedBy", "@oneOf"] {
        text = without_directive(&text, name);
    }
    format!("{}\n", text.trim_end())
}

fn without_directive(sdl: &str, name: &str) -> String {
    let head = format!("directive {name}");
    let Some(at) = sdl.find(&head) else {
        return sdl.to_owned();
    };
    // Its description stands before it, in triple quotes.
    let before = sdl[..at].trim_end();
    let start = match before.strip_suffix("\"\"\"") {
        Some(opened) => opened.rfind("\"\"\"").unwrap_or(at),
        None => at,
    };
    let end = sdl[at..].find('\n').map_or(sdl.len(), |line| at + line + 1);
    format!("{}{}", &sdl[..start], &sdl[end..])
}

type Prepare = dyn Fn(Request) -> Request + Send + Sync;

/// What each operation gets fresh: its [`crate::Batcher`]s, so that nothing is cached across requests.
///
/// ```
/// use async_graphql::Request;
/// use graphql_kit::Batcher;
/// # struct Products; impl async_graphql::dataloader::Loader<i32> for Products {
/// #   type Value = i32; type Error = std::sync::Arc<std::io::Error>;
/// #   async fn load(&self, keys: &[i32]) -> Result<std::collections::HashMap<i32, i32>, Self::Error> { Ok(keys.iter().map(|k| (*k, *k)).collect()) } }
/// let per_request = graphql_kit::PerRequest::new(|request: Request| {
///     request.data(Batcher::new(Products))
/// });
/// // graphql_kit::builder(Query, Mutation, Subscription).data(per_request)
/// ```
///
/// The endpoints call it for each operation (and once for each subscription). Tests that call `schema.execute`
/// themselves use [`PerRequest::prepare`].
#[derive(Clone)]
pub struct PerRequest(Arc<Prepare>);

impl PerRequest {
    /// Wraps a function that adds data to a request.
    pub fn new(prepare: impl Fn(Request) -> Request + Send + Sync + 'static) -> Self {
        Self(Arc::new(prepare))
    }

    /// Adds the data to a request.
    pub fn prepare(&self, request: Request) -> Request {
        (self.0)(request)
    }
}

/// A schema of any roots, so that the endpoints are compiled once.
pub(crate) trait Engine: Send + Sync + 'static {
    /// Runs a query or mutation.
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;
    /// Runs a subscription.
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
    /// The types of the schema's fields.
    fn types(&self) -> Types;
}

impl<Q, M, S> Engine for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let request = prepared(self, request);
        let schema = self.clone();
        Box::pin(async move { schema.execute(request).await })
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(prepared(self, request))
    }

    fn types(&self) -> Types {
        Types::of_sdl(&self.sdl())
    }
}

fn prepared<Q, M, S>(schema: &Schema<Q, M, S>, request: Request) -> Request
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let request = request.data(Turns::default());
    match schema.data::<PerRequest>() {
        Some(per_request) => per_request.prepare(request),
        None => request,
    }
}
