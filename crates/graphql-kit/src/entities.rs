//! `_entities` as the federation specification wants it: each representation stands for itself.
//!
//! async-graphql 7 answers one representation that fails by failing all of them, and leaves the place in the list out
//! of the paths of errors, without which a router can't tell whose field is missing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{
    Context, ContextSelectionSet, ObjectType, OutputType, Pos, Positioned, ServerError, ServerResult, Value,
};

/// A query root whose entities fail one by one. [`crate::builder`] puts it around every query root.
pub struct Entities<Q>(pub(crate) Q);

/// How many representations of each `_entities` field were begun: they are, in their order, and the executor does not
/// tell their places.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Pos, usize>>);

impl Turns {
    fn next(&self, field: Pos) -> usize {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(field).or_default();
        *turn += 1;
        *turn - 1
    }
}

impl<Q: ObjectType> ContainerType for Entities<Q> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.0.resolve_field(ctx).await
    }

    async fn find_entity(&self, ctx: &Context<'_>, representation: &Value) -> ServerResult<Option<Value>> {
        let Some(turns) = ctx.data_opt::<Turns>() else {
            // Not by way of an endpoint: the error still fails this one alone, without its place.
            return Ok(Some(self.one(ctx, representation).await));
        };
        let ctx = ctx.with_index(turns.next(ctx.item.pos));
        Ok(Some(self.one(&ctx, representation).await))
    }
}

impl<Q: ObjectType> Entities<Q> {
    /// What stands in the list for one representation: null, with one error, if it fails.
    async fn one(&self, ctx: &Context<'_>, representation: &Value) -> Value {
        let found = self.0.find_entity(ctx, representation).await;
        let error = match found {
            Ok(Some(value)) => return value,
            Ok(None) => ServerError::new("Entity not found.", Some(ctx.item.pos)),
            Err(error) => error,
        };
        ctx.add_error(ctx.set_error_path(error));
        Value::Null
    }
}

impl<Q: ObjectType> OutputType for Entities<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Q::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<Q: ObjectType> ObjectType for Entities<Q> {}
