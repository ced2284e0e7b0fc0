//! Coupons and who spent them. A coupon's row lock is what counts it exactly: it is held from the check to the commit.

use chrono::{DateTime, Utc};
use contracts::{CouponCode, Money, OrderId, UserId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::unreadable;
use crate::domain::coupon::{Coupon, CouponProblem, Discount, Saving};

struct CouponRow {
    code: String,
    percent_off: Option<i32>,
    amount_off_minor: Option<i64>,
    currency: Option<String>,
    minimum_minor: Option<i64>,
    starts_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    max_redemptions: Option<i32>,
    max_per_user: Option<i32>,
    redeemed: i32,
    created_at: DateTime<Utc>,
}

impl CouponRow {
    fn into_coupon(self) -> Result<Coupon, sqlx::Error> {
        let currency = self
            .currency
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(unreadable)?;
        let money = |minor: Option<i64>| Some(Money::new(minor?, currency?));
        let percent = self
            .percent_off
            .map(u8::try_from)
            .transpose()
            .map_err(unreadable)?;
        let saving = percent
            .map(Saving::Percent)
            .or_else(|| money(self.amount_off_minor).map(Saving::Amount))
            .ok_or_else(|| unreadable("a coupon without a saving"))?;
        let count = |count: i32| u32::try_from(count).map_err(unreadable);
        Ok(Coupon {
            code: self.code.parse().map_err(unreadable)?,
            saving,
            minimum: money(self.minimum_minor),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            max_redemptions: self.max_redemptions.map(count).transpose()?,
            max_per_user: self.max_per_user.map(count).transpose()?,
            redeemed: count(self.redeemed)?,
            created_at: self.created_at,
        })
    }
}

/// Coupons by code; unknown ones are left out.
pub(crate) async fn by_codes(
    db: impl PgExecutor<'_>,
    codes: &[CouponCode],
) -> Result<Vec<Coupon>, sqlx::Error> {
    let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
    sqlx::query_as!(
        CouponRow,
        "SELECT code, percent_off, amount_off_minor, currency, minimum_minor, starts_at, ends_at, max_redemptions,
                max_per_user, redeemed, created_at
         FROM coupon WHERE code = ANY($1)",
        &codes
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(CouponRow::into_coupon)
    .collect()
}

/// Coupons in the order of their codes, after `after`.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    after: Option<&CouponCode>,
    limit: i64,
) -> Result<Vec<Coupon>, sqlx::Error> {
    sqlx::query_as!(
        CouponRow,
        "SELECT code, percent_off, amount_off_minor, currency, minimum_minor, starts_at, ends_at, max_redemptions,
                max_per_user, redeemed, created_at
         FROM coupon WHERE $1::text IS NULL OR code > $1 ORDER BY code LIMIT $2",
        after.map(CouponCode::as_str),
        limit
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(CouponRow::into_coupon)
    .collect()
}

/// How many orders of each user use a coupon and are not cancelled; pairs without any are left out.
pub(crate) async fn used(
    db: impl PgExecutor<'_>,
    pairs: &[(CouponCode, UserId)],
) -> Result<Vec<((CouponCode, UserId), u32)>, sqlx::Error> {
    let codes: Vec<_> = pairs.iter().map(|(code, _)| code.to_string()).collect();
    let users: Vec<_> = pairs.iter().map(|(_, user)| user.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT code, user_id, count(*) AS "used!"
           FROM coupon_redemption JOIN unnest($1::text[], $2::uuid[]) AS pair (code, user_id) USING (code, user_id)
           WHERE given_back_at IS NULL GROUP BY code, user_id"#,
        &codes,
        &users
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let pair = (
                row.code.parse().map_err(unreadable)?,
                UserId::from_uuid(row.user_id),
            );
            Ok((pair, u32::try_from(row.used).unwrap_or(u32::MAX)))
        })
        .collect()
}

/// Writes a new coupon; false if there is one of this code.
pub(crate) async fn insert(db: impl PgExecutor<'_>, coupon: &Coupon) -> Result<bool, sqlx::Error> {
    let (percent, amount) = match coupon.saving {
        Saving::Percent(percent) => (Some(i32::from(percent)), None),
        Saving::Amount(money) => (None, Some(money)),
    };
    let currency = amount.or(coupon.minimum).map(|money| money.currency);
    let count = |count: Option<u32>| count.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
    let done = sqlx::query!(
        "INSERT INTO coupon (code, percent_off, amount_off_minor, currency, minimum_minor, starts_at, ends_at,
             max_redemptions, max_per_user, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (code) DO NOTHING",
        coupon.code.as_str(),
        percent,
        amount.map(|money| money.amount_minor),
        currency.map(|currency| currency.to_string()),
        coupon.minimum.map(|money| money.amount_minor),
        coupon.starts_at,
        coupon.ends_at,
        count(coupon.max_redemptions),
        count(coupon.max_per_user),
        coupon.created_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a coupon at `now`, if it does not end sooner. Orders that use it keep their discount. False if there is none.
pub(crate) async fn end(
    db: impl PgExecutor<'_>,
    code: &CouponCode,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE coupon SET ends_at = greatest(starts_at, least(ends_at, $2)) WHERE code = $1",
        code.as_str(),
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Spends a coupon on an order of this transaction, if it still gives this discount: its row is locked first, so that
/// nobody else spends it between the check and the commit.
pub(crate) async fn redeem(
    conn: &mut PgConnection,
    (order, user): (OrderId, UserId),
    (subtotal, discount): (Money, &Discount),
    now: DateTime<Utc>,
) -> Result<Result<(), CouponProblem>, sqlx::Error> {
    let locked = sqlx::query_as!(
        CouponRow,
        "SELECT code, percent_off, amount_off_minor, currency, minimum_minor, starts_at, ends_at, max_redemptions,
                max_per_user, redeemed, created_at
         FROM coupon WHERE code = $1 FOR NO KEY UPDATE",
        discount.code.as_str()
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = locked else {
        return Ok(Err(CouponProblem::Unknown));
    };
    // Counted by a statement of its own: one that waited for the lock would count what was there before the wait.
    let used = used(&mut *conn, &[(discount.code.clone(), user)]).await?;
    let used = used.first().map_or(0, |(_, used)| *used);
    if let Err(problem) = row.into_coupon()?.discount(subtotal, used, now) {
        return Ok(Err(problem));
    }
    sqlx::query!(
        "WITH counted AS (UPDATE coupon SET redeemed = redeemed + 1 WHERE code = $2)
         INSERT INTO coupon_redemption (order_id, code, user_id, discount_minor) VALUES ($1, $2, $3, $4)",
        order.uuid(),
        discount.code.as_str(),
        user.uuid(),
        discount.amount.amount_minor
    )
    .execute(conn)
    .await?;
    Ok(Ok(()))
}

/// Gives the coupons of cancelled orders back, once. Coupons are locked in the order of their codes, so that two
/// transactions can't wait for each other.
pub(crate) async fn give_back(conn: &mut PgConnection, orders: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH locked AS (
             SELECT code FROM coupon
             WHERE code IN (SELECT code FROM coupon_redemption WHERE order_id = ANY($1) AND given_back_at IS NULL)
             ORDER BY code FOR NO KEY UPDATE
         ), back AS (
             UPDATE coupon_redemption SET given_back_at = statement_timestamp()
             FROM locked
             WHERE coupon_redemption.code = locked.code AND order_id = ANY($1) AND given_back_at IS NULL
             RETURNING coupon_redemption.code
         )
         UPDATE coupon SET redeemed = redeemed - given.orders
         FROM (SELECT code, count(*)::integer AS orders FROM back GROUP BY code) AS given
         WHERE coupon.code = given.code",
        orders
    )
    .execute(conn)
    .await?;
    Ok(())
}
