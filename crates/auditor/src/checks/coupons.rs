//! Coupons: spent as often as they may be, by orders that came to something.

use anyhow::Result;
use sqlx::PgPool;

use super::sentences;
use crate::Finding;
use crate::rest::count;

/// Each a violation in words.
const CHECKS: [&str; 5] = [
    "SELECT format('coupon %s counts %s orders, %s use it, %s may', code, redeemed, live,
            coalesce(max_redemptions::text, 'any number'))
     FROM coupon CROSS JOIN LATERAL (
         SELECT count(*) AS live FROM coupon_redemption
         WHERE coupon_redemption.code = coupon.code AND given_back_at IS NULL) AS used
     WHERE redeemed <> live OR live > max_redemptions",
    "SELECT format('coupon %s: %s orders of user %s use it', code, count(*), user_id)
     FROM coupon JOIN coupon_redemption USING (code)
     WHERE given_back_at IS NULL GROUP BY code, user_id, max_per_user HAVING count(*) > max_per_user",
    // While money is going back, a coupon may be given back already or not yet.
    "SELECT format('coupon %s is %s by order %s, which is %s', code,
            CASE WHEN given_back_at IS NULL THEN 'used' ELSE 'given back' END, id, status)
     FROM coupon_redemption JOIN orders ON id = order_id JOIN saga USING (order_id)
     WHERE status <> 'REFUNDING' AND (given_back_at IS NOT NULL)
         <> (status = 'CANCELLED' OR status = 'REFUNDED' AND refund_reason IS DISTINCT FROM 'operator')",
    "SELECT format('order %s is cheaper by coupon %s, which it does not use so', id, coupon_code)
     FROM orders LEFT JOIN coupon_redemption ON order_id = id
     WHERE coupon_code IS NOT NULL
         AND (code, coupon_redemption.discount_minor) IS DISTINCT FROM (coupon_code, orders.discount_minor)",
    "SELECT format('order %s: %s is to be paid for lines of %s less %s', id, total_minor, lines.minor, discount_minor)
     FROM orders CROSS JOIN LATERAL (
         SELECT sum(unit_price_minor * quantity) AS minor FROM order_line WHERE order_id = id) AS lines
     WHERE total_minor <> lines.minor - discount_minor",
];

/// I17.
pub(super) async fn spent_once(pool: &PgPool) -> Result<Finding> {
    let mut finding = Finding::new(
        "I17",
        "an order costs its lines less its coupon, and no coupon is spent too often",
    );
    for (name, sql) in [
        (
            "used",
            "SELECT count(*) FROM coupon_redemption WHERE given_back_at IS NULL",
        ),
        (
            "given back",
            "SELECT count(*) FROM coupon_redemption WHERE given_back_at IS NOT NULL",
        ),
    ] {
        finding.figure(name, count(pool, sql).await?);
    }
    for sql in CHECKS {
        for violation in sentences(pool, sql).await? {
            finding.violated(violation);
        }
    }
    Ok(finding)
}
