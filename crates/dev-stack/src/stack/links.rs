//! The addresses processes are told, and putting something in between: tests do it to disturb one link alone.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::environment;
use super::plan::Plan;

/// An address that one process is told in one variable, such as order's `PAYMENT_URL` or `DATABASE_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who is told (`order`, `order-2`, `router`, ...).
    pub process: String,
    /// In which variable.
    pub variable: String,
    /// Where the other side really listens.
    pub address: SocketAddr,
}

type Choose = dyn Fn(&Link) -> Result<SocketAddr> + Send + Sync;

/// Chooses the address that is told instead; the same one leaves the link alone.
#[derive(Clone)]
pub struct Reroute(Arc<Choose>);

impl Reroute {
    /// Asked once for each link, before any service starts.
    pub fn new(choose: impl Fn(&Link) -> Result<SocketAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(choose))
    }
}

impl fmt::Debug for Reroute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reroute")
    }
}

/// Writes the chosen addresses into the plan, so that a process started again is told the same.
pub(super) fn reroute(plan: &mut Plan, names: &[String], choose: &Reroute) -> Result<()> {
    for process in names {
        for (variable, value) in environment::of(plan, process)? {
            let Some(address) = address_in(&variable, &value) else {
                continue;
            };
            let link = Link {
                process: process.clone(),
                variable,
                address,
            };
            let chosen = (choose.0)(&link).with_context(|| format!("{} of {process}", link.variable))?;
            if chosen != address {
                let value = value.replacen(&address.to_string(), &chosen.to_string(), 1);
                let extra = plan.extra.entry(process.clone()).or_default();
                extra.insert(link.variable, value);
            }
        }
    }
    Ok(())
}

/// The socket address in a variable that holds a URL.
fn address_in(variable: &str, value: &str) -> Option<SocketAddr> {
    let rest = variable.ends_with("_URL").then_some(value)?.split_once("://")?.1;
    let authority = rest.split('/').next()?;
    let (_, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_of_any_kind_of_url() {
        let found = |value| address_in("X_URL", value).map(|address| address.to_string());
        assert_eq!(
            found("postgres://u:p@127.0.0.1:1/order_db").unwrap(),
            "127.0.0.1:1"
        );
        assert_eq!(
            found("amqp://guest:guest@127.0.0.1:2/%2f").unwrap(),
            "127.0.0.1:2"
        );
        assert_eq!(found("http://127.0.0.1:3").unwrap(), "127.0.0.1:3");
        assert_eq!(found("http://example.com/x"), None);
        assert_eq!(address_in("OPS_ADDR", "http://127.0.0.1:3"), None);
    }
}
