//! The bodies inventory reads and writes are those of the golden files.

use contracts::Problem;
use contracts::inventory::{ReservationExpired, ReservationView, ReserveStock, ReturnStock};
use test_kit::golden;

#[test]
fn bodies_and_events_keep_their_shape() {
    let asked: ReserveStock = golden::body("reserve_stock");
    assert_eq!(asked.lines.len(), 2);
    let back: ReturnStock = golden::body("return_stock");
    assert_eq!(back.lines.len(), 1);
    golden::body::<ReservationView>("reservation_view");
    let released: ReservationView = golden::body("reservation_view_released");
    assert_eq!(released.expires_at, None);
    let short: Problem = golden::body("problem_out_of_stock");
    assert_eq!(short.skus, ["MUG-BLUE"]);
    golden::event::<ReservationExpired>("reservation_expired");
}
