//! How long statements to a database take, by what they do to which table.
//!
//! sqlx tells each statement as an event. It becomes a figure here, and no line of a log. The event comes when the
//! statement ends, before its caller has the outcome, and does not say whether it failed. So the name is kept for who
//! learns that: see [`ended_last`].

use std::cell::RefCell;

use prometheus::HistogramVec;
use tokio::task;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::metrics;

/// Where sqlx tells of its statements.
const TARGET: &str = "sqlx::query";
/// What a filter needs to let them through.
pub(crate) const DIRECTIVE: &str = "sqlx::query=debug";

thread_local! {
    /// The statement that ended last on this thread, and in which task.
    static LAST: RefCell<Option<(Option<task::Id>, String)>> = const { RefCell::new(None) };
}

/// What the statement was called that ended last in this task, once. Whoever asks as soon as a statement has failed,
/// before anything else is awaited, is told its name: a task does not change its thread in between, and no other task
/// has a turn on it. Who asks later is told nothing, or the name of another of the task's own.
pub fn ended_last() -> Option<String> {
    let (task, name) = LAST.take()?;
    (task == task::try_id()).then_some(name)
}

/// Whether this is about something else: what other layers are to see.
pub(crate) fn is_other(metadata: &Metadata<'_>) -> bool {
    metadata.target() != TARGET
}

/// Counts and times statements: a layer of whoever listens to events.
pub struct Statements {
    seconds: HistogramVec,
}

impl Default for Statements {
    fn default() -> Self {
        Self::new()
    }
}

impl Statements {
    /// Into the process's own metrics.
    pub fn new() -> Self {
        let seconds = metrics::histogram(
            "sql_statement_seconds",
            "How long a statement took, with the reading of its rows, by what it does and the table it does it to.",
            &["statement"],
        );
        Self { seconds }
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if is_other(event.metadata()) {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        // The summary is the whole of a statement that is told without its text.
        let name = told.name.or_else(|| told.summary.as_deref().map(name));
        if let (Some(name), Some(seconds)) = (name, told.seconds) {
            self.seconds.with_label_values(&[&name]).observe(seconds);
            LAST.set(Some((task::try_id(), name)));
        }
    }
}

#[derive(Default)]
struct Told {
    summary: Option<String>,
    name: Option<String>,
    seconds: Option<f64>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = Some(value.to_owned()),
            "db.statement" if !value.is_empty() => self.name = Some(name(value)),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The first thing written, as in `UPDATE saga`; else the first table read; else the command. After OpenTelemetry's
/// `db.query.summary`. Statements are texts of our own, so there are as many names as those have.
fn name(sql: &str) -> String {
    let words = words(sql);
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let mut read = None;
    let mut temporary: Vec<&str> = Vec::new();
    let mut last = "";
    for (at, &this) in words.iter().enumerate() {
        let next = word(at + 1);
        let (now, before) = (is(this), is(last));
        // `FOR UPDATE` and `DO UPDATE` write nothing of their own.
        if now("UPDATE") && !before("FOR") && !before("DO") {
            return format!("UPDATE {next}");
        } else if now("INTO") && before("INSERT") {
            return format!("INSERT {next}");
        } else if now("FROM") && before("DELETE") {
            return format!("DELETE {next}");
        } else if now("AS") && (next == "(" || is(next)("MATERIALIZED")) {
            temporary.push(last);
        // A function that gives rows is no table.
        } else if now("FROM") && next != "(" && word(at + 2) != "(" && !temporary.contains(&next) {
            read.get_or_insert(next);
        }
        last = this;
    }
    match read {
        Some(table) => format!("SELECT {table}"),
        None => word(0).to_ascii_uppercase(),
    }
}

/// Whether it is that word of SQL, however it is written. Statements are named on their way: nothing is copied.
fn is(word: &str) -> impl Fn(&str) -> bool {
    move |other| word.eq_ignore_ascii_case(other)
}

/// Names, numbers and opening brackets.
fn words(sql: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let mut words = Vec::new();
    for piece in sql.split_inclusive(|letter| !is_part(letter)) {
        let word = piece.trim_end_matches(|letter| !is_part(letter));
        if !word.is_empty() {
            words.push(word);
        }
        if piece.ends_with('(') {
            words.push("(");
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn a_statement_is_named_by_what_it_does_to_which_table() {
        for (sql, want) in [
            ("SELECT id, name FROM customer WHERE id = $1", "SELECT customer"),
            ("select 1", "SELECT"),
            ("BEGIN", "BEGIN"),
            ("", ""),
            ("SELECT version FROM saga WHERE id = $1 FOR UPDATE", "SELECT saga"),
            ("UPDATE saga SET state = $1 WHERE id = $2", "UPDATE saga"),
            ("DELETE FROM timer WHERE at < now()", "DELETE timer"),
            (
                "INSERT INTO inbox (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen = now()",
                "INSERT inbox",
            ),
            (
                "WITH due AS MATERIALIZED (SELECT id FROM timer FOR UPDATE SKIP LOCKED) \
                 DELETE FROM timer USING due RETURNING timer.id",
                "DELETE timer",
            ),
            (
                "WITH asked AS (SELECT word FROM string_to_table($1, ' ') AS folded (word)) \
                 SELECT w.word FROM asked JOIN search_word w ON true",
                "WITH",
            ),
            (
                "WITH asked AS (SELECT unnest($1) AS id)\n SELECT * FROM (SELECT p.id FROM product p) AS found",
                "SELECT product",
            ),
        ] {
            assert_eq!(name(sql), want, "{sql}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_last_statement_is_told_once_and_to_its_own_task() {
        let subscriber = tracing_subscriber::registry().with(Statements::new());
        let _listens = tracing::subscriber::set_default(subscriber);
        let run =
            |sql: &str| tracing::debug!(target: TARGET, summary = sql, db.statement = "", elapsed_secs = 0.5);
        assert_eq!(ended_last(), None);
        run("UPDATE one");
        run("UPDATE two");
        assert_eq!(ended_last().as_deref(), Some("UPDATE two"));
        assert_eq!(ended_last(), None);
        run("UPDATE mine");
        let other = tokio::spawn(async { ended_last() });
        assert_eq!(other.await.unwrap(), None, "another task's statement");
    }

    #[test]
    fn what_sqlx_tells_becomes_a_figure() {
        let subscriber = tracing_subscriber::registry().with(Statements::new());
        tracing::subscriber::with_default(subscriber, || {
            let long = "SELECT a, b, c, d FROM told_of WHERE a = $1";
            tracing::debug!(target: TARGET, summary = "SELECT a, b, c, …", db.statement = long, elapsed_secs = 0.5);
            tracing::debug!(target: TARGET, summary = "COMMIT", db.statement = "", elapsed_secs = 0.25);
            tracing::debug!(target: "elsewhere", summary = "ROLLBACK", elapsed_secs = 0.25);
        });
        let count = |statement: &str| {
            let seconds = Statements::new().seconds.with_label_values(&[statement]);
            (seconds.get_sample_count(), seconds.get_sample_sum())
        };
        assert_eq!(count("SELECT told_of"), (1, 0.5));
        assert_eq!(count("COMMIT"), (1, 0.25));
        assert_eq!(count("ROLLBACK"), (0, 0.0));
    }
}
