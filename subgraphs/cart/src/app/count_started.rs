//! How many carts were begun, hour by hour: for who counts how many of them are ordered.

use chrono::{DateTime, Utc};
use contracts::cart::CartsStartedHour;

use super::Error;
use crate::App;

/// Each of `hours` hours, the first being that of `from`.
pub(crate) async fn count_started(
    app: &App,
    from: DateTime<Utc>,
    hours: u16,
) -> Result<Vec<CartsStartedHour>, Error> {
    Ok(app.store.started(from, hours).await?)
}
