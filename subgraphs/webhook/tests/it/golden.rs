//! The events webhook hears are those of the golden files, and what it sends is their data, unchanged.

use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use contracts::{Event, EventData};
use serde_json::Value;

use crate::stage::Stage;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../../crates/contracts/golden/", $name, ".json"))
    };
}

fn event<T: EventData>(golden: &str) -> Event<T> {
    let event: Event<T> = serde_json::from_str(golden).unwrap();
    assert_eq!(event.kind, T::TYPE);
    event
}

#[tokio::test]
async fn a_golden_event_is_sent_as_contracts_spell_it() {
    let stage = Stage::new().await;
    let (_, secret) = stage.endpoint("hook").await;
    stage
        .hear_event(event::<OrderCreated>(golden!("order_created")))
        .await;
    stage
        .hear_event(event::<OrderStatusChanged>(golden!("order_status_changed")))
        .await;
    stage
        .hear_event(event::<RefundCompleted>(golden!("refund_completed")))
        .await;
    assert_eq!(stage.send().await, 3);
    let received = stage.receiver.at("hook");
    for golden in [
        golden!("order_created"),
        golden!("order_status_changed"),
        golden!("refund_completed"),
    ] {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let sent = received
            .iter()
            .find(|sent| sent.json()["type"] == golden["type"])
            .unwrap();
        let body = sent.json();
        assert_eq!(
            (&body["timestamp"], &body["data"]),
            (&golden["time"], &golden["data"])
        );
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        assert!(sent.body.starts_with(br#"{"type":"#), "{body}");
        assert_eq!(sent.header("content-type"), "application/json");
        assert!(sent.id().starts_with("whd_"));
        assert!(sent.verified_by(&secret));
    }
    let states =
        "SELECT count(*) FROM delivery WHERE state = 'DELIVERED' AND last_status = 204 AND attempts = 1";
    assert_eq!(stage.count(states).await, 3);
    assert_eq!(stage.send().await, 0, "and that was it");
}
