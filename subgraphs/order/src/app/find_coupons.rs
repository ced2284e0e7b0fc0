//! Reads of coupons, in batches.

use std::collections::HashMap;

use contracts::{CouponCode, UserId};

use super::{App, AppError};
use crate::domain::Coupon;
use crate::store;

impl App {
    /// Coupons by code.
    pub async fn coupons(&self, codes: &[CouponCode]) -> Result<HashMap<CouponCode, Coupon>, AppError> {
        let coupons = store::coupons::by_codes(&self.requests, codes).await?;
        Ok(coupons
            .into_iter()
            .map(|coupon| (coupon.code.clone(), coupon))
            .collect())
    }

    /// How many orders of each user use a coupon.
    pub async fn coupons_used(
        &self,
        pairs: &[(CouponCode, UserId)],
    ) -> Result<HashMap<(CouponCode, UserId), u32>, AppError> {
        Ok(store::coupons::used(&self.requests, pairs)
            .await?
            .into_iter()
            .collect())
    }

    /// All coupons, in the order of their codes.
    pub async fn list_coupons(
        &self,
        after: Option<&CouponCode>,
        limit: i64,
    ) -> Result<Vec<Coupon>, AppError> {
        Ok(store::coupons::list(&self.requests, after, limit).await?)
    }
}
