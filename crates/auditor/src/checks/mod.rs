//! The invariants, by what they are about.

mod coupons;
mod messages;
mod money;
mod orders;
mod promises;
mod provider;
mod returns;
mod sales;
mod secrets;
mod stock;

use anyhow::{Context, Result};
use sqlx::PgPool;

use crate::books::Cross;
use crate::{Books, Expectations, Report};

pub(crate) async fn all(books: &Books, expected: &Expectations) -> Result<Report> {
    let cross = Cross::read(books, expected.grace_s).await?;
    let findings = vec![
        stock::adds_up(&books.inventory).await.context("I1")?,
        stock::counters_equal_rows(&books.inventory).await.context("I2")?,
        stock::sold_is_what_was_bought(&books.inventory, &cross, expected)
            .await
            .context("I3")?,
        money::books_balance(&books.payment, &cross).await.context("I4")?,
        orders::end_in_time(&books.order, expected).await.context("I5")?,
        money::moves_once(&books.payment).await.context("I6")?,
        orders::agree_with_their_neighbours(&cross),
        orders::history_is_a_path(&books.order).await.context("I8")?,
        messages::arrived(books, expected).await.context("I9")?,
        messages::given_up_is_poison(books, expected)
            .await
            .context("I10")?,
        promises::one_key_one_order(&books.order).await.context("I11")?,
        promises::acknowledged_exist(&books.order, expected)
            .await
            .context("I12")?,
        messages::every_version_announced(&books.order)
            .await
            .context("I13")?,
        orders::nothing_is_left_over(books, expected)
            .await
            .context("I14")?,
        secrets::logs_hold_none(expected).context("I15")?,
        provider::books_agree(&books.payment, expected)
            .await
            .context("I16")?,
        coupons::spent_once(&books.order).await.context("I17")?,
        returns::kept_within(books, expected).await.context("I18")?,
        sales::are_counted(books, expected).await.context("I19")?,
    ];
    Ok(Report { findings })
}

/// Begins a transaction in which every look sees the same moment.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Rows of one text column, each a violation in words.
async fn sentences(pool: &PgPool, sql: &'static str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_all(pool).await
}
