//! List products: a page, how many there are, and how they spread.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::domain::{Facet, Filter, LONGEST_CORRECTED, Listing, Position, ProductStatus, corrected};
use crate::store::cache::Kind;
use crate::store::listing::{Listed, PageError};
use crate::store::{StoreError, facets, listing, words};

/// Limits a filter to what the viewer may see: staff everything, everybody else what is for sale.
#[must_use]
pub fn as_seen_by(mut filter: Filter, staff: bool) -> Filter {
    if !staff {
        filter.statuses = vec![ProductStatus::Active];
    }
    filter
}

/// Products of a list, and what was searched for to find them.
#[derive(Debug)]
pub struct Found {
    /// The products.
    pub rows: Vec<Listed>,
    /// What they, their count and their facets are filtered by.
    pub filter: Filter,
    /// The text of that filter, where it is not the one that was asked for.
    pub corrected: Option<String>,
}

/// At most `limit` products after a position. A text that finds nothing is searched for with its unknown words
/// corrected; the pages after the first go on with what the first was about.
pub async fn page(
    app: &App,
    listing: Listing,
    after: Option<&Position>,
    limit: i64,
) -> Result<Found, PageError> {
    if let Some(text) = after.and_then(|position| position.corrected.as_deref()) {
        let listing = Some(text)
            .filter(|text| text.len() <= LONGEST_CORRECTED)
            .and_then(|text| listing.about(text))
            .ok_or(PageError::Position)?;
        return corrected_page(app, listing, after, limit).await;
    }
    let rows = listing::page(&app.pool, &listing, after, limit).await?;
    if rows.is_empty()
        && after.is_none()
        && let Some(other) = correction(app, &listing).await?
    {
        let found = corrected_page(app, other, None, limit).await?;
        if !found.rows.is_empty() {
            return Ok(found);
        }
    }
    Ok(Found {
        rows,
        filter: listing.filter,
        corrected: None,
    })
}

async fn corrected_page(
    app: &App,
    listing: Listing,
    after: Option<&Position>,
    limit: i64,
) -> Result<Found, PageError> {
    let mut rows = listing::page(&app.pool, &listing, after, limit).await?;
    let corrected = listing.filter.text.clone();
    for row in &mut rows {
        row.position.corrected.clone_from(&corrected);
    }
    Ok(Found {
        rows,
        filter: listing.filter,
        corrected,
    })
}

/// The same list about what its text most likely meant.
async fn correction(app: &App, listing: &Listing) -> Result<Option<Listing>, StoreError> {
    let text = listing.filter.text.as_deref();
    let Some(text) = text.filter(|text| text.len() <= LONGEST_CORRECTED) else {
        return Ok(None);
    };
    let meant = corrected(&words::asked(&app.pool, text).await?);
    Ok(meant
        .filter(|meant| meant.len() <= LONGEST_CORRECTED)
        .and_then(|meant| listing.about(&meant)))
}

/// How many products there are on all pages.
pub async fn count(app: &App, filter: &Filter) -> Result<i64, StoreError> {
    counted(app, Kind::Count, filter, || facets::count(&app.pool, filter)).await
}

/// How the products of all pages spread over brands and categories.
pub async fn facets(app: &App, filter: &Filter) -> Result<Vec<Facet>, StoreError> {
    counted(app, Kind::Facets, filter, || facets::facets(&app.pool, filter)).await
}

/// A copy of what was counted since the last write, or `count` and a copy of it.
async fn counted<V, F>(
    app: &App,
    kind: Kind,
    filter: &Filter,
    count: impl FnOnce() -> F,
) -> Result<V, StoreError>
where
    V: Serialize + DeserializeOwned,
    F: Future<Output = Result<V, StoreError>>,
{
    // Read before the database is: what is counted now is at least as new.
    let key = app
        .cache
        .generation()
        .await
        .map(|generation| format!("{generation}:{}", filter.digest()));
    let Some(key) = key else {
        return count().await;
    };
    let mut copies = app.cache.get_many(kind, std::slice::from_ref(&key)).await;
    if let Some(copy) = copies.pop().flatten() {
        return Ok(copy);
    }
    let fresh = count().await?;
    app.cache.put_many(kind, &[(key, &fresh)]).await;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_staff_choose_the_status() {
        let drafts = Filter {
            statuses: vec![ProductStatus::Draft],
            ..Filter::default()
        };
        assert_eq!(as_seen_by(drafts.clone(), true), drafts);
        assert_eq!(as_seen_by(drafts, false).statuses, [ProductStatus::Active]);
    }
}
