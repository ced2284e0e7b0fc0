//! What the services count themselves: operations that reached them, and connections they took from their pools.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use url::Url;

/// Counts of all services together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Operations that subgraphs ran.
    pub fetches: f64,
    /// Statements, where none is part of a transaction: each takes a connection of its own.
    pub statements: f64,
}

impl Counts {
    /// What was counted since `before`, for each of `times`.
    #[must_use]
    pub fn each_since(self, before: Self, times: usize) -> Self {
        let times = f64::from(u32::try_from(times).unwrap_or(u32::MAX)).max(1.0);
        Self {
            fetches: (self.fetches - before.fetches) / times,
            statements: (self.statements - before.statements) / times,
        }
    }
}

/// The services' pages of metrics.
#[derive(Debug, Clone)]
pub struct Counters {
    http: reqwest::Client,
    pages: BTreeMap<String, Url>,
}

impl Counters {
    /// Counters of the services with these pages.
    pub fn try_new(pages: BTreeMap<String, Url>) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self { http, pages })
    }

    /// Reads them.
    pub async fn read(&self) -> Result<Counts> {
        let mut all = Counts::default();
        for (name, page) in &self.pages {
            let response = self.http.get(page.clone()).send().await;
            let text = response
                .with_context(|| format!("metrics of {name}"))?
                .text()
                .await;
            let counts = counts(&text.with_context(|| format!("metrics of {name}"))?);
            all.fetches += counts.fetches;
            all.statements += counts.statements;
        }
        Ok(all)
    }
}

/// The counts on one page. What workers do is not for a request.
fn counts(page: &str) -> Counts {
    let sum = |name: &str, label: &str| -> f64 {
        page.lines()
            .filter(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ']))
            })
            .filter(|line| line.contains(label))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    };
    Counts {
        fetches: sum("graphql_operations_total", ""),
        statements: sum("pg_connections_taken_total", "pool=\"requests\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_and_workers_are_not() {
        let page = "# HELP graphql_operations_total Operations.\n\
            graphql_operations_total{operation=\"A\",outcome=\"ok\",type=\"query\"} 3\n\
            graphql_operations_total{operation=\"B\",outcome=\"ok\",type=\"query\"} 4\n\
            graphql_operations_total_of_something_else 100\n\
            pg_connections_taken_total{pool=\"requests\"} 5\n\
            pg_connections_taken_total{pool=\"workers\"} 50\n";
        let now = counts(page);
        assert_eq!(
            now,
            Counts {
                fetches: 7.0,
                statements: 5.0
            }
        );
        let before = Counts {
            fetches: 1.0,
            statements: 2.0,
        };
        assert_eq!(
            now.each_since(before, 3),
            Counts {
                fetches: 2.0,
                statements: 1.0
            }
        );
    }
}
