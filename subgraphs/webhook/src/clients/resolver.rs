//! Names are judged by their addresses, at each connection: a name that meant something public when it was written down
//! may mean the inside now (DNS rebinding).

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::address::{Reach, is_public};

/// Resolves to what may be reached.
pub(super) struct Within(pub(super) Reach);

impl Resolve for Within {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(allowed(found, reach)?)
        })
    }
}

fn allowed(found: impl Iterator<Item = SocketAddr>, reach: Reach) -> io::Result<Addrs> {
    let allowed: Vec<_> = found
        .filter(|address| reach == Reach::Anywhere || is_public(address.ip()))
        .collect();
    if allowed.is_empty() {
        let why = "the name leads to no public address";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(Box::new(allowed.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_the_inside_leads_nowhere() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let inside = addresses(&["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1"]);
        let kept = |found: Vec<SocketAddr>, reach| -> Vec<SocketAddr> {
            allowed(found.into_iter(), reach)
                .map(Iterator::collect)
                .unwrap_or_default()
        };
        assert_eq!(kept(inside.clone(), Reach::Public), []);
        assert_eq!(kept(inside.clone(), Reach::Anywhere), inside);
        let public = addresses(&["93.184.215.14"]);
        assert_eq!(kept([inside, public.clone()].concat(), Reach::Public), public);
    }

    #[tokio::test]
    async fn the_resolver_itself_refuses() {
        let refused = Within(Reach::Public).resolve("localhost".parse().unwrap()).await;
        assert!(refused.is_err());
        let found = Within(Reach::Anywhere)
            .resolve("localhost".parse().unwrap())
            .await;
        assert!(found.unwrap().all(|address| address.ip().is_loopback()));
    }
}
