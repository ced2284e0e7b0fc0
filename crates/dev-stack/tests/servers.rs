//! The three servers really start, answer and end, side by side.

use std::time::Duration;

use dev_stack::servers::{Postgres, RabbitMq, Redis, scratch_folder};

#[test]
fn postgres_starts_and_makes_databases_once() {
    let folder = scratch_folder().unwrap();
    let server = Postgres::start(folder.path()).unwrap();
    server.create_databases(&["order_db"]).unwrap();
    server.create_databases(&["order_db", "cart_db"]).unwrap();
    assert!(server.database_url("order_db").ends_with("/order_db"));
    let id = server.process().id();
    drop(server);
    assert!(!id.is_running());
    // The data of a second start is that of the first.
    let again = Postgres::start(folder.path()).unwrap();
    again.create_databases(&["order_db"]).unwrap();
}

#[test]
fn redis_starts_twice_side_by_side() {
    let (one, two) = (scratch_folder().unwrap(), scratch_folder().unwrap());
    let first = Redis::start(one.path()).unwrap();
    let second = Redis::start(two.path()).unwrap();
    assert_ne!(first.url(), second.url());
    first.process().stop(Duration::from_secs(5));
    assert!(!first.process().id().is_running());
    assert!(second.process().id().is_running());
}

#[test]
fn rabbitmq_starts_obeys_its_tool_and_leaves_nothing() {
    let folder = scratch_folder().unwrap();
    let server = RabbitMq::start(folder.path()).unwrap();
    // First, since it waits for a broker that takes no commands yet.
    let accounts = server.apply_definitions().unwrap();
    server.ctl(&["add_vhost", "mine"]).unwrap();
    assert!(
        server
            .ctl(&["list_vhosts"])
            .unwrap()
            .lines()
            .any(|line| line == "mine")
    );
    let policies = server.ctl(&["list_policies"]).unwrap();
    assert!(policies.contains(r"^order\.payment-events$"), "{policies}");
    assert!(
        policies.contains("\"dead-letter-exchange\":\"order.payment-events.dlx\""),
        "{policies}"
    );
    let permissions = server.ctl(&["list_permissions"]).unwrap();
    for (service, url) in accounts {
        assert!(permissions.contains(&format!("\n{service}\t")), "{permissions}");
        assert!(url.starts_with(&format!("amqp://{service}:")), "{service}");
    }
    let tool = server.write_tool(folder.path()).unwrap();
    let output = std::process::Command::new(tool)
        .arg("list_vhosts")
        .output()
        .unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .any(|line| line == "mine")
    );
    let ids = [server.process().id(), server.port_mapper().unwrap().id()];
    drop(server);
    assert!(ids.iter().all(|id| !id.is_running()));
}

/// Its port opens a moment before it takes commands.
#[test]
fn rabbitmq_that_is_still_starting_is_waited_for() {
    let folder = scratch_folder().unwrap();
    let server = RabbitMq::start(folder.path()).unwrap();
    server.ctl(&["stop_app"]).unwrap();
    assert!(server.ctl(&["list_vhosts"]).is_err(), "it takes no commands");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(3));
            server.ctl(&["start_app"]).unwrap();
        });
        server.apply_definitions().unwrap();
    });
    let queues = server.ctl(&["list_queues", "name"]).unwrap();
    assert!(queues.contains("order.payment-events"), "{queues}");
}
