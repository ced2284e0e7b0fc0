//! Events on a real broker.

use std::time::Duration;

use contracts::payment::{PaymentSucceeded, RefundCompleted};
use contracts::{Event, OrderId};
use event_bus::{Bus, Signal, TapReceiver};
use service_kit::Host;

use crate::world::{Setup, TOTAL, World};

async fn next(receiver: &mut TapReceiver) -> std::sync::Arc<event_bus::Message> {
    loop {
        let signal = tokio::time::timeout(Duration::from_secs(20), receiver.next()).await;
        if let Signal::Event(message) = signal.unwrap().unwrap() {
            return message;
        }
    }
}

#[tokio::test]
async fn a_capture_and_a_refund_are_published() {
    let amqp = test_kit::amqp().await;
    let db = test_kit::postgres(&payment::MIGRATOR).await;
    let host = Host::for_test("payment");
    let bus = Bus::connect_with(&amqp.secret(), &host, &amqp.prefix);
    let mut captures = bus.tap("payment.events", "payment.succeeded.v1").subscribe();
    let mut refunds = bus.tap("payment.events", "refund.completed.v1").subscribe();
    let relay = bus.run_relay(db.pool.clone(), &[]);
    let world = World::start_on(
        db,
        Setup {
            relay,
            ..Setup::default()
        },
    )
    .await;
    let order = OrderId::generate();
    let paid = service_kit::correlation::scope("corr-1".to_owned(), world.pay(order, "pm_card_visa"));
    assert_eq!(paid.await.1["status"], "CAPTURED");
    world.refund(order, "return", None).await;
    let captured: Event<PaymentSucceeded> = next(&mut captures).await.event().unwrap();
    assert_eq!(
        (captured.data.order_id, captured.data.amount, captured.data.late),
        (order, TOTAL, false)
    );
    assert_eq!(
        (captured.subject, captured.source.as_str()),
        (order.to_string(), "/mercato/payment")
    );
    assert_eq!(captured.correlationid.as_deref(), Some("corr-1"));
    let refunded: Event<RefundCompleted> = next(&mut refunds).await.event().unwrap();
    assert!(refunded.data.fully_refunded && refunded.aggregateversion > captured.aggregateversion);
    assert_eq!(refunded.correlationid.as_deref(), Some("corr-1"));
    host.shutdown.cancel();
    host.tasks.close();
    host.tasks.wait().await;
    assert_eq!(
        world
            .count("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            .await,
        0
    );
}
