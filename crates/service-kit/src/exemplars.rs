//! Exemplars: for each bucket of a histogram one request that fell into it, named by its trace, so that a board leads
//! from a slow bucket to what was slow. The crate `prometheus` knows none: they are kept beside its histograms, and
//! told by [`crate::open_metrics`].

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::TraceId;
use prometheus::HistogramVec;
use prometheus::core::Collector;

use crate::metrics::BUCKETS;

/// One request of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) trace: TraceId,
    /// How long it took.
    pub(crate) seconds: f64,
    /// When it ended.
    pub(crate) at: SystemTime,
}

/// The latest of each bucket; the last bucket is for whatever took longer.
pub(crate) type Latest = [Option<Exemplar>; BUCKETS.len() + 1];

static KEPT: LazyLock<Mutex<HashMap<String, Latest>>> = LazyLock::new(Mutex::default);

/// A series by its name and labels, whatever their order.
pub(crate) fn series<'a>(name: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    let mut key = name.to_owned();
    for part in labels.iter().flat_map(|(label, value)| [label, value]) {
        key.push('\0');
        key.push_str(part);
    }
    key
}

/// Remembers a request of a histogram that [`crate::metrics::histogram`] made.
pub(crate) fn keep(histogram: &HistogramVec, values: &[&str], exemplar: Exemplar) {
    let Some(desc) = histogram.desc().into_iter().next() else {
        return;
    };
    let labels = desc.variable_labels.iter().map(String::as_str);
    let key = series(&desc.fq_name, labels.zip(values.iter().copied()));
    let bucket = BUCKETS.partition_point(|bound| *bound < exemplar.seconds);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(key).or_insert([None; BUCKETS.len() + 1])[bucket] = Some(exemplar);
}

/// What is remembered of a series.
pub(crate) fn latest(series: &str) -> Option<Latest> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get(series).copied()
}
