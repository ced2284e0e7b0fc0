//! The catalogue's words, which the database keeps up to date with each write (`search_word`).

use sqlx::PgPool;

use super::{During, StoreError};
use crate::domain::{Asked, Near};

/// Most words of the catalogue that one is compared with.
const MOST_NEAR: i64 = 40;

/// The words of a search, the first eight as in `search_query`. Those that no active product has, not even as a
/// beginning or by their stem, come with the words most like them. One statement.
pub async fn asked(pool: &PgPool, text: &str) -> Result<Vec<Asked>, StoreError> {
    let rows = sqlx::query!(
        r#"WITH asked AS MATERIALIZED (
               SELECT word COLLATE "C" AS word, search_stem(word) COLLATE "C" AS stem, place
               FROM string_to_table(search_fold($1), ' ') WITH ORDINALITY AS folded (word, place)
               WHERE word <> ''
               ORDER BY place
               LIMIT 8),
           judged AS MATERIALIZED (
               SELECT a.word, a.place,
                      a.word ~ '^[[:alpha:]]{4,40}$'
                      AND NOT EXISTS (SELECT 1 FROM search_word w
                                      WHERE w.word >= a.word AND w.word < a.word || chr(1114111) AND w.products > 0)
                      AND NOT EXISTS (SELECT 1 FROM search_word w
                                      WHERE w.stem >= a.stem AND w.stem < a.stem || chr(1114111) AND w.products > 0)
                      AS is_unknown
               FROM asked a)
           SELECT j.place AS "place!", j.word AS "word!", j.is_unknown AS "is_unknown!", near.word AS "near?", near.products AS "products?"
           FROM judged j
           LEFT JOIN LATERAL (SELECT w.word, w.products
                              FROM search_word w
                              WHERE w.products > 0
                              ORDER BY w.word <-> j.word
                              LIMIT $2) AS near ON j.is_unknown
           ORDER BY j.place"#,
        text,
        MOST_NEAR
    )
    .fetch_all(pool)
    .await
    .during("look up the words of a search")?;
    let mut asked: Vec<Asked> = Vec::new();
    let mut place = None;
    for row in rows {
        if place != Some(row.place) {
            place = Some(row.place);
            asked.push(Asked {
                word: row.word,
                near: row.is_unknown.then(Vec::new),
            });
        }
        let near = asked.last_mut().and_then(|asked| asked.near.as_mut());
        if let (Some(near), Some(word), Some(products)) = (near, row.near, row.products) {
            near.push(Near { word, products });
        }
    }
    Ok(asked)
}
