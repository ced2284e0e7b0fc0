//! Keeps what an event says and adds it to the sums, in the transaction of its inbox row. A repeat, even under another
//! event's id, is known by its order, kind and version.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use contracts::OrderId;
use event_bus::{HandleError, Message};
use sqlx::PgConnection;

use crate::domain::buyer::{self, Customers, Days};
use crate::domain::{Fact, Sums, What};
use crate::store;

/// Keeps and counts an event; one of no interest changes nothing.
pub(crate) async fn hear(tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
    let data = &message.body["data"];
    let (kind, version) = (message.kind.as_str(), message.aggregate_version);
    let fact = Fact::read(kind, version, message.time, data)
        .map_err(|error| HandleError::Dead(format!("{kind} has data of another shape: {error}")))?;
    let Some(fact) = fact else { return Ok(()) };
    if !store::locks::write(tx).await? {
        return Err(HandleError::Park("the sums are being made again".to_owned()));
    }
    let news = store::facts::keep(tx, message.id, kind, &fact, message.time, data).await?;
    if news && fact.what != What::Step {
        count(tx, &[fact]).await?;
    }
    Ok(())
}

/// Adds facts to what is known of their orders, and what that changes to the sums.
pub(super) async fn count(tx: &mut PgConnection, facts: &[Fact]) -> Result<(), sqlx::Error> {
    let mut by_order: BTreeMap<OrderId, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what != What::Step) {
        by_order.entry(fact.order).or_default().push(fact);
    }
    let ids: Vec<OrderId> = by_order.keys().copied().collect();
    let mut known = store::orders::load(tx, &ids).await?;
    let (mut change, mut orders) = (Sums::default(), Vec::with_capacity(ids.len()));
    for (id, facts) in by_order {
        let mut order = known.remove(&id).unwrap_or_default();
        change.add(&order.fold(facts), 1);
        orders.push((id, order));
    }
    store::orders::save(tx, &orders).await?;
    store::sums::add(tx, &change).await?;
    count_customers(tx, &change).await
}

/// Sees who of the buyers is new and who comes back, now.
async fn count_customers(tx: &mut PgConnection, change: &Sums) -> Result<(), sqlx::Error> {
    if change.buyers.is_empty() {
        return Ok(());
    }
    let mut by_user: BTreeMap<_, Days> = BTreeMap::new();
    for ((user, day), orders) in &change.buyers {
        by_user.entry(*user).or_default().insert(*day, *orders);
    }
    let users: Vec<_> = by_user.keys().copied().collect();
    let known = store::sums::days_of(tx, &users).await?;
    let mut customers: BTreeMap<NaiveDate, Customers> = BTreeMap::new();
    let nothing = Days::new();
    for (user, days) in &by_user {
        let before = known.get(user).unwrap_or(&nothing);
        for (day, change) in buyer::change(before, days) {
            customers.entry(day).or_default().add(change, 1);
        }
    }
    store::sums::add_days(tx, &change.buyers).await?;
    store::sums::add_customers(tx, &customers).await
}
