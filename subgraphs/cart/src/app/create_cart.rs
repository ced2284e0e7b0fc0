//! Makes a cart.

use contracts::{CartId, CartLineId, Currency, UserId};
use serde::Serialize;
use uuid::Uuid;

use super::once::Once;
use super::price_cart::{look, prices};
use super::{Error, Outcome, Priced, read_cart};
use crate::App;
use crate::domain::cart::MAX_LINES;
use crate::domain::{Cart, Reason, Refusal, Wanted};
use crate::store::{Commit, Committed, Pointer};

/// The cart to make.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewCart {
    pub(crate) currency: Currency,
    pub(crate) lines: Vec<Wanted>,
}

/// Makes a cart, once per key. A user's new cart becomes their active one.
pub(crate) async fn create_cart(
    app: &App,
    owner: Option<UserId>,
    key: &str,
    asked: NewCart,
) -> Result<Outcome<Priced>, Error> {
    let once = Once::create(owner, key, &asked)?;
    if let Some(text) = app.store.outcome(&once.key).await? {
        return replayed(app, &once, &text).await;
    }
    if asked.lines.len() > MAX_LINES {
        return Ok(Err(vec![Refusal::at(Reason::TooManyLines, &["lines"])]));
    }
    let empty = Cart::empty(random_id(), owner, asked.currency, app.expiry(owner));
    let prices = prices(app, &empty, asked.lines.iter().map(|piece| piece.variant_id)).await?;
    let made = empty.add(&asked.lines, &prices, CartLineId::generate);
    let outcome = once.record(made.as_ref().map(|cart| cart.id).map_err(Clone::clone))?;
    let commit = Commit {
        cart: made.as_ref().ok(),
        ttl: app.lifetime(owner),
        pointer: Pointer::Set,
        once: Some((&once.key, &outcome)),
        removes: None,
        begun: made.as_ref().ok().and_then(|cart| app.begun(None, cart)),
    };
    match app.store.commit(commit).await? {
        Committed::Seen(text) => replayed(app, &once, &text).await,
        Committed::Conflict => Err(Error::Busy),
        Committed::Done => Ok(made.map(|cart| {
            let quotes = look(&[], &cart, Some(&prices));
            Priced { cart, quotes }
        })),
    }
}

async fn replayed(app: &App, once: &Once, text: &str) -> Result<Outcome<Priced>, Error> {
    match once.replay(text)? {
        Ok(id) => read_cart::shown(app, id).await,
        Err(refusals) => Ok(Err(refusals)),
    }
}

/// An id that nobody can guess: knowing it is what lets a guest in, so it holds no time.
pub(super) fn random_id() -> CartId {
    #[expect(
        clippy::disallowed_methods,
        reason = "cart ids are random, not time-ordered, and made only here"
    )]
    CartId::from_uuid(Uuid::new_v4())
}
