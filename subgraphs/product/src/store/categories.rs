//! Reads of categories, and the creation of those a path names.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::CategoryId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{During, StoreError};
use crate::domain::{Category, CategoryPath};

/// More than any shop shows; a bound, so that no catalogue can make one answer endless.
const MOST: i64 = 5_000;

struct CategoryRow {
    id: Uuid,
    slug: String,
    name: String,
    parent_id: Option<Uuid>,
}

impl From<CategoryRow> for Category {
    fn from(row: CategoryRow) -> Self {
        Self {
            id: CategoryId::from_uuid(row.id),
            slug: row.slug,
            name: row.name,
            parent_id: row.parent_id.map(CategoryId::from_uuid),
        }
    }
}

/// All categories, parents before their children.
pub async fn all(pool: &PgPool) -> Result<Vec<Category>, StoreError> {
    let rows = sqlx::query_as!(
        CategoryRow,
        "SELECT id, slug, name, parent_id FROM category ORDER BY string_to_array(slug, '--') LIMIT $1",
        MOST
    )
    .fetch_all(pool)
    .await
    .during("list categories")?;
    Ok(rows.into_iter().map(Category::from).collect())
}

/// The categories that exist among `ids`, in one statement.
pub async fn by_ids(pool: &PgPool, ids: &[CategoryId]) -> Result<HashMap<CategoryId, Category>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        CategoryRow,
        "SELECT id, slug, name, parent_id FROM category WHERE id = ANY($1)",
        &ids
    )
    .fetch_all(pool)
    .await
    .during("find categories")?;
    let categories = rows.into_iter().map(Category::from);
    Ok(categories.map(|category| (category.id, category)).collect())
}

/// The children of each of `parents` by slug, in one statement. Each parent asked about has an entry.
pub async fn children(
    pool: &PgPool,
    parents: &[CategoryId],
) -> Result<HashMap<CategoryId, Vec<Category>>, StoreError> {
    let ids: Vec<Uuid> = parents.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        CategoryRow,
        "SELECT id, slug, name, parent_id FROM category WHERE parent_id = ANY($1) ORDER BY slug LIMIT $2",
        &ids,
        MOST
    )
    .fetch_all(pool)
    .await
    .during("find child categories")?;
    let mut children: HashMap<CategoryId, Vec<Category>> =
        parents.iter().map(|id| (*id, Vec::new())).collect();
    for category in rows.into_iter().map(Category::from) {
        if let Some(parent) = category.parent_id {
            children.entry(parent).or_default().push(category);
        }
    }
    Ok(children)
}

/// Whether a category exists.
pub async fn exists_in_tx(tx: &mut PgConnection, id: CategoryId) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM category WHERE id = $1) AS "exists!""#,
        id.uuid()
    )
    .fetch_one(tx)
    .await
    .during("find a category")
}

/// The ids of all categories on `paths` by slug; creates those that are missing. The caller holds the lock of
/// [`super::writes::lock_in_tx`], so nobody else creates the same.
pub async fn ensure_in_tx(
    tx: &mut PgConnection,
    paths: &[CategoryPath],
    at: DateTime<Utc>,
) -> Result<HashMap<String, CategoryId>, StoreError> {
    let steps: HashMap<&str, &str> = paths
        .iter()
        .flat_map(CategoryPath::steps)
        .map(|(slug, name)| (slug.as_str(), name.as_str()))
        .collect();
    let slugs: Vec<String> = steps.keys().map(ToString::to_string).collect();
    let known = sqlx::query!(
        "SELECT id, slug, path_ids FROM category WHERE slug = ANY($1)",
        &slugs
    )
    .fetch_all(&mut *tx)
    .await
    .during("find categories by slug")?;
    let mut trail: HashMap<String, Vec<Uuid>> =
        known.into_iter().map(|row| (row.slug, row.path_ids)).collect();
    let mut missing: Vec<(&str, &str)> = steps
        .into_iter()
        .filter(|(slug, _)| !trail.contains_key(*slug))
        .collect();
    // A parent's slug is a prefix of its children's: in this order parents come first.
    missing.sort_unstable();
    for (slug, _) in &missing {
        let above = CategoryPath::parent_of(slug).and_then(|parent| trail.get(parent));
        let mut path_ids = above.cloned().unwrap_or_default();
        path_ids.push(CategoryId::generate().uuid());
        trail.insert((*slug).to_owned(), path_ids);
    }
    insert_in_tx(tx, &missing, &trail, at).await?;
    Ok(trail
        .into_iter()
        .filter_map(|(slug, path)| path.last().map(|id| (slug, CategoryId::from_uuid(*id))))
        .collect())
}

async fn insert_in_tx(
    tx: &mut PgConnection,
    missing: &[(&str, &str)],
    trail: &HashMap<String, Vec<Uuid>>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if missing.is_empty() {
        return Ok(());
    }
    let (mut slugs, mut names, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for (slug, name) in missing {
        slugs.push((*slug).to_owned());
        names.push((*name).to_owned());
        // An array of arrays must be a rectangle in PostgreSQL: a path travels as the text of an array.
        let path: Vec<String> = trail[*slug].iter().map(Uuid::to_string).collect();
        paths.push(format!("{{{}}}", path.join(",")));
    }
    sqlx::query!(
        "INSERT INTO category (id, slug, name, parent_id, path_ids, created_at)
         SELECT path[array_upper(path, 1)], slug, name, path[array_upper(path, 1) - 1], path, $4
         FROM (SELECT slug, name, path::uuid[] AS path
               FROM unnest($1::text[], $2::text[], $3::text[]) AS new (slug, name, path)) AS new",
        &slugs,
        &names,
        &paths,
        at
    )
    .execute(tx)
    .await
    .during("create categories")?;
    Ok(())
}
