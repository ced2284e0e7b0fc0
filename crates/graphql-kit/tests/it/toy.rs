//! A small subgraph with one of everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Context, Enum, ID, Object, Schema, SimpleObject, Subscription};
use contracts::{Currency, Money, UserId};
use futures::stream::{self, Stream, StreamExt};
use graphql_kit::{
    ApiError, Entities, MoneyInput, MoneyObject, PageInfoObject, Result, page, parse_id, require_user,
};
use tokio::sync::Notify;

pub(crate) const KEY: &str = "toy-gateway-key-0001";

/// What tests see of the toy from outside.
#[derive(Default)]
pub(crate) struct Probe {
    pub(crate) mutations_done: AtomicUsize,
    pub(crate) mutation_may_end: Notify,
}

/// Why a toy is not bought.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToyErrorCode {
    /// None is left.
    SoldOut,
}

graphql_kit::user_error! {
    /// A business reason why a toy was not bought.
    pub(crate) struct ToyUserError(ToyErrorCode);
}

/// A toy.
#[derive(SimpleObject)]
pub(crate) struct Toy {
    /// Its id.
    id: ID,
    /// What it costs.
    price: MoneyObject,
}

/// A thing that is partly broken.
pub(crate) struct Broken;

/// A thing that is partly broken.
#[Object]
impl Broken {
    /// Works.
    async fn id(&self) -> i32 {
        1
    }

    /// Fails, and may be null.
    async fn may(&self) -> Result<Option<i32>> {
        Err(ApiError::unavailable("It"))
    }

    /// Fails, and may not be null.
    async fn must(&self) -> Result<i32> {
        Err(ApiError::unavailable("It"))
    }
}

/// A page of toys.
#[derive(SimpleObject)]
pub(crate) struct ToyConnection {
    /// The toys.
    nodes: Vec<Toy>,
    /// Where the page stands.
    page_info: PageInfoObject,
}

/// The outcome of buying.
#[derive(SimpleObject)]
pub(crate) struct BuyPayload {
    /// The toy, when it was bought.
    toy: Option<Toy>,
    /// Why not.
    user_errors: Vec<ToyUserError>,
}

fn toy(id: &ID) -> Toy {
    Toy {
        id: id.clone(),
        price: Money::new(1999, Currency::USD).into(),
    }
}

pub(crate) struct Query;

/// Questions about toys.
#[Object]
impl Query {
    /// Who asks.
    async fn me(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(require_user(ctx)?.id.to_string())
    }

    /// Toys, page by page.
    async fn toys(
        &self,
        #[graphql(desc = "How many, 1..=100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor to go on after.")] after: Option<String>,
    ) -> Result<ToyConnection> {
        let args = page::parse::<u32>("toys", first, after)?;
        let start = args.after.map_or(0, |last| last + 1);
        let rows = (start..=start + args.first).filter(|n| *n < 5).collect();
        let page = page::Page::from_rows("toys", rows, args.first, args.after.is_some(), |n| *n);
        Ok(ToyConnection {
            page_info: page.page_info(),
            nodes: page.items.iter().map(|(_, n)| toy(&ID::from(n))).collect(),
        })
    }

    /// Reads a user id.
    async fn user_id(&self, #[graphql(desc = "The id.")] id: ID) -> Result<String> {
        parse_id::<UserId>(&id, "id").map(|id| id.to_string())
    }

    /// A thing that is partly broken.
    async fn partly(&self) -> Option<Broken> {
        Some(Broken)
    }

    /// Fails with a secret inside.
    async fn broken(&self) -> Result<Option<String>> {
        Err(ApiError::internal("canary in postgres://user:pw@10.0.0.1"))
    }

    /// Fails without a code.
    async fn careless(&self) -> async_graphql::Result<Option<String>> {
        Err(std::io::Error::other("canary on the file system").into())
    }

    /// A toy by reference.
    #[graphql(entity)]
    async fn toy_by_id(&self, #[graphql(desc = "The id.")] id: ID) -> Option<Toy> {
        (id != "gone").then(|| toy(&id))
    }

    /// The broken thing by reference; there is only one, and the second can't be looked for.
    #[graphql(entity)]
    async fn broken_by_id(&self, #[graphql(desc = "The id.")] id: i32) -> Result<Option<Broken>> {
        match id {
            2 => Err(ApiError::unavailable("It")),
            id => Ok((id == 1).then_some(Broken)),
        }
    }
}

pub(crate) struct Mutation;

/// Changes to toys.
#[Object]
impl Mutation {
    /// Buys a toy, once the test lets it.
    async fn buy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The most to pay.")] price: MoneyInput,
    ) -> Result<BuyPayload> {
        let probe = ctx.data_unchecked::<Arc<Probe>>();
        price.to_money().map_err(|error| error.at(&["price", "amount"]))?;
        probe.mutation_may_end.notified().await;
        probe.mutations_done.fetch_add(1, Ordering::SeqCst);
        let sold_out = ToyUserError::new(ToyErrorCode::SoldOut, "None is left").at(&["price"]);
        Ok(BuyPayload {
            toy: None,
            user_errors: vec![sold_out],
        })
    }
}

pub(crate) struct Subscription_;

/// News of toys.
#[Subscription(name = "Subscription")]
impl Subscription_ {
    /// Counts to `to`, then ends.
    async fn count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last number.")] to: i32,
    ) -> Result<impl Stream<Item = i32> + use<>> {
        require_user(ctx)?;
        Ok(stream::iter(1..=to))
    }

    /// Never ends.
    async fn forever(&self) -> impl Stream<Item = i32> + use<> {
        stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((n, n + 1))
        })
        .boxed()
    }

    /// A thing that is partly broken.
    async fn partly(&self) -> impl Stream<Item = Option<Broken>> + use<> {
        stream::iter([Some(Broken)])
    }

    /// Refuses.
    async fn refused(&self) -> Result<impl Stream<Item = i32> + use<>> {
        Err::<stream::Empty<i32>, _>(ApiError::forbidden())
    }
}

pub(crate) type ToySchema = Schema<Entities<Query>, Mutation, Subscription_>;

pub(crate) fn schema(probe: &Arc<Probe>) -> ToySchema {
    graphql_kit::builder(Query, Mutation, Subscription_)
        .register_output_type::<UserError>()
        .data(Arc::clone(probe))
        .finish()
}
