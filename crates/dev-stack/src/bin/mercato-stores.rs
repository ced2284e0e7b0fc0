//! Private stores for the tests of a service that is not written in Rust: starts them, prints their addresses as one
//! line of JSON, and ends them when its standard input does.

use std::io::{Read, stdin};
use std::thread;

use anyhow::{Result, anyhow};
use dev_stack::servers::{Postgres, RabbitMq, Redis, scratch_folder};

fn main() -> Result<()> {
    let folder = scratch_folder()?;
    let path = folder.path();
    let (postgres, redis, rabbitmq) = thread::scope(|scope| {
        let postgres = scope.spawn(|| Postgres::start(path));
        let redis = scope.spawn(|| Redis::start(path));
        let rabbitmq = RabbitMq::start(path);
        (postgres.join(), redis.join(), rabbitmq)
    });
    let panicked = |_| anyhow!("a starting thread panicked");
    let (postgres, redis, rabbitmq) = (postgres.map_err(panicked)??, redis.map_err(panicked)??, rabbitmq?);
    let addresses = serde_json::json!({
        "postgres": postgres.url(),
        "redis": redis.url(),
        "amqp": rabbitmq.url(),
    });
    #[expect(clippy::print_stdout, reason = "what it is for")]
    {
        println!("{addresses}");
    }
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
