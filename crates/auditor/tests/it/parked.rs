//! Messages that were parked on the broker.

use auditor::Broker;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, ConnectionProperties};
use test_kit::TestAmqp;

use crate::world::World;

/// Parked twice by a consumer that was cut off in between, a message is still one; and counting takes none away.
#[tokio::test]
async fn i10_parked_messages() {
    let mut world = World::new().await;
    let amqp = test_kit::amqp().await;
    park(&amqp, &[Some("a"), Some("b"), Some("a"), None]).await;
    world.expected.broker = Some(Broker {
        url: amqp.url.clone(),
        prefix: amqp.prefix.clone(),
    });
    let broken = world.audit().await;
    world.expected.poison = 3;
    let whole = world.audit().await;
    assert_eq!(
        broken.finding("I10").unwrap().notes,
        ["3 messages were given up, 0 were poison"]
    );
    assert_eq!(whole.finding("I10").unwrap().holds, Some(true));
}

/// Parks messages with these ids where order does, which has parked none of inventory's.
async fn park(amqp: &TestAmqp, ids: &[Option<&str>]) {
    let connection = lapin::Connection::connect(&amqp.url, ConnectionProperties::default());
    let connection = connection.await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{}order.payment-events.parked", amqp.prefix);
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-expires".into(), 120_000.into());
    let declared = channel.queue_declare(queue.as_str().into(), options, arguments);
    declared.await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    for id in ids {
        let properties = id.map_or_else(BasicProperties::default, |id| {
            BasicProperties::default().with_message_id(id.into())
        });
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish("".into(), queue.as_str().into(), options, b"no event", properties);
        sent.await.unwrap().await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}
