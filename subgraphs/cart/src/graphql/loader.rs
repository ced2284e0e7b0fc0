//! Carts of many ids or users in one pipeline.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use contracts::{CartId, UserId};

use crate::app::Error;
use crate::domain::Cart;
use crate::store::Store;

/// Loads carts; lives as long as one request. Does not ask who may see them.
pub(crate) struct CartLoader {
    store: Store,
}

impl CartLoader {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Loader<CartId> for CartLoader {
    type Value = Cart;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[CartId]) -> Result<HashMap<CartId, Cart>, Arc<Error>> {
        let carts = self
            .store
            .carts(ids)
            .await
            .map_err(|fault| Arc::new(fault.into()))?;
        Ok(found(ids, carts))
    }
}

impl Loader<UserId> for CartLoader {
    type Value = Cart;
    type Error = Arc<Error>;

    async fn load(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, Arc<Error>> {
        let carts = self
            .store
            .active_carts(users)
            .await
            .map_err(|fault| Arc::new(fault.into()))?;
        Ok(found(users, carts))
    }
}

fn found<K: Copy + Eq + Hash>(keys: &[K], carts: Vec<Option<Cart>>) -> HashMap<K, Cart> {
    let pairs = keys.iter().copied().zip(carts);
    pairs
        .filter_map(|(key, cart)| cart.map(|cart| (key, cart)))
        .collect()
}
