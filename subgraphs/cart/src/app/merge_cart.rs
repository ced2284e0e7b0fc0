//! Puts what a guest chose into the cart of the user they signed in as.

use contracts::{CartId, UserId};

use super::create_cart::random_id;
use super::price_cart::{if_known, look, prices, quotes};
use super::{Error, Outcome, Priced, read_cart};
use crate::App;
use crate::domain::{Cart, Prices, Reason, Refusal};
use crate::store::{Commit, Committed, Pointer};

const TRIES: usize = 8;

/// Moves a guest cart's lines into the user's active cart, made if need be; the guest cart is gone then. A repeat finds
/// it gone and answers the active cart.
pub(crate) async fn merge_cart(app: &App, user: UserId, guest_id: CartId) -> Result<Outcome<Priced>, Error> {
    for _ in 0..TRIES {
        if let Some(outcome) = attempt(app, user, guest_id).await? {
            return Ok(outcome);
        }
    }
    Err(Error::Busy)
}

/// One try; `None` is a lost race.
async fn attempt(app: &App, user: UserId, guest_id: CartId) -> Result<Option<Outcome<Priced>>, Error> {
    let active = app
        .store
        .active_cart(user)
        .await?
        .filter(|cart| cart.owner == Some(user));
    let guest = match app.store.cart(guest_id).await? {
        Some(cart) if cart.owner.is_none() => cart,
        Some(own) if own.owner == Some(user) => return Ok(Some(Ok(shown(app, own).await))),
        Some(theirs) => {
            read_cart::is_open(&theirs, Some(user));
            return Ok(Some(Err(not_found())));
        }
        None => {
            return Ok(Some(match active {
                Some(cart) => Ok(shown(app, cart).await),
                None => Err(not_found()),
            }));
        }
    };
    let own = base(app, user, active, &guest);
    let prices = if_known(prices(app, &own, guest.lines.iter().map(|line| line.variant_id)).await);
    let none = Prices::default();
    let mut after = match own
        .clone()
        .take_over(guest.clone(), prices.as_ref().unwrap_or(&none))
    {
        Ok(after) => after,
        Err(refusals) => return Ok(Some(Err(refusals))),
    };
    after.expires_at = app.expiry(Some(user));
    let commit = Commit {
        cart: Some(&after),
        ttl: app.lifetime(Some(user)),
        pointer: Pointer::Set,
        once: None,
        removes: Some((guest.id, guest.version)),
        // The guest's counted when it was begun.
        begun: None,
    };
    if app.store.commit(commit).await? == Committed::Conflict {
        return Ok(None);
    }
    let quotes = look(&[&own, &guest], &after, prices.as_ref());
    Ok(Some(Ok(Priced { cart: after, quotes })))
}

/// The cart that takes the lines: the active one, unless it is empty and of another currency.
fn base(app: &App, user: UserId, active: Option<Cart>, guest: &Cart) -> Cart {
    active
        .filter(|cart| cart.currency == guest.currency || !cart.lines.is_empty())
        .unwrap_or_else(|| Cart::empty(random_id(), Some(user), guest.currency, app.expiry(Some(user))))
}

async fn shown(app: &App, cart: Cart) -> Priced {
    let quotes = quotes(app, &cart).await;
    Priced { cart, quotes }
}

fn not_found() -> Vec<Refusal> {
    vec![Refusal::at(Reason::CartNotFound, &["guestCartId"])]
}
