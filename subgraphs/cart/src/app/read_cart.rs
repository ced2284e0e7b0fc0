//! Reads carts for those who may see them.

use contracts::{CartId, UserId};
use service_kit::refusal::{Door, refused};

use super::{Error, Outcome, Priced, price_cart};
use crate::App;
use crate::domain::{Cart, Reason, Refusal};

/// Who asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reader {
    pub(crate) user: Option<UserId>,
    /// Staff may look into every cart.
    pub(crate) staff: bool,
}

impl Reader {
    /// Whether a cart may be shown.
    pub(crate) fn may_see(&self, cart: &Cart) -> bool {
        self.staff || is_open(cart, self.user)
    }
}

/// Whether a cart is open to a user; one that is not is noted.
pub(super) fn is_open(cart: &Cart, user: Option<UserId>) -> bool {
    let open = cart.is_open_to(user);
    if !open {
        let who = user.map_or_else(|| "anonymous".to_owned(), |user| user.to_string());
        refused(
            Door::Ownership,
            who,
            cart.id,
            "NOT_FOUND",
            "it is somebody else's",
        );
    }
    open
}

/// A cart, if there is one and the reader may see it.
pub(crate) async fn read_cart(app: &App, reader: Reader, id: CartId) -> Result<Option<Cart>, Error> {
    Ok(app.store.cart(id).await?.filter(|cart| reader.may_see(cart)))
}

/// A cart with its prices after an earlier change of it.
pub(super) async fn shown(app: &App, id: CartId) -> Result<Outcome<Priced>, Error> {
    let Some(cart) = app.store.cart(id).await? else {
        return Ok(Err(vec![Refusal::at(Reason::CartNotFound, &["cartId"])]));
    };
    let quotes = price_cart::quotes(app, &cart).await;
    Ok(Ok(Priced { cart, quotes }))
}
