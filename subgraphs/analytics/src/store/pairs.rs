//! Which products were paid for together.

use std::collections::HashMap;

use contracts::ProductId;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::domain::pairs::{BoughtWith, MIN_TOGETHER};

/// For each of these products those bought with it, the strongest first, at most `first`; products without any are left
/// out.
pub(crate) async fn bought_with(
    db: impl PgExecutor<'_>,
    products: &[ProductId],
    first: i64,
) -> Result<HashMap<ProductId, Vec<BoughtWith>>, sqlx::Error> {
    let ids: Vec<Uuid> = products.iter().map(|product| product.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT asked.id AS "asked!", best.other AS "other!", best.together AS "together!", best.lift AS "lift!"
           FROM unnest($1::uuid[]) AS asked (id)
           JOIN product_orders AS own ON own.product_id = asked.id
           CROSS JOIN basket_total AS total
           CROSS JOIN LATERAL (
               SELECT pairs.other, pairs.together,
                      (pairs.together::float8 * total.orders) / (own.orders::float8 * theirs.orders) AS lift
               FROM (
                   SELECT product_b AS other, orders AS together FROM pair
                   WHERE product_a = asked.id AND orders >= $2
                   UNION ALL
                   SELECT product_a, orders FROM pair WHERE product_b = asked.id AND orders >= $2
               ) AS pairs
               JOIN product_orders AS theirs ON theirs.product_id = pairs.other
               ORDER BY lift DESC, together DESC, other LIMIT $3
           ) AS best
           ORDER BY asked.id, best.lift DESC, best.together DESC, best.other"#,
        &ids,
        MIN_TOGETHER,
        first
    )
    .fetch_all(db)
    .await?;
    let mut found: HashMap<ProductId, Vec<BoughtWith>> = HashMap::new();
    for row in rows {
        let with = BoughtWith {
            product: ProductId::from_uuid(row.other),
            together: row.together,
            lift: row.lift,
        };
        found
            .entry(ProductId::from_uuid(row.asked))
            .or_default()
            .push(with);
    }
    Ok(found)
}
