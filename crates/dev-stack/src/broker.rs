//! What is on the broker, and who may do what with it: exchanges, queues and policies, and an account for each service
//! with its own permissions, all as the roster says. The same in a deployment (its manifests, `mercato-secrets`) and on
//! one machine, so that what is forbidden there fails here.

use roster::Service;
use serde_json::{Value, json};

/// How many messages a queue holds before it refuses more.
const MOST_MESSAGES: u32 = 1_000_000;
/// How often a message is delivered before it is parked.
const MOST_DELIVERIES: u32 = 20;

/// An account. To declare is to configure, to publish or bind to is to write, to consume or bind from is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The service, which is also the account's name.
    pub(crate) service: &'static str,
    /// Names it may declare and delete.
    configure: String,
    /// Exchanges it may publish to, queues it may bind.
    write: String,
    /// Queues it may consume, exchanges it may bind to.
    read: String,
}

/// Accounts of the services on the broker: each has what its work takes and no more. It publishes to its own exchange;
/// it consumes its own queues, and binds them to exchanges of others that it can't declare, and so can't delete. A
/// subscriber's queue has a name the broker chose. None may use the default exchange, by which one could write into
/// anybody's queue.
pub(crate) fn accounts() -> Vec<Account> {
    let on_it = roster::all().iter().filter(|service| service.has_broker());
    on_it.map(account).collect()
}

fn account(service: &'static Service) -> Account {
    let name = service.name.as_str();
    let own = service.is_publisher().then(|| format!(r"{name}\.events"));
    let live = service.is_live().then(|| r"amq\.gen.*".to_owned());
    let consumes = &service.events.consumes;
    let heard: Vec<&str> = consumes.iter().map(|heard| heard.from.as_str()).collect();
    let heard = (!heard.is_empty()).then(|| heard.join("|"));
    let queues = |suffixes: &str| {
        heard
            .as_ref()
            .map(|heard| format!(r"{name}\.({heard})-events({suffixes})?"))
    };
    let others = heard.as_ref().map(|heard| format!(r"({heard})\.events"));
    let writes = [own.clone(), queues(r"\.dlx|\.parked"), live.clone()];
    let listens = own.filter(|_| service.is_live());
    Account {
        service: name,
        configure: one_of(&writes),
        write: one_of(&writes),
        read: one_of(&[listens, others, queues(r"\.dlx"), live]),
    }
}

/// A pattern for names that are one of these; for none, if there are none.
fn one_of(alternatives: &[Option<String>]) -> String {
    let all: Vec<&str> = alternatives.iter().flatten().map(String::as_str).collect();
    match all.as_slice() {
        [] => "^$".to_owned(),
        all => format!("^({})$", all.join("|")),
    }
}

/// The accounts as the broker imports them, with the password of each.
pub(crate) fn definitions(password: impl Fn(&Account) -> String) -> (Vec<Value>, Vec<Value>) {
    let accounts = accounts();
    let users = accounts
        .iter()
        .map(|account| json!({"name": account.service, "password": password(account), "tags": []}));
    let permissions = accounts.iter().map(|account| {
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

/// Exchanges, queues, bindings and policies, as a broker imports them. An exchange for each service that tells, a queue
/// for each whose events another applies, and behind it an exchange and a queue for what can't be delivered.
pub fn topology() -> Value {
    let mut exchanges = Vec::new();
    let (mut queues, mut bindings, mut policies) = (Vec::new(), Vec::new(), Vec::new());
    for service in roster::all() {
        if service.is_publisher() {
            exchanges.push(exchange(&format!("{}.events", service.name), "topic"));
        }
        for heard in &service.events.consumes {
            let queue_name = service.queue(heard);
            let (dead, parked) = (format!("{queue_name}.dlx"), format!("{queue_name}.parked"));
            exchanges.push(exchange(&dead, "fanout"));
            queues.extend([queue(&queue_name), queue(&parked)]);
            bindings.push(binding(&dead, &parked, ""));
            let source = format!("{}.events", heard.from);
            let keys = heard.events.iter();
            bindings.extend(keys.map(|key| binding(&source, &queue_name, key)));
            policies.push(policy(&queue_name, &dead));
        }
    }
    json!({
        "vhosts": [{"name": "/"}],
        "exchanges": exchanges,
        "queues": queues,
        "bindings": bindings,
        "policies": policies,
    })
}

fn exchange(name: &str, kind: &str) -> Value {
    json!({
        "name": name,
        "vhost": "/",
        "type": kind,
        "durable": true,
        "auto_delete": false,
        "internal": false,
        "arguments": {},
    })
}

fn queue(name: &str) -> Value {
    json!({
        "name": name,
        "vhost": "/",
        "durable": true,
        "auto_delete": false,
        "arguments": {"x-queue-type": "quorum"},
    })
}

fn binding(source: &str, queue: &str, key: &str) -> Value {
    json!({
        "source": source,
        "vhost": "/",
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    })
}

fn policy(queue: &str, dead: &str) -> Value {
    json!({
        "vhost": "/",
        "name": queue,
        "pattern": format!("^{}$", queue.replace('.', r"\.")),
        "apply-to": "queues",
        "priority": 1,
        "definition": {
            "dead-letter-exchange": dead,
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
            "delivery-limit": MOST_DELIVERIES,
            "max-length": MOST_MESSAGES,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(service: &str) -> Account {
        let all = accounts();
        all.into_iter()
            .find(|account| account.service == service)
            .unwrap()
    }

    #[test]
    fn an_account_may_do_its_work_and_no_more() {
        let inventory = of("inventory");
        assert_eq!(inventory.configure, r"^(inventory\.events)$");
        assert_eq!(inventory.write, inventory.configure);
        assert_eq!(inventory.read, "^$");
        let review = of("review");
        assert_eq!(review.write, r"^(review\.(order)-events(\.dlx|\.parked)?)$");
        assert_eq!(review.read, r"^((order)\.events|review\.(order)-events(\.dlx)?)$");
        let order = of("order");
        assert_eq!(
            order.configure,
            r"^(order\.events|order\.(payment|inventory)-events(\.dlx|\.parked)?|amq\.gen.*)$"
        );
        assert_eq!(
            order.read,
            r"^(order\.events|(payment|inventory)\.events|order\.(payment|inventory)-events(\.dlx)?|amq\.gen.*)$"
        );
        assert!(!accounts().iter().any(|account| account.service == "cart"));
    }

    #[test]
    fn each_queue_has_its_policy_and_no_policy_is_for_nobody() {
        let topology = topology();
        let names = |part: &str| -> Vec<String> {
            let all = topology[part].as_array().unwrap().iter();
            all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("policies"), roster::QUEUES);
        let parked: Vec<String> = roster::QUEUES
            .iter()
            .flat_map(|queue| [(*queue).to_owned(), format!("{queue}.parked")])
            .collect();
        assert_eq!(names("queues"), parked);
        for queue in roster::QUEUES {
            assert!(names("exchanges").contains(&format!("{queue}.dlx")), "{queue}");
        }
    }
}
