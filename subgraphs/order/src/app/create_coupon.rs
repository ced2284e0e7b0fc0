//! Makes a coupon.

use super::{App, AppError};
use crate::domain::Coupon;
use crate::store;

impl App {
    /// Writes a new coupon; false if there is one of this code, which is left as it is.
    pub async fn create_coupon(&self, coupon: &Coupon) -> Result<bool, AppError> {
        Ok(store::coupons::insert(&self.requests, coupon).await?)
    }
}
