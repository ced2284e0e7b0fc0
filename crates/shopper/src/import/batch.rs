//! Batches of lines, and what came of sending one.

use std::io;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::lines::Entry;
use crate::graph::GraphError;
use crate::ndjson::Line;
use crate::operations::{
    ImportProducts, ImportProductsPayload, ImportStock, ImportStockInput, Input, StockLine, UserError,
    outcome,
};
use crate::session::Session;

/// Lines that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    entries: Vec<Entry>,
    faults: Vec<(u64, String)>,
    last_line: u64,
}

/// What came of a batch.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) stocked: u64,
    pub(super) faults: Vec<(u64, String)>,
    pub(super) last_line: u64,
}

/// Groups lines into batches, beginning with a line.
pub(super) struct Batches<I> {
    lines: I,
    first_line: u64,
    size: usize,
}

impl<I> Batches<I> {
    pub(super) const fn new(lines: I, first_line: u64, size: usize) -> Self {
        Self {
            lines,
            first_line,
            size,
        }
    }
}

impl<I: Iterator<Item = io::Result<Line<Entry>>>> Iterator for Batches<I> {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Batch::default();
        while batch.entries.len() + batch.faults.len() < self.size {
            let line = match self.lines.next() {
                None => break,
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(line)) => line,
            };
            if line.number < self.first_line {
                continue;
            }
            batch.last_line = line.number;
            match line.value {
                Ok(entry) => batch.entries.push(entry),
                Err(why) => batch.faults.push((line.number, why)),
            }
        }
        (batch.last_line > 0).then_some(Ok(batch))
    }
}

impl Batch {
    /// Loads the products, then the stock of those that were loaded.
    pub(super) async fn send(mut self, session: &Session) -> Result<Sent, GraphError> {
        let payload = self.products(session).await?;
        let faults = self.faults_of(&payload.user_errors)?;
        let refused: Vec<u64> = faults.iter().map(|(line, _)| *line).collect();
        self.entries.retain(|entry| !refused.contains(&entry.line));
        self.faults.extend(faults);
        self.faults.sort_unstable();
        let stocked = self.stock(session).await?;
        Ok(Sent {
            created: payload.created,
            updated: payload.updated,
            unchanged: payload.unchanged,
            stocked,
            faults: self.faults,
            last_line: self.last_line,
        })
    }

    async fn products(&self, session: &Session) -> Result<ImportProductsPayload, GraphError> {
        let products: Vec<&Value> = self.entries.iter().map(|entry| &entry.product).collect();
        let input = json!({ "products": products });
        Ok(session
            .run::<ImportProducts>(&Input { input })
            .await?
            .import_products)
    }

    /// The user errors with the lines they speak of; one of no line refuses the whole batch.
    fn faults_of(&self, errors: &[UserError]) -> Result<Vec<(u64, String)>, GraphError> {
        let mut faults: Vec<(u64, String)> = Vec::new();
        for error in errors {
            let Some(entry) = index(error).and_then(|index| self.entries.get(index)) else {
                return Err(GraphError::Refused(vec![error.clone()]));
            };
            let field = error
                .field
                .iter()
                .flatten()
                .skip(3)
                .cloned()
                .collect::<Vec<_>>()
                .join(".");
            let why = format!("{field} {error}").trim().to_owned();
            match faults.iter_mut().find(|(line, _)| *line == entry.line) {
                Some((_, more)) => *more = format!("{more}; {why}"),
                None => faults.push((entry.line, why)),
            }
        }
        Ok(faults)
    }

    async fn stock(&self, session: &Session) -> Result<u64, GraphError> {
        let lines: Vec<StockLine> = self
            .entries
            .iter()
            .flat_map(|entry| entry.stock.clone())
            .collect();
        let mut raised = 0;
        for lines in lines.chunks(super::BATCH) {
            let input = ImportStockInput {
                idempotency_key: key(lines),
                lines: lines.to_vec(),
            };
            let payload = session.run::<ImportStock>(&Input { input }).await?.import_stock;
            raised += outcome(payload.raised, payload.user_errors)?;
        }
        Ok(raised)
    }
}

/// The product's place in the input: `["input", "products", "17", ...]`.
fn index(error: &UserError) -> Option<usize> {
    error.field.as_ref()?.get(2)?.parse().ok()
}

/// The same lines have the same key, so that a repeated batch is one import.
fn key(lines: &[StockLine]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(format!("{} {}\n", line.sku, line.quantity));
    }
    format!("import-{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64) -> Line<Entry> {
        let entry = Entry {
            line: number,
            product: Value::Null,
            stock: Vec::new(),
        };
        let value = if number == 3 {
            Err("bad".to_owned())
        } else {
            Ok(entry)
        };
        Line { number, value }
    }

    #[test]
    fn batches_begin_where_told_and_know_their_last_line() {
        let batches: Vec<Batch> = Batches::new((1..=7).map(line).map(Ok), 2, 3)
            .map(Result::unwrap)
            .collect();
        let lasts: Vec<u64> = batches.iter().map(|batch| batch.last_line).collect();
        assert_eq!(lasts, [4, 7]);
        assert_eq!(batches[0].faults, [(3, "bad".to_owned())]);
    }

    #[test]
    fn errors_find_their_lines() {
        let batch = Batches::new((4..=6).map(line).map(Ok), 1, 10)
            .next()
            .unwrap()
            .unwrap();
        let error = |index: &str, code: &str| UserError {
            code: code.to_owned(),
            message: "no".to_owned(),
            field: Some(["input", "products", index, "title"].map(str::to_owned).to_vec()),
        };
        let faults = batch
            .faults_of(&[error("1", "INVALID"), error("1", "SLUG_TAKEN")])
            .unwrap();
        assert_eq!(faults, [(5, "title INVALID no; title SLUG_TAKEN no".to_owned())]);
        assert!(batch.faults_of(&[error("9", "INVALID")]).is_err());
    }
}
