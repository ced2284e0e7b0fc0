//! What is on the broker, and who may do what with it: exchanges, queues and policies, and an account for each service
//! with its own permissions. The same in a deployment (its manifests, `mercato-secrets`) and on one machine, so that what
//! is forbidden there fails here.

use serde_json::{Value, json};

/// Exchanges, queues, bindings and policies, as the deployment's broker loads them too: the tests compare.
pub(crate) const TOPOLOGY: &str = include_str!("topology.json");

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

/// Services on the broker: each has what its work takes and no more. Publishers publish; order, review, notification,
/// analytics and webhook listen, to exchanges of others that they can't declare, and so can't delete. A subscriber's queue has a name the broker chose. None may use
/// the default exchange, by which one could write into anybody's queue.
pub const ACCOUNTS: [Account; 7] = [
    Account {
        service: "inventory",
        configure: r"^inventory\.events$",
        write: r"^inventory\.events$",
        read: "^$",
    },
    Account {
        service: "order",
        configure: r"^(order\.(events|(payment|inventory)-events(\.dlx|\.parked)?)|amq\.gen.*)$",
        write: r"^(order\.(events|(payment|inventory)-events(\.dlx|\.parked)?)|amq\.gen.*)$",
        read: r"^((order|payment|inventory)\.events|order\.(payment|inventory)-events(\.dlx)?|amq\.gen.*)$",
    },
    Account {
        service: "payment",
        configure: r"^payment\.events$",
        write: r"^payment\.events$",
        read: "^$",
    },
    Account {
        service: "review",
        configure: r"^review\.order-events(\.dlx|\.parked)?$",
        write: r"^review\.order-events(\.dlx|\.parked)?$",
        read: r"^(order\.events|review\.order-events(\.dlx)?)$",
    },
    Account {
        service: "analytics",
        configure: r"^analytics\.(order|payment)-events(\.dlx|\.parked)?$",
        write: r"^analytics\.(order|payment)-events(\.dlx|\.parked)?$",
        read: r"^((order|payment)\.events|analytics\.(order|payment)-events(\.dlx)?)$",
    },
    Account {
        service: "notification",
        configure: r"^(notification\.(events|(order|payment)-events(\.dlx|\.parked)?)|amq\.gen.*)$",
        write: r"^(notification\.(events|(order|payment)-events(\.dlx|\.parked)?)|amq\.gen.*)$",
        read: r"^((order|payment|notification)\.events|notification\.(order|payment)-events(\.dlx)?|amq\.gen.*)$",
    },
    Account {
        service: "webhook",
        configure: r"^webhook\.(order|payment)-events(\.dlx|\.parked)?$",
        write: r"^webhook\.(order|payment)-events(\.dlx|\.parked)?$",
        read: r"^((order|payment)\.events|webhook\.(order|payment)-events(\.dlx)?)$",
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::stack::QUEUES;

    #[test]
    fn deployments_load_the_same_topology() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for copy in [
            "k8s/components/rabbitmq/10-topology.json",
            "k8s/components/operators/10-topology.json",
            "helm/mercato/files/definitions.json",
        ] {
            let text = std::fs::read_to_string(root.join(copy)).unwrap();
            assert_eq!(text, TOPOLOGY, "{copy}");
        }
    }

    #[test]
    fn each_queue_has_its_policy_and_no_policy_is_for_nobody() {
        let topology: Value = serde_json::from_str(TOPOLOGY).unwrap();
        let names = |part: &str| -> Vec<String> {
            let all = topology[part].as_array().unwrap().iter();
            all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("policies"), QUEUES);
        let parked: Vec<String> = QUEUES
            .iter()
            .flat_map(|queue| [(*queue).to_owned(), format!("{queue}.parked")])
            .collect();
        assert_eq!(names("queues"), parked);
        for queue in QUEUES {
            assert!(names("exchanges").contains(&format!("{queue}.dlx")), "{queue}");
        }
    }
}
