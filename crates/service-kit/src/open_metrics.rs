//! The format in which exemplars can be told; a Prometheus that stores them asks for it.
//! Source: <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>

use std::fmt::{self, Display, Write};
use std::time::UNIX_EPOCH;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use crate::exemplars::{self, Exemplar};

/// What an answer in this format calls itself.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether whoever sends this `Accept` header takes the format.
pub(crate) fn is_accepted(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| accept.contains("application/openmetrics-text"))
}

/// All metrics, with the exemplars of those that have some.
pub(crate) fn encode(families: &[MetricFamily]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for family in families {
        write_family(&mut text, family)?;
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn write_family(out: &mut String, family: &MetricFamily) -> fmt::Result {
    let name = family.name();
    // A counter's samples end with `_total`, its family does not; one without the ending is no counter here.
    let (base, kind) = match (family.get_field_type(), name.strip_suffix("_total")) {
        (MetricType::COUNTER, Some(base)) => (base, "counter"),
        (MetricType::GAUGE, _) => (name, "gauge"),
        (MetricType::HISTOGRAM, _) => (name, "histogram"),
        _ => (name, "unknown"),
    };
    writeln!(out, "# TYPE {base} {kind}")?;
    writeln!(out, "# HELP {base} {}", Escaped(family.help()))?;
    for metric in family.get_metric() {
        match family.get_field_type() {
            MetricType::HISTOGRAM => write_histogram(out, name, metric)?,
            MetricType::COUNTER => write_sample(out, name, metric, metric.get_counter().get_value())?,
            _ => write_sample(out, name, metric, metric.get_gauge().get_value())?,
        }
    }
    Ok(())
}

fn write_sample(out: &mut String, name: &str, metric: &Metric, value: f64) -> fmt::Result {
    writeln!(out, "{name}{} {value}", Labels(metric.get_label(), None))
}

fn write_histogram(out: &mut String, name: &str, metric: &Metric) -> fmt::Result {
    let (labels, histogram) = (metric.get_label(), metric.get_histogram());
    let pairs = labels.iter().map(|pair| (pair.name(), pair.value()));
    let latest = exemplars::latest(&exemplars::series(name, pairs));
    let bounds = histogram
        .get_bucket()
        .iter()
        .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
        .filter(|(bound, _)| bound.is_finite())
        .chain([(f64::INFINITY, histogram.get_sample_count())]);
    for (index, (bound, count)) in bounds.enumerate() {
        write!(out, "{name}_bucket{} {count}", Labels(labels, Some(bound)))?;
        if let Some(exemplar) = latest.and_then(|latest| *latest.get(index)?) {
            write_exemplar(out, &exemplar)?;
        }
        out.push('\n');
    }
    let labels = Labels(labels, None);
    writeln!(out, "{name}_sum{labels} {}", histogram.get_sample_sum())?;
    writeln!(out, "{name}_count{labels} {}", histogram.get_sample_count())
}

fn write_exemplar(out: &mut String, exemplar: &Exemplar) -> fmt::Result {
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (trace, seconds) = (exemplar.trace, exemplar.seconds);
    write!(
        out,
        " # {{trace_id=\"{trace}\"}} {seconds} {:.3}",
        at.as_secs_f64()
    )
}

/// The labels of a sample, and of a bucket its bound: `1.0` and never `1`, as the format wants its numbers there.
struct Labels<'a>(&'a [LabelPair], Option<f64>);

impl Display for Labels<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(labels, bound) = self;
        if labels.is_empty() && bound.is_none() {
            return Ok(());
        }
        let mut separator = "{";
        for pair in *labels {
            write!(out, "{separator}{}=\"{}\"", pair.name(), Escaped(pair.value()))?;
            separator = ",";
        }
        match bound {
            Some(bound) if bound.is_infinite() => write!(out, "{separator}le=\"+Inf\"")?,
            Some(bound) => write!(out, "{separator}le=\"{bound:?}\"")?,
            None => {}
        }
        out.write_char('}')
    }
}

/// A text in which quotes, backslashes and line ends stand for themselves.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => out.write_str("\\\\")?,
                '"' => out.write_str("\\\"")?,
                '\n' => out.write_str("\\n")?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::trace::TraceId;

    use super::*;
    use crate::metrics;

    /// What is told of the metrics whose names begin so.
    fn told(prefix: &str) -> String {
        let families = metrics::registry().gather();
        let meant: Vec<_> = families
            .into_iter()
            .filter(|family| family.name().starts_with(prefix))
            .collect();
        encode(&meant).unwrap()
    }

    #[test]
    fn counters_and_gauges_are_told_in_the_formats_words() {
        metrics::counter("om_plain_seen_total", "Seen \"things\".", &["path"])
            .with_label_values(&["a\"b\\c\nd"])
            .inc_by(3);
        metrics::gauge("om_plain_open", "Open.", &[])
            .with_label_values::<&str>(&[])
            .set(-2);
        assert_eq!(
            told("om_plain"),
            "# TYPE om_plain_open gauge\n\
             # HELP om_plain_open Open.\n\
             om_plain_open -2\n\
             # TYPE om_plain_seen counter\n\
             # HELP om_plain_seen Seen \\\"things\\\".\n\
             om_plain_seen_total{path=\"a\\\"b\\\\c\\nd\"} 3\n\
             # EOF\n"
        );
    }

    #[test]
    fn a_bucket_is_told_with_its_latest_exemplar() {
        let histogram = metrics::histogram("om_timed_seconds", "Took.", &["route", "a_method"]);
        let values = ["/x", "GET"];
        for (seconds, trace) in [(1.0, 1), (0.7, 2), (30.0, 3)] {
            histogram.with_label_values(&values).observe(seconds);
            let exemplar = Exemplar {
                trace: TraceId::from(trace),
                seconds,
                at: UNIX_EPOCH + Duration::from_millis(1500),
            };
            exemplars::keep(&histogram, &values, exemplar);
        }
        let text = told("om_timed");
        let line = |end: &str| {
            let bucket = format!("om_timed_seconds_bucket{{a_method=\"GET\",route=\"/x\",le=\"{end}");
            text.lines().find(|line| line.starts_with(&bucket)).unwrap()
        };
        assert!(line("0.5\"").ends_with("} 0"), "{text}");
        assert!(
            line("1.0\"").ends_with("} 2 # {trace_id=\"00000000000000000000000000000002\"} 0.7 1.500"),
            "{text}"
        );
        assert!(line("10.0\"").ends_with("} 2"), "{text}");
        assert!(
            line("+Inf\"").ends_with("} 3 # {trace_id=\"00000000000000000000000000000003\"} 30 1.500"),
            "{text}"
        );
        assert!(text.contains("om_timed_seconds_sum{a_method=\"GET\",route=\"/x\"} 31.7\n"));
        assert!(text.contains("om_timed_seconds_count{a_method=\"GET\",route=\"/x\"} 3\n"));
    }

    #[test]
    fn only_who_asks_for_it_gets_it() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert!(is_accepted(Some(prometheus)));
        assert!(!is_accepted(Some("text/plain")) && !is_accepted(None));
    }
}
