//! Which services there are: what each `subgraphs/NAME/service.toml` says, as it was when this was built.
//!
//! Owns the shape of that file and what follows from it alone. Must not know how anything is started, deployed or drawn.

#[cfg(test)]
mod faults;
mod model;

use std::sync::LazyLock;

pub use model::{Consumes, Events, Folder, Language, Outside, Panel, Place, Public, Redis, Secret, Service};

include!(concat!(env!("OUT_DIR"), "/names.rs"));

static ALL: LazyLock<Vec<Service>> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("OUT_DIR"), "/services.json"));
    // The build script wrote it from the same types.
    serde_json::from_str(text).unwrap_or_default()
});

/// All of them, in the order of [`SERVICES`].
pub fn all() -> &'static [Service] {
    &ALL
}

/// One of them.
pub fn find(name: &str) -> Option<&'static Service> {
    all().iter().find(|service| service.name == name)
}

/// Those that call `name` on its internal listener.
pub fn callers(name: &str) -> Vec<&'static str> {
    let calls = |service: &&Service| service.calls.iter().any(|callee| callee == name);
    all()
        .iter()
        .filter(calls)
        .map(|service| service.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_say_what_the_files_say() {
        let names: Vec<&str> = all().iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, SERVICES);
        assert!(names.is_sorted());
        assert!(QUEUES.contains(&"order.payment-events"));
        assert!(!WITH_DATABASE.contains(&"cart") && WITH_DATABASE.contains(&"order"));
        assert!(!OPTIONAL.contains(&"order"));
    }

    #[test]
    fn callers_are_found_by_whom_they_call() {
        assert!(callers("product").contains(&"cart"));
        assert!(callers("order").is_empty());
    }
}
