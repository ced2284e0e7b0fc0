//! Changes a cart: reads it, decides, and writes it back if nobody else did meanwhile, else begins again.

use contracts::{CartId, CartLineId, UserId};

use super::once::Once;
use super::price_cart::{if_known, look, prices};
use super::{Error, Outcome, Priced, read_cart};
use crate::App;
use crate::domain::cart::MAX_LINES;
use crate::domain::{Cart, Change, Prices, Reason, Refusal};
use crate::store::{Commit, Committed, Pointer};

/// Lost races after which a shopper is asked to try again.
const TRIES: usize = 16;

/// A change that a shopper asks for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) cart_id: CartId,
    pub(crate) viewer: Option<UserId>,
    pub(crate) change: Change,
    /// The version the shopper saw; the change is refused when it is another by now.
    pub(crate) expected_version: Option<i32>,
    /// With one, the change happens once and a repeat has the same outcome.
    pub(crate) idempotency_key: Option<String>,
}

/// Carries out a change.
pub(crate) async fn change_cart(app: &App, asked: Request) -> Result<Outcome<Priced>, Error> {
    if let Change::Add(wanted) = &asked.change
        && wanted.len() > MAX_LINES
    {
        return Ok(Err(vec![Refusal::at(Reason::TooManyLines, &["lines"])]));
    }
    let once = match &asked.idempotency_key {
        Some(key) => Some(Once::change(
            asked.cart_id,
            key,
            &(&asked.change, asked.expected_version),
        )?),
        None => None,
    };
    for _ in 0..TRIES {
        if let Some(outcome) = attempt(app, &asked, once.as_ref()).await? {
            return Ok(outcome);
        }
    }
    Err(Error::Busy)
}

/// One try; `None` is a lost race.
async fn attempt(app: &App, asked: &Request, once: Option<&Once>) -> Result<Option<Outcome<Priced>>, Error> {
    let found = app.store.cart(asked.cart_id).await?;
    let Some(before) = found.filter(|cart| read_cart::is_open(cart, asked.viewer)) else {
        return Ok(Some(Err(vec![Refusal::at(Reason::CartNotFound, &["cartId"])])));
    };
    if let Some(once) = once
        && let Some(text) = app.store.outcome(&once.key).await?
    {
        return replayed(app, asked.cart_id, once, &text).await.map(Some);
    }
    let prices = known_prices(app, &before, &asked.change).await?;
    let after = decide(app, &before, asked, prices.as_ref());
    let record = match once {
        Some(once) => Some((
            &once.key,
            once.record(after.as_ref().map(|cart| cart.id).map_err(Clone::clone))?,
        )),
        None => None,
    };
    let commit = Commit {
        cart: after.as_ref().ok(),
        ttl: app.lifetime(before.owner),
        pointer: Pointer::Keep,
        once: record.as_ref().map(|(key, text)| (*key, text.as_str())),
        removes: None,
        begun: after
            .as_ref()
            .ok()
            .and_then(|cart| app.begun(Some(&before), cart)),
    };
    match (app.store.commit(commit).await?, once) {
        (Committed::Conflict, _) => Ok(None),
        (Committed::Seen(text), Some(once)) => replayed(app, asked.cart_id, once, &text).await.map(Some),
        (Committed::Seen(_) | Committed::Done, _) => Ok(Some(after.map(|cart| {
            let quotes = look(&[&before], &cart, prices.as_ref());
            Priced { cart, quotes }
        }))),
    }
}

fn decide(app: &App, before: &Cart, asked: &Request, prices: Option<&Prices>) -> Outcome<Cart> {
    if asked
        .expected_version
        .is_some_and(|version| version != before.version)
    {
        return Err(vec![Refusal::at(Reason::VersionConflict, &["expectedVersion"])]);
    }
    let none = Prices::default();
    let mut after = before
        .clone()
        .apply(&asked.change, prices.unwrap_or(&none), CartLineId::generate)?;
    after.expires_at = app.expiry(after.owner);
    Ok(after)
}

async fn known_prices(app: &App, cart: &Cart, change: &Change) -> Result<Option<Prices>, Error> {
    if *change == Change::Clear {
        return Ok(None);
    }
    let asked = prices(app, cart, change.variants()).await;
    if change.needs_prices() {
        asked.map(Some)
    } else {
        Ok(if_known(asked))
    }
}

async fn replayed(app: &App, cart_id: CartId, once: &Once, text: &str) -> Result<Outcome<Priced>, Error> {
    match once.replay(text)? {
        Ok(_) => read_cart::shown(app, cart_id).await,
        Err(refusals) => Ok(Err(refusals)),
    }
}
