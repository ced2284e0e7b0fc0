//! Pages of products by keyset: one statement of fixed shape per order, so that each order finds its index.

use chrono::{DateTime, Utc};
use contracts::{CategoryId, ProductId};
use sqlx::PgPool;
use uuid::Uuid;

use super::{During, StoreError, products};
use crate::domain::{Filter, Listing, Position, Product, Sort, SortKey};

/// A product and its place in the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The product.
    pub product: Product,
    /// Where a next page would go on.
    pub position: Position,
}

/// A page was not read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The place to go on from can't be one of this order.
    #[error("not a position of this order")]
    Position,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct ListedRow {
    id: Uuid,
    slug: String,
    title: String,
    description: String,
    brand: Option<String>,
    image_url: Option<String>,
    category_id: Uuid,
    status: String,
    version: i32,
    created_at: DateTime<Utc>,
    price_from: i64,
    title_key: String,
    rank: i64,
}

impl ListedRow {
    fn listed(self, sort: Sort) -> Result<Listed, sqlx::Error> {
        let key = match sort {
            Sort::Relevance => SortKey::Number(self.rank),
            Sort::Newest => SortKey::Number(self.created_at.timestamp_micros()),
            Sort::PriceAsc | Sort::PriceDesc => SortKey::Number(self.price_from),
            Sort::Title => SortKey::Text(self.title_key),
        };
        let product = Product {
            id: ProductId::from_uuid(self.id),
            slug: self.slug,
            title: self.title,
            description: self.description,
            brand: self.brand,
            image_url: self.image_url,
            category_id: CategoryId::from_uuid(self.category_id),
            status: products::status(&self.status)?,
            version: self.version,
            created_at: self.created_at,
        };
        let position = Position {
            key,
            id: product.id,
            corrected: None,
        };
        Ok(Listed { product, position })
    }
}

/// The filter as the statements take it.
pub(super) struct Bound {
    pub(super) statuses: Option<Vec<String>>,
    pub(super) text: Option<String>,
    pub(super) category: Option<Uuid>,
    pub(super) brand: Option<String>,
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

impl From<&Filter> for Bound {
    fn from(filter: &Filter) -> Self {
        Self {
            statuses: (!filter.statuses.is_empty()).then(|| filter.stored_statuses()),
            text: filter.text.clone(),
            category: filter.category_id.map(CategoryId::uuid),
            // No brand holds a NUL, and PostgreSQL takes none: it becomes a brand that nothing has.
            brand: filter.brand.as_ref().map(|brand| brand.replace('\0', "\u{1}")),
            min: filter.min_price,
            max: filter.max_price,
        }
    }
}

// The filter stands in each statement, the order decides `$8` (the key) and `$9` (the id) to go on after. Constants
// fold at planning time (see `plan_with_values`), so an absent filter costs nothing.
macro_rules! page {
    ($pool:expr, $filter:expr, $limit:expr, after $after:tt, order $order:tt, $key:expr, $id:expr) => {
        sqlx::query_as!(
            ListedRow,
            r#"SELECT p.id, p.slug, p.title, p.description, p.brand, p.image_url, p.category_id, p.status, p.version,
                      p.created_at, p.price_from, p.title_key, 0::bigint AS "rank!"
               FROM product p
               WHERE ($1::text[] IS NULL OR p.status = ANY($1))
                 AND ($2::text IS NULL OR p.search @@ search_query($2))
                 AND ($3::uuid IS NULL OR p.category_id = ANY (ARRAY(
                         SELECT c.id FROM category c WHERE c.path_ids @> ARRAY[$3])))
                 AND ($4::text IS NULL OR p.brand = $4)
                 AND ($5::bigint IS NULL OR p.price_from >= $5)
                 AND ($6::bigint IS NULL OR p.price_from <= $6)
                 AND "#
                + $after
                + " ORDER BY "
                + $order
                + " LIMIT $7",
            $filter.statuses as _,
            $filter.text,
            $filter.category,
            $filter.brand,
            $filter.min,
            $filter.max,
            $limit,
            $key,
            $id
        )
        .fetch_all($pool)
        .await
        .during("list products")
    };
}

/// At most `limit` products of a list after a position, in one statement.
pub async fn page(
    pool: &PgPool,
    listing: &Listing,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Listed>, PageError> {
    let filter = Bound::from(&listing.filter);
    let id = after.map(|position| position.id.uuid());
    let key = after.map(|position| &position.key);
    let rows = match listing.sort {
        Sort::Relevance => by_relevance(pool, filter, limit, number(key)?, id).await?,
        Sort::Newest => newest(pool, filter, limit, instant(key)?, id).await?,
        Sort::PriceAsc => price_asc(pool, filter, limit, number(key)?, id).await?,
        Sort::PriceDesc => price_desc(pool, filter, limit, number(key)?, id).await?,
        Sort::Title => by_title(pool, filter, limit, text(key)?, id).await?,
    };
    let listed: Result<Vec<Listed>, sqlx::Error> =
        rows.into_iter().map(|row| row.listed(listing.sort)).collect();
    Ok(listed.during("read listed products")?)
}

fn number(key: Option<&SortKey>) -> Result<Option<i64>, PageError> {
    match key {
        None => Ok(None),
        Some(SortKey::Number(number)) => Ok(Some(*number)),
        Some(SortKey::Text(_)) => Err(PageError::Position),
    }
}

fn instant(key: Option<&SortKey>) -> Result<Option<DateTime<Utc>>, PageError> {
    number(key)?
        .map(|micros| DateTime::from_timestamp_micros(micros).ok_or(PageError::Position))
        .transpose()
}

fn text(key: Option<&SortKey>) -> Result<Option<&str>, PageError> {
    match key {
        None => Ok(None),
        Some(SortKey::Text(text)) if !text.contains('\0') => Ok(Some(text)),
        Some(_) => Err(PageError::Position),
    }
}

async fn newest(
    pool: &PgPool,
    filter: Bound,
    limit: i64,
    key: Option<DateTime<Utc>>,
    id: Option<Uuid>,
) -> Result<Vec<ListedRow>, StoreError> {
    page!(
        pool, filter, limit,
        after "($9::uuid IS NULL OR (p.created_at, p.id) < ($8::timestamptz, $9))",
        order "p.created_at DESC, p.id DESC",
        key, id
    )
}

async fn price_asc(
    pool: &PgPool,
    filter: Bound,
    limit: i64,
    key: Option<i64>,
    id: Option<Uuid>,
) -> Result<Vec<ListedRow>, StoreError> {
    page!(
        pool, filter, limit,
        after "($9::uuid IS NULL OR (p.price_from, p.id) > ($8::bigint, $9))",
        order "p.price_from, p.id",
        key, id
    )
}

async fn price_desc(
    pool: &PgPool,
    filter: Bound,
    limit: i64,
    key: Option<i64>,
    id: Option<Uuid>,
) -> Result<Vec<ListedRow>, StoreError> {
    page!(
        pool, filter, limit,
        after "($9::uuid IS NULL OR (p.price_from, p.id) < ($8::bigint, $9))",
        order "p.price_from DESC, p.id DESC",
        key, id
    )
}

async fn by_title(
    pool: &PgPool,
    filter: Bound,
    limit: i64,
    key: Option<&str>,
    id: Option<Uuid>,
) -> Result<Vec<ListedRow>, StoreError> {
    page!(
        pool, filter, limit,
        after "($9::uuid IS NULL OR (p.title_key, p.id) > ($8::text, $9))",
        order "p.title_key, p.id",
        key, id
    )
}

/// Ranks every match once (a rank has no index) in millionths, sorts the narrow rows, and reads the wide ones of
/// the page only: page 500 costs what page 1 costs.
async fn by_relevance(
    pool: &PgPool,
    filter: Bound,
    limit: i64,
    key: Option<i64>,
    id: Option<Uuid>,
) -> Result<Vec<ListedRow>, StoreError> {
    sqlx::query_as!(
        ListedRow,
        r#"SELECT p.id, p.slug, p.title, p.description, p.brand, p.image_url, p.category_id, p.status, p.version,
                  p.created_at, p.price_from, p.title_key, hit.rank AS "rank!"
           FROM (SELECT ranked.id, ranked.rank
                 FROM (SELECT p.id, (ts_rank(p.search, search_query($2)) * 1000000)::bigint AS rank
                       FROM product p
                       WHERE ($1::text[] IS NULL OR p.status = ANY($1))
                         AND p.search @@ search_query($2)
                         AND ($3::uuid IS NULL OR p.category_id = ANY (ARRAY(
                                 SELECT c.id FROM category c WHERE c.path_ids @> ARRAY[$3])))
                         AND ($4::text IS NULL OR p.brand = $4)
                         AND ($5::bigint IS NULL OR p.price_from >= $5)
                         AND ($6::bigint IS NULL OR p.price_from <= $6)
                       OFFSET 0) AS ranked
                 WHERE ($9::uuid IS NULL OR (ranked.rank, ranked.id) < ($8::bigint, $9))
                 ORDER BY ranked.rank DESC, ranked.id DESC
                 LIMIT $7) AS hit
           JOIN product p ON p.id = hit.id
           ORDER BY hit.rank DESC, hit.id DESC"#,
        filter.statuses as _,
        filter.text,
        filter.category,
        filter.brand,
        filter.min,
        filter.max,
        limit,
        key,
        id
    )
    .fetch_all(pool)
    .await
    .during("search products")
}
