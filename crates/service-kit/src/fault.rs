//! Crash points and seeded bugs for `cargo xtask faults`. Only with the feature `faults`, which no crate turns on by
//! default; without it both macros leave nothing behind.
//!
//! Owns how a process dies at a point or takes a wrong branch. Must not know which points there are, nor what a bug
//! does: those are named where they are.
//!
//! | variable | meaning |
//! |---|---|
//! | `MERCATO_CRASH` | `POINT` or `POINT:N`: SIGKILL itself at the N-th time it comes there |
//! | `MERCATO_FREEZE` | the same with SIGSTOP: everything stands still until SIGCONT |
//! | `MERCATO_CRASH_EVIDENCE` | the folder where a point that is hit leaves `POINT-PID.json` first |
//! | `MERCATO_BUG` | names of bugs, with commas between |

/// Marks a place where a process may be made to die: `crash_point!("created", order)`. With three arguments the second
/// makes the name more exact: `crash_point!("before", action, order)` is `before-pay`.
#[cfg(feature = "faults")]
#[macro_export]
macro_rules! crash_point {
    ($point:expr, $order:expr) => {
        $crate::fault::reached(&$point, &$order)
    };
    ($point:expr, $detail:expr, $order:expr) => {
        $crate::fault::reached(&::std::format!("{}-{}", $point, $detail), &$order)
    };
}

/// Marks a place where a process may be made to die, if it is built with the feature `faults`. This one is not.
#[cfg(not(feature = "faults"))]
#[macro_export]
macro_rules! crash_point {
    ($($ignored:tt)*) => {};
}

/// Whether a seeded bug is on: `if bug!("no_inbox") { .. }`.
#[cfg(feature = "faults")]
#[macro_export]
macro_rules! bug {
    ($name:literal) => {
        $crate::fault::bug($name)
    };
}

/// Whether a seeded bug is on: never, without the feature `faults`.
#[cfg(not(feature = "faults"))]
#[macro_export]
macro_rules! bug {
    ($name:literal) => {
        false
    };
}

#[cfg(feature = "faults")]
pub use armed::{bug, reached};

#[cfg(feature = "faults")]
mod armed {
    use std::fmt::Display;
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{SystemTime, UNIX_EPOCH};

    use rustix::process::{Signal, getpid, kill_process};
    use serde_json::json;

    static CRASH: LazyLock<Option<Armed>> = LazyLock::new(|| Armed::from_env("MERCATO_CRASH", Signal::KILL));
    static FREEZE: LazyLock<Option<Armed>> =
        LazyLock::new(|| Armed::from_env("MERCATO_FREEZE", Signal::STOP));
    static BUGS: LazyLock<String> = LazyLock::new(|| variable("MERCATO_BUG").unwrap_or_default());

    /// A point that has consequences.
    struct Armed {
        point: String,
        nth: u32,
        signal: Signal,
        evidence: Option<PathBuf>,
        hits: AtomicU32,
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "not configuration: no service knows of it, and only test builds read it"
    )]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    impl Armed {
        fn from_env(name: &str, signal: Signal) -> Option<Self> {
            let text = variable(name)?;
            let (point, nth) = parse(&text);
            Some(Self {
                point: point.to_owned(),
                nth,
                signal,
                evidence: variable("MERCATO_CRASH_EVIDENCE").map(PathBuf::from),
                hits: AtomicU32::new(0),
            })
        }

        /// Counts a visit of its point; true at the one that matters.
        fn is_due(&self, point: &str) -> bool {
            self.point == point && self.hits.fetch_add(1, Ordering::SeqCst) + 1 == self.nth
        }

        fn strike(&self, order: &dyn Display) {
            if let Some(folder) = &self.evidence
                && let Err(error) = leave_evidence(folder, &self.point, order)
            {
                // Without evidence the run fails, which is how it should end.
                tracing::error!(%error, point = self.point, "no evidence of a crash point");
            }
            // SIGKILL to oneself does not come back; SIGSTOP does, when somebody lets us go on.
            if let Err(error) = kill_process(getpid(), self.signal) {
                tracing::error!(%error, point = self.point, "could not strike");
            }
        }
    }

    /// `POINT` or `POINT:N`.
    fn parse(text: &str) -> (&str, u32) {
        match text.rsplit_once(':') {
            Some((point, nth)) => (point, nth.parse().unwrap_or(1)),
            None => (text, 1),
        }
    }

    /// On disk before the process dies.
    fn leave_evidence(folder: &Path, point: &str, order: &dyn Display) -> io::Result<()> {
        let pid = std::process::id();
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = json!({ "point": point, "pid": pid, "at_ms": at.as_millis(), "order": order.to_string() });
        // Whoever waits for the file finds it whole.
        let whole = folder.join(format!("{point}-{pid}.json"));
        let draft = whole.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(text.to_string().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(draft, whole)?;
        File::open(folder)?.sync_all()
    }

    /// Dies or freezes here, if that was asked for.
    pub fn reached(point: &str, order: &dyn Display) {
        for armed in [&*CRASH, &*FREEZE].into_iter().flatten() {
            if armed.is_due(point) {
                armed.strike(order);
            }
        }
    }

    /// Whether a bug was asked for.
    pub fn bug(name: &str) -> bool {
        BUGS.split(',').any(|asked| asked == name)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn strikes_at_the_nth_visit_of_its_point_and_never_again() {
            let (point, nth) = parse("before-pay:2");
            let armed = Armed {
                point: point.to_owned(),
                nth,
                signal: Signal::KILL,
                evidence: None,
                hits: AtomicU32::new(0),
            };
            let visits = ["before-void", "before-pay", "before-pay", "before-pay"];
            assert_eq!(
                visits.map(|visit| armed.is_due(visit)),
                [false, false, true, false]
            );
            assert_eq!(parse("stored"), ("stored", 1));
        }

        #[test]
        fn evidence_is_whole_and_names_the_order() {
            let folder = tempfile::tempdir().unwrap();
            leave_evidence(folder.path(), "stored", &"order_1").unwrap();
            let file = folder.path().join(format!("stored-{}.json", std::process::id()));
            let text = std::fs::read_to_string(file).unwrap();
            let evidence: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(evidence["order"], "order_1");
            assert_eq!(evidence["pid"], std::process::id());
        }

        #[test]
        fn no_bug_is_on_by_itself() {
            assert!(!bug("no_inbox"));
        }
    }
}

#[cfg(all(test, not(feature = "faults")))]
mod tests {
    #[test]
    fn without_the_feature_nothing_is_evaluated_and_no_bug_is_on() {
        crash_point!("never", unreachable_expression_that_does_not_even_exist);
        let on = std::hint::black_box(bug!("no_inbox"));
        assert!(!on);
    }
}
