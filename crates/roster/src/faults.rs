//! What can't be right about a set of services. Pure; the build script asks, and the tests.

use std::collections::BTreeMap;

use crate::model::Service;

/// Everything that can't be right about these services, sorted by name.
pub(crate) fn faults(services: &[Service]) -> Vec<String> {
    let mut faults = Vec::new();
    let find = |name: &str| services.iter().find(|service| service.name == name);
    let mut numbers = BTreeMap::new();
    let mut prefixes = BTreeMap::new();
    let mut publishers = BTreeMap::new();
    for service in services {
        let name = service.name.as_str();
        let mut fault = |text: String| faults.push(format!("subgraphs/{name}/service.toml: {text}"));
        if !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
            fault("a service is named by one lower-case word".to_owned());
        }
        for callee in &service.calls {
            if callee == name || find(callee).is_none() {
                fault(format!("calls: there is no other service called {callee}"));
            }
        }
        if let Some(redis) = &service.redis {
            if let Some(other) = numbers.insert(redis.database, name) {
                fault(format!("redis: {other} has database {}", redis.database));
            }
            for key in &redis.keys {
                if let Some(other) = prefixes.insert(key.as_str(), name) {
                    fault(format!("redis: keys of {key} are {other}'s"));
                }
            }
        }
        if service.has_broker() && !service.database {
            fault("events: an outbox and an inbox need a database".to_owned());
        }
        for kind in &service.events.publishes {
            if !is_type(kind) {
                fault(format!("events: {kind} is no type such as order.created.v1"));
            }
            if let Some(other) = publishers.insert(kind.as_str(), name) {
                fault(format!("events: {kind} is {other}'s"));
            }
        }
        if service.is_live() && !service.is_publisher() {
            fault("public: what is pushed to clients is heard from the service's own events".to_owned());
        }
        for heard in &service.events.consumes {
            let told = find(&heard.from).map_or(&[][..], |other| other.events.publishes.as_slice());
            if heard.from == name || told.is_empty() {
                fault(format!("events: {} publishes none", heard.from));
            }
            if heard.events.is_empty() {
                fault(format!("events: none of {}'s is named", heard.from));
            }
            for kind in heard.events.iter().filter(|kind| !told.contains(kind)) {
                fault(format!("events: {} publishes no {kind}", heard.from));
            }
        }
    }
    faults
}

/// What it is about, what happened, and the version of its form.
fn is_type(text: &str) -> bool {
    let is_word = |word: &str| {
        let mut letters = word.bytes();
        !word.is_empty() && letters.all(|letter| letter.is_ascii_lowercase() || letter == b'_')
    };
    let parts: Vec<&str> = text.split('.').collect();
    let [subject, fact, version] = parts[..] else {
        return false;
    };
    let number = version.strip_prefix('v').unwrap_or_default();
    is_word(subject) && is_word(fact) && number.parse::<u16>().is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Consumes, Public, Redis};

    fn service(name: &str) -> Service {
        Service {
            name: name.to_owned(),
            database: true,
            ..Service::default()
        }
    }

    fn publisher(name: &str) -> Service {
        let mut service = service(name);
        service.events.publishes = vec![format!("{name}.created.v1")];
        service
    }

    fn hears(name: &str, from: &str) -> Service {
        let mut service = service(name);
        service.events.consumes.push(Consumes {
            from: from.to_owned(),
            events: vec![format!("{from}.created.v1")],
        });
        service
    }

    #[test]
    fn what_follows_from_a_file() {
        let mut told = hears("told", "order");
        told.redis = Some(Redis {
            database: 1,
            keys: vec!["told".to_owned()],
        });
        assert_eq!(told.queue(&told.events.consumes[0]), "told.order-events");
        assert_eq!(
            told.secret_keys(),
            ["amqp-url", "database-url", "redis-url", "service-key.pem"]
        );
        assert_eq!(service("a").stores(), [("database-url", "DATABASE_URL")]);
        assert_eq!(faults(&[publisher("order"), told]), Vec::<String>::new());
    }

    #[test]
    fn what_can_not_be_right_is_named() {
        let mut caller = service("caller");
        caller.calls.push("nobody".to_owned());
        let mut homeless = publisher("homeless");
        homeless.database = false;
        let mut silent = service("silent");
        silent.public = Some(Public::Live);
        let redis = Redis {
            database: 1,
            keys: vec!["k".to_owned()],
        };
        let (mut one, mut other) = (service("one"), service("other"));
        one.redis = Some(redis.clone());
        other.redis = Some(redis);
        let mut vague = hears("vague", "homeless");
        vague.events.consumes[0].events.clear();
        let mut deaf = hears("deaf", "homeless");
        deaf.events.consumes[0]
            .events
            .push("homeless.creatd.v1".to_owned());
        let (mut echo, mut loose) = (publisher("echo"), publisher("loose"));
        echo.events.publishes = vec!["homeless.created.v1".to_owned()];
        loose.events.publishes.push("loose.changed".to_owned());
        for (services, wanted) in [
            (vec![caller], "there is no other service called nobody"),
            (vec![homeless.clone()], "need a database"),
            (vec![silent], "the service's own events"),
            (vec![one.clone(), other.clone()], "one has database 1"),
            (vec![one, other], "keys of k are one's"),
            (vec![service("Two")], "one lower-case word"),
            (
                vec![hears("told", "mute"), service("mute")],
                "mute publishes none",
            ),
            (vec![homeless.clone(), vague], "none of homeless's is named"),
            (
                vec![homeless.clone(), deaf],
                "homeless publishes no homeless.creatd.v1",
            ),
            (vec![homeless, echo], "homeless.created.v1 is homeless's"),
            (vec![loose], "loose.changed is no type"),
        ] {
            let faults = faults(&services);
            assert!(
                faults.iter().any(|fault| fault.contains(wanted)),
                "{wanted}: {faults:?}"
            );
        }
    }
}
