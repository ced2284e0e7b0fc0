//! A part of a Redis for a test.

use crate::servers::{redis_url, unique};

/// A key prefix nobody else uses, on a shared Redis; its keys are deleted with this value.
pub struct TestRedis {
    /// The server's address.
    pub url: String,
    /// To stand before every key.
    pub prefix: String,
}

/// A namespace of its own.
pub async fn redis() -> TestRedis {
    TestRedis {
        url: redis_url().await,
        prefix: format!("{}:", unique()),
    }
}

impl TestRedis {
    /// A connection to look at what the service stored.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url.as_str()).expect("an address of Redis");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("Redis for tests")
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        let delete = "local keys = redis.call('KEYS', ARGV[1])
            for _, key in ipairs(keys) do redis.call('UNLINK', key) end";
        let Ok(client) = redis::Client::open(self.url.as_str()) else {
            return;
        };
        let Ok(mut connection) = client.get_connection() else {
            return;
        };
        let pattern = format!("{}*", self.prefix);
        let deleted: Result<(), _> = redis::Script::new(delete).arg(pattern).invoke(&mut connection);
        drop(deleted);
    }
}
