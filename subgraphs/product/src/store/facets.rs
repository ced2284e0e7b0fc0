//! How many products a filter finds, and how they spread over brands and categories.

use contracts::CategoryId;
use sqlx::PgPool;
use uuid::Uuid;

use super::listing::Bound;
use super::{During, StoreError};
use crate::domain::{Facet, FacetValue, Filter};

/// Most values of one facet; the most frequent come first.
const MOST: i64 = 50;

/// How many products a filter finds.
pub async fn count(pool: &PgPool, filter: &Filter) -> Result<i64, StoreError> {
    let filter = Bound::from(filter);
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!"
           FROM product p
           WHERE ($1::text[] IS NULL OR p.status = ANY($1))
             AND ($2::text IS NULL OR p.search @@ search_query($2))
             AND ($3::uuid IS NULL OR p.category_id = ANY (ARRAY(
                     SELECT c.id FROM category c WHERE c.path_ids @> ARRAY[$3])))
             AND ($4::text IS NULL OR p.brand = $4)
             AND ($5::bigint IS NULL OR p.price_from >= $5)
             AND ($6::bigint IS NULL OR p.price_from <= $6)"#,
        filter.statuses as _,
        filter.text,
        filter.category,
        filter.brand,
        filter.min,
        filter.max
    )
    .fetch_one(pool)
    .await
    .during("count products")
}

/// Brands and categories of what a filter finds. A facet leaves its own filter out, so that the other choices stay
/// visible. One statement.
pub async fn facets(pool: &PgPool, filter: &Filter) -> Result<Vec<Facet>, StoreError> {
    let filter = Bound::from(filter);
    let rows = sqlx::query!(
        r#"WITH hit AS MATERIALIZED (
               SELECT p.brand, p.category_id,
                      ($4::text IS NULL OR p.brand = $4) AS of_brand,
                      ($3::uuid IS NULL OR p.category_id = ANY (ARRAY(
                          SELECT c.id FROM category c WHERE c.path_ids @> ARRAY[$3]))) AS of_category
               FROM product p
               WHERE ($1::text[] IS NULL OR p.status = ANY($1))
                 AND ($2::text IS NULL OR p.search @@ search_query($2))
                 AND ($5::bigint IS NULL OR p.price_from >= $5)
                 AND ($6::bigint IS NULL OR p.price_from <= $6))
           (SELECT NULL::uuid AS "category_id?", brand AS "label!", count(*) AS "count!"
            FROM hit WHERE of_category AND brand IS NOT NULL
            GROUP BY brand ORDER BY count(*) DESC, brand LIMIT $7)
           UNION ALL
           (SELECT c.id, c.name, found.count
            FROM (SELECT category_id, count(*) AS count FROM hit WHERE of_brand
                  GROUP BY category_id ORDER BY count(*) DESC, category_id LIMIT $7) AS found
            JOIN category c ON c.id = found.category_id
            ORDER BY found.count DESC, c.name)"#,
        filter.statuses as _,
        filter.text,
        filter.category,
        filter.brand,
        filter.min,
        filter.max,
        MOST
    )
    .fetch_all(pool)
    .await
    .during("count facets")?;
    let (mut brands, mut categories) = (Vec::new(), Vec::new());
    for row in rows {
        let id: Option<Uuid> = row.category_id;
        match id {
            None => brands.push(FacetValue {
                value: row.label.clone(),
                label: row.label,
                count: row.count,
            }),
            Some(id) => categories.push(FacetValue {
                value: CategoryId::from_uuid(id).to_string(),
                label: row.label,
                count: row.count,
            }),
        }
    }
    Ok(vec![
        Facet {
            name: "brand".to_owned(),
            values: brands,
        },
        Facet {
            name: "category".to_owned(),
            values: categories,
        },
    ])
}
