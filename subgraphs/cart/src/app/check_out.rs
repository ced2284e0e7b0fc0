//! What order needs of a cart: its lines, and that it is empty once they are ordered.

use contracts::CartId;
use contracts::cart::CartCheckedOut;

use super::Error;
use crate::App;
use crate::domain::Cart;
use crate::store::{Commit, Committed, Pointer};

const TRIES: usize = 8;

/// Empties a cart that still has the version that was ordered; a cart changed since is left alone. Answers the cart as
/// it is now, or `None` when there is none.
pub(crate) async fn check_out(
    app: &App,
    id: CartId,
    ordered: &CartCheckedOut,
) -> Result<Option<Cart>, Error> {
    for _ in 0..TRIES {
        let Some(cart) = app.store.cart(id).await? else {
            return Ok(None);
        };
        if cart.version != ordered.version || cart.lines.is_empty() {
            return Ok(Some(cart));
        }
        let owner = cart.owner;
        let mut emptied = cart.clear();
        emptied.expires_at = app.expiry(owner);
        let commit = Commit {
            cart: Some(&emptied),
            ttl: app.lifetime(owner),
            pointer: Pointer::Keep,
            once: None,
            removes: None,
            begun: None,
        };
        if app.store.commit(commit).await? != Committed::Conflict {
            tracing::debug!(cart_id = %id, order_id = %ordered.order_id, "emptied a cart that was ordered");
            return Ok(Some(emptied));
        }
    }
    Err(Error::Busy)
}
