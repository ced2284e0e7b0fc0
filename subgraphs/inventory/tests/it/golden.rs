//! The bodies inventory reads and writes are those of the golden files.

use contracts::inventory::{ReservationExpired, ReservationView, ReserveStock, ReturnStock};
use contracts::{Event, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn round_trips<T: Serialize + DeserializeOwned>(golden: &str) -> T {
    let parsed: T = serde_json::from_str(golden).unwrap();
    let written = serde_json::to_value(&parsed).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap());
    parsed
}

#[test]
fn bodies_and_events_keep_their_shape() {
    let asked: ReserveStock = round_trips(include_str!(
        "../../../../crates/contracts/golden/reserve_stock.json"
    ));
    assert_eq!(asked.lines.len(), 2);
    let back: ReturnStock = round_trips(include_str!(
        "../../../../crates/contracts/golden/return_stock.json"
    ));
    assert_eq!(back.lines.len(), 1);
    round_trips::<ReservationView>(include_str!(
        "../../../../crates/contracts/golden/reservation_view.json"
    ));
    let released = include_str!("../../../../crates/contracts/golden/reservation_view_released.json");
    assert_eq!(round_trips::<ReservationView>(released).expires_at, None);
    let short = include_str!("../../../../crates/contracts/golden/problem_out_of_stock.json");
    assert_eq!(round_trips::<Problem>(short).skus, ["MUG-BLUE"]);
    let expired = include_str!("../../../../crates/contracts/golden/reservation_expired.json");
    let event: Event<ReservationExpired> = round_trips(expired);
    assert_eq!(event.subject, event.data.order_id.to_string());
}
