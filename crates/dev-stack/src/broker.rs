//! Who may do what on the broker: an account for each service, with its own permissions. The same in a deployment
//! (`mercato-secrets`) and on one machine, so that what is forbidden there fails here.

use serde_json::{Value, json};

/// An account. To declare is to configure, to publish or bind to is to write, to consume or bind from is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The service, which is also the account's name.
    pub service: &'static str,
    /// Names it may declare and delete.
    pub configure: &'static str,
    /// Exchanges it may publish to, queues it may bind.
    pub write: &'static str,
    /// Queues it may consume, exchanges it may bind to.
    pub read: &'static str,
}

/// Services on the broker. A subscriber's queue has a name the broker chose. None may use the default exchange, by
/// which one could write into anybody's queue.
pub const ACCOUNTS: [Account; 4] = [
    Account {
        service: "inventory",
        configure: r"^inventory\..*$",
        write: r"^inventory\..*$",
        read: r"^inventory\..*$",
    },
    Account {
        service: "order",
        configure: r"^(order\..*|(payment|inventory)\.events|amq\.gen.*)$",
        write: r"^(order\..*|amq\.gen.*)$",
        read: r"^(order\..*|(payment|inventory)\.events|amq\.gen.*)$",
    },
    Account {
        service: "payment",
        configure: r"^payment\..*$",
        write: r"^payment\..*$",
        read: r"^payment\..*$",
    },
    Account {
        service: "review",
        configure: r"^(review\..*|order\.events)$",
        write: r"^review\..*$",
        read: r"^(review\..*|order\.events)$",
    },
];

/// The accounts as the broker imports them, with the password of each.
pub(crate) fn definitions(password: impl Fn(&Account) -> String) -> (Vec<Value>, Vec<Value>) {
    let users = ACCOUNTS
        .iter()
        .map(|account| json!({"name": account.service, "password": password(account), "tags": []}));
    let permissions = ACCOUNTS.iter().map(|account| {
        let Account {
            service,
            configure,
            write,
            read,
        } = account;
        json!({"user": service, "vhost": "/", "configure": configure, "write": write, "read": read})
    });
    (users.collect(), permissions.collect())
}
