//! The connection to Redis as every service makes it: when first needed, again after each loss, and short of patience.
//!
//! Must not know what is stored, or under which keys.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};

/// Between two tries to connect.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How long a command may keep its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For an answer.
    pub answer: Duration,
    /// For a connection, each time.
    pub connect: Duration,
    /// How often it connects again for one command.
    pub retries: usize,
}

/// A connection that is made when it is first used: a service starts without Redis. Fails only for an address that
/// can't be one. Clones share the connection.
pub fn connect(url: &str, patience: Patience) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(patience.answer))
        .set_connection_timeout(Some(patience.connect))
        .set_number_of_retries(patience.retries)
        .set_max_delay(LONGEST_PAUSE);
    ConnectionManager::new_lazy_with_config(Client::open(url)?, config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        answer: Duration::from_millis(50),
        connect: Duration::from_millis(50),
        retries: 0,
    };

    #[test]
    fn an_address_that_cannot_be_one_is_refused() {
        assert!(connect("nonsense", PATIENCE).is_err());
    }
}
