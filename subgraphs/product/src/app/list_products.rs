//! List products: a page, how many there are, and how they spread.

use crate::App;
use crate::domain::{Facet, Filter, Listing, Position, ProductStatus};
use crate::store::listing::{Listed, PageError};
use crate::store::{StoreError, facets, listing};

/// Limits a filter to what the viewer may see: staff everything, everybody else what is for sale.
#[must_use]
pub fn as_seen_by(mut filter: Filter, staff: bool) -> Filter {
    if !staff {
        filter.statuses = vec![ProductStatus::Active];
    }
    filter
}

/// At most `limit` products after a position.
pub async fn page(
    app: &App,
    listing: &Listing,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Listed>, PageError> {
    listing::page(&app.pool, listing, after, limit).await
}

/// How many products there are on all pages.
pub async fn count(app: &App, filter: &Filter) -> Result<i64, StoreError> {
    facets::count(&app.pool, filter).await
}

/// How the products of all pages spread over brands and categories.
pub async fn facets(app: &App, filter: &Filter) -> Result<Vec<Facet>, StoreError> {
    facets::facets(&app.pool, filter).await
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
