//! Ends a coupon before its time.

use contracts::CouponCode;

use super::{App, AppError};
use crate::store;

impl App {
    /// Nobody can use the coupon from now on; orders that use it keep their discount. False if there is none.
    pub async fn end_coupon(&self, code: &CouponCode) -> Result<bool, AppError> {
        Ok(store::coupons::end(&self.requests, code, self.clock.now()).await?)
    }
}
